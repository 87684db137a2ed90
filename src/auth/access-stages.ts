import { type HostError, messageOf } from '../base/errors.js'
import type { FindClientSite } from '../gateway/client-site.js'
import type { Exchange } from '../gateway/exchange.js'
import { ExchangeNote } from '../gateway/exchange-note.js'
import { failureAnswer } from '../gateway/pipeline.js'
import { type Stage, type StageAnswer, type StageVerdict, stagePriorities } from '../gateway/stage.js'
import { anonymous } from '../identity/identity.js'
import { failureOf } from './auth-failures.js'
import type { AuthFailure, AuthOutcome, AuthRequest } from './authenticator.js'
import { type AccessDecision, type AccessRequest, actionOf } from './authorizer.js'
import { countHeader } from './bearer-token.js'
import { askChain } from './chain.js'
import {
  accessDenied,
  authorizerFailed,
  authUnavailable,
  credentialInvalid,
  credentialRepeated,
  credentialRequired,
  pathUnclear,
} from './errors.js'
import { noteAccess } from './request-access.js'
import { identityOf, noteIdentity } from './request-identity.js'
import type { AccessRule, Rulebook } from './rulebook.js'
import { tenantOf } from './tenant-source.js'

/** Where is said why it cannot be found out who sends a request, or whether they may. */
export interface AccessLog {
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

export interface AccessOptions {
  /** The rules at this moment. */
  rulebook(): Rulebook
  readonly log: AccessLog
  /** Tells how the sender of a request reaches the host. */
  readonly siteOf: FindClientSite
  /** Where people who open a page without credentials are sent, with the page as `redirect`; nowhere when missing. */
  readonly loginPath?: string | undefined
  /** Tells whether a path is a probe, which strangers may ask whoever cannot tell who they are; none is when missing. */
  isProbe?(path: string): boolean
}

/** What was found out about a request in front of the stages that decide by it. */
interface Finding {
  readonly rule: AccessRule
  readonly asked: AuthRequest
  /** What a request is refused with when no stage up to `authz` answers it, as that of CORS answers preflights. */
  readonly refusal: StageAnswer | undefined
}

/** Creates the stages `authn`, which finds out who sends a request, and `authz`, which decides whether they may. */
export function createAccessStages(options: AccessOptions): readonly [authn: Stage, authz: Stage] {
  const findings = new ExchangeNote<Finding>()
  const authn = new AuthenticationStage(options, findings)
  const authz = new AuthorizationStage(options, findings)
  return [authn, authz]
}

class AuthenticationStage implements Stage {
  readonly name = 'authn'
  readonly priority = stagePriorities.authn
  readonly #options: AccessOptions
  readonly #findings: ExchangeNote<Finding>

  constructor(options: AccessOptions, findings: ExchangeNote<Finding>) {
    this.#options = options
    this.#findings = findings
  }

  onRequest(exchange: Exchange): StageVerdict | Promise<StageVerdict> {
    const rule = this.#options.rulebook().ruleFor(exchange.method, exchange.path)
    if (rule === 'ambiguous') return failureAnswer(pathUnclear())
    const asked = readRequest(exchange, this.#options.siteOf)
    if (rule.authenticators.length === 0) return this.#pass(exchange, { rule, asked, refusal: undefined })
    const count = countHeader(asked, 'authorization')
    if (count > 1) return failureAnswer(credentialRepeated({ header: 'Authorization', count }))
    const outcome = askChain(rule.authenticators, asked, this.#options.log)
    return outcome instanceof Promise
      ? outcome.then((settled) => this.#settle(exchange, rule, asked, settled))
      : this.#settle(exchange, rule, asked, outcome)
  }

  /** A rule of its own may hold for where the request goes now. */
  onRewritten(exchange: Exchange): StageVerdict | Promise<StageVerdict> {
    return this.onRequest(exchange)
  }

  #settle(exchange: Exchange, rule: AccessRule, asked: AuthRequest, outcome: AuthOutcome): StageVerdict {
    if (outcome.kind === 'identity') {
      noteIdentity(exchange.request.raw, outcome.identity)
      noteAccess(exchange.request.raw, { rule, asked })
      this.#findings.set(exchange, { rule, asked, refusal: undefined })
      return undefined
    }
    const refusal = this.#refusalOf(exchange, rule, outcome)
    // A preflight carries no credentials; the stage of CORS answers it before `authz` refuses it.
    if (refusal === undefined || isPreflight(asked)) return this.#pass(exchange, { rule, asked, refusal })
    return refusal
  }

  #pass(exchange: Exchange, finding: Finding): undefined {
    noteIdentity(exchange.request.raw, anonymous)
    noteAccess(exchange.request.raw, finding)
    this.#findings.set(exchange, finding)
  }

  #refusalOf(
    exchange: Exchange,
    rule: AccessRule,
    outcome: Exclude<AuthOutcome, { kind: 'identity' }>,
  ): StageAnswer | undefined {
    const mayPass = rule.strangers === 'pass'
    if (outcome.kind === 'unavailable') {
      const isProbe = this.#options.isProbe?.(exchange.path) === true
      return mayPass && isProbe ? undefined : failureAnswer(authUnavailable())
    }
    if (outcome.kind === 'fail') {
      return mayPass && outcome.isAmbient === true ? undefined : challenge(failureOf(outcome), outcome)
    }
    if (mayPass) return undefined
    return this.#login(exchange) ?? challenge(missing(exchange, rule))
  }

  /** Leads somebody who opens a page to where they can sign in. */
  #login(exchange: Exchange): StageAnswer | undefined {
    const { loginPath } = this.#options
    if (loginPath === undefined || !isNavigation(exchange)) return undefined
    const location = `${loginPath}?redirect=${encodeURIComponent(exchange.sentUrl)}`
    return { status: 302, headers: ['location', location, 'cache-control', 'no-store'], body: undefined }
  }
}

class AuthorizationStage implements Stage {
  readonly name = 'authz'
  readonly priority = stagePriorities.authz
  readonly after = ['authn']
  readonly #options: AccessOptions
  readonly #findings: ExchangeNote<Finding>

  constructor(options: AccessOptions, findings: ExchangeNote<Finding>) {
    this.#options = options
    this.#findings = findings
  }

  onRequest(exchange: Exchange): StageVerdict | Promise<StageVerdict> {
    const finding = this.#findings.of(exchange)
    // Without a finding nobody has looked who sends this.
    if (finding === undefined) return failureAnswer(authUnavailable())
    if (finding.refusal !== undefined) return finding.refusal
    return finding.rule.authorizers.length === 0 ? undefined : this.#decide(exchange, finding)
  }

  onRewritten(exchange: Exchange): StageVerdict | Promise<StageVerdict> {
    return this.onRequest(exchange)
  }

  async #decide(exchange: Exchange, { rule, asked }: Finding): Promise<StageVerdict> {
    const request = accessRequest(exchange, rule, asked)
    for (const { name, authorize } of rule.authorizers.map(bound)) {
      let decision: AccessDecision
      try {
        decision = await authorize(request)
      } catch (error) {
        const fields = { authorizer: name, request_id: asked.id, error: messageOf(error) }
        this.#options.log.error(fields, 'an authorizer failed')
        return failureAnswer(authorizerFailed())
      }
      if (!decision.allows) return failureAnswer(accessDenied({ reason: decision.reason }))
    }
    return undefined
  }
}

function bound(authorizer: AccessRule['authorizers'][number]) {
  return {
    name: authorizer.name,
    authorize: (request: AccessRequest) => authorizer.authorize(request),
  }
}

function readRequest(exchange: Exchange, siteOf: FindClientSite): AuthRequest {
  const { raw, id } = exchange.request
  return {
    id,
    method: exchange.method,
    path: exchange.path,
    query: exchange.query,
    headers: raw.headers,
    rawHeaders: raw.rawHeaders,
    ip: exchange.ip,
    // Asked for by few.
    get site() {
      return siteOf(raw)
    },
  }
}

function accessRequest(exchange: Exchange, rule: AccessRule, asked: AuthRequest): AccessRequest {
  const identity = identityOf(exchange.request.raw)
  const tenantId = rule.tenantFrom === undefined ? undefined : tenantOf(rule.tenantFrom, asked)
  return {
    identity,
    action: actionOf(asked.method),
    resourceType: 'path',
    resourceId: asked.path,
    attributes: tenantId === undefined ? {} : { tenantId },
    method: asked.method,
    path: asked.path,
    ip: asked.ip,
    requestId: asked.id,
    userAgent: exchange.header('user-agent'),
  }
}

function isPreflight({ method, headers }: AuthRequest): boolean {
  return (
    method === 'OPTIONS' &&
    headers.origin !== undefined &&
    headers['access-control-request-method'] !== undefined
  )
}

/** Tells whether a browser asks for a page that it will show. */
function isNavigation(exchange: Exchange): boolean {
  const mode = exchange.header('sec-fetch-mode')
  if (exchange.method !== 'GET' && exchange.method !== 'HEAD') return false
  if (mode !== undefined) return mode === 'navigate'
  return exchange.header('accept')?.includes('text/html') === true
}

/** What a rule takes, for somebody who has sent nothing of it, or nothing that anybody here knows. */
function missing(exchange: Exchange, { authenticators }: AccessRule): HostError {
  const hasBearer = /^bearer /i.test(exchange.header('authorization') ?? '')
  if (hasBearer) return credentialInvalid({ reason: 'Nobody here knows the bearer token of the request.' })
  return credentialRequired({ accepted: authenticators.map(({ name }) => name).join(', ') })
}

/** Says how to send a credential, as RFC 6750 has it. */
function challenge(error: HostError, failure?: AuthFailure): StageAnswer {
  const answer = failureAnswer(error)
  const headers = [...answer.headers, ...(failure?.headers ?? [])]
  if (error.retryAfterSeconds !== undefined) headers.push('retry-after', String(error.retryAfterSeconds))
  if (answer.status !== 401) return { ...answer, headers }
  const value = failure === undefined ? 'Bearer' : 'Bearer error="invalid_token"'
  return { ...answer, headers: [...headers, 'www-authenticate', value] }
}
