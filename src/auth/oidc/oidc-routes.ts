import type { FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify'
import type { FailureLog } from '../../areas/area.js'
import { type HostError, messageOf } from '../../base/errors.js'
import { authLimits } from '../../base/limits/auth.js'
import type { FindClientSite } from '../../gateway/client-site.js'
import { rawQuery } from '../../gateway/request-path.js'
import type { Actor, RecordAction } from '../../identity/recorded-action.js'
import type { OpenedSession, SessionStore } from '../../identity/session-store.js'
import type { StoredUser } from '../../identity/user-row.js'
import type { UserStore } from '../../identity/user-store.js'
import { accountAnswers } from '../accounts/failures.js'
import { errorSchema } from '../accounts/operation-schema.js'
import {
  accountDisabled,
  authUnavailable,
  providerUnknown,
  redirectRefused,
  signInRefused,
  signInsTooMany,
  signInUnknown,
} from '../errors.js'
import { IssuerUnavailable } from '../issuers/fetched-value.js'
import type { SessionCookies } from '../session-cookie.js'
import { type BegunSignIn, beginSignIn, takeUpSignIn } from './begun-sign-in.js'
import type { ExternalUsers, VouchedUser } from './external-users.js'
import { FinishedSignIns } from './finished-sign-ins.js'
import { isLocalPath } from './local-path.js'
import { type OidcProvider, SignInRefused } from './oidc-provider.js'
import { SignInCookies } from './sign-in-cookies.js'

/** A provider at which people sign in, and who they become by that. */
export interface SignInProvider {
  readonly provider: OidcProvider
  readonly users: ExternalUsers
}

/** What signing in at providers is made of. */
export interface OidcRoutesOptions {
  readonly providers: readonly SignInProvider[]
  readonly users: Pick<UserStore, 'noteLogin'>
  readonly sessions: Pick<SessionStore, 'open'>
  readonly cookies: SessionCookies
  /** Tells how the sender of a request reaches the host. */
  readonly siteOf: FindClientSite
  /** Address of the client, behind trusted proxies the one that they name. */
  clientIp(request: FastifyRequest): string
  /** Takes one token of the network of an address; false when there is none left. */
  takeToken(ip: string): boolean
  readonly record: RecordAction
  readonly log: FailureLog & {
    info(fields: Readonly<Record<string, unknown>>, message: string): void
    warn(fields: Readonly<Record<string, unknown>>, message: string): void
  }
}

/** Paths of the two scopes below the prefix of the accounts. */
const providersPath = '/providers'
const flowPath = '/oidc'

/**
 * Creates signing in at providers as a Fastify plugin, to be registered with the prefix of the accounts: the list of
 * providers, and for each the way there and back. All of it is for strangers.
 */
export function createOidcRoutes(options: OidcRoutesOptions): FastifyPluginCallback {
  return function oidcRoutes(app, _options, done) {
    const flow = new SignInFlow(options)
    app.register(
      (scope, _scopeOptions, ready) => {
        accountAnswers.install(scope, options.log)
        addProviders(scope, options)
        ready()
      },
      { prefix: providersPath },
    )
    app.register(
      (scope, _scopeOptions, ready) => {
        accountAnswers.install(scope, options.log)
        addFlow(scope, flow)
        ready()
      },
      { prefix: flowPath },
    )
    done()
  }
}

const tags = ['auth']
const nameSchema = {
  type: 'object',
  required: ['name'],
  properties: { name: { type: 'string', description: 'Name of the provider.' } },
} as const

function addProviders(scope: FastifyInstance, { providers }: OidcRoutesOptions): void {
  const schema = {
    operationId: 'listProviders',
    tags,
    summary: 'List the providers at which people sign in',
    security: [],
    response: {
      200: {
        description: 'All of them, in the order of the configuration.',
        type: 'object',
        required: ['providers'],
        properties: {
          providers: {
            type: 'array',
            items: {
              type: 'object',
              required: ['name', 'display_name', 'login_path'],
              properties: {
                name: { type: 'string' },
                display_name: { type: 'string' },
                login_path: { type: 'string', description: 'Where a browser is sent to sign in.' },
              },
            },
          },
        },
      },
    },
  }
  scope.get('', { schema }, () => ({
    providers: providers.map(({ provider: { name, displayName } }) => ({
      name,
      display_name: displayName,
      login_path: `/api/v1/auth${flowPath}/${name}/login`,
    })),
  }))
}

function addFlow(scope: FastifyInstance, flow: SignInFlow): void {
  const answers = (codes: readonly number[]) => ({
    302: { description: 'The browser is sent on.', type: 'null' },
    ...Object.fromEntries(codes.map((code) => [code, { description: 'Refused.', ...errorSchema }])),
  })
  const loginSchema = {
    operationId: 'beginSignIn',
    tags,
    summary: 'Send a browser to a provider to sign in',
    security: [],
    params: nameSchema,
    querystring: {
      type: 'object',
      properties: {
        redirect: {
          type: 'string',
          description: 'Path of this host to which the sign-in leads; "/" when missing.',
        },
      },
    },
    response: answers([400, 404, 429, 503]),
  }
  const callbackSchema = {
    operationId: 'finishSignIn',
    tags,
    summary: 'Take back a browser that has signed in',
    security: [],
    params: nameSchema,
    response: answers([400, 401, 403, 404, 429, 503]),
  }
  scope.get<Named>('/:name/login', { schema: loginSchema }, (request, reply) => flow.begin(request, reply))
  scope.get<Named>('/:name/callback', { schema: callbackSchema }, (request, reply) =>
    flow.finish(request, reply),
  )
}

interface Named {
  Params: { readonly name: string }
}

type NamedRequest = FastifyRequest<Named>

class SignInFlow {
  readonly #options: OidcRoutesOptions
  readonly #finished = new FinishedSignIns()

  constructor(options: OidcRoutesOptions) {
    this.#options = options
  }

  async begin(request: NamedRequest, reply: FastifyReply): Promise<FastifyReply> {
    this.#assertCalm(request)
    const { provider } = this.#find(request)
    const query = new URLSearchParams(rawQuery(request.raw.url ?? ''))
    const [redirect = '/', ...more] = query.getAll('redirect')
    if (more.length > 0 || !isLocalPath(redirect)) {
      throw redirectRefused({ max: authLimits.redirectCharactersMax })
    }
    const { kept, begun } = beginSignIn(provider.name, redirect, Date.now())
    const address = await provider.address(begun).catch((error) => this.#fail(request, provider, error))
    const cookies = this.#cookiesFor(request).keep(begun.state, kept, request.headers.cookie)
    return this.#send(reply.header('set-cookie', [...cookies]), address.href)
  }

  async finish(request: NamedRequest, reply: FastifyReply): Promise<FastifyReply> {
    this.#assertCalm(request)
    const { provider, users } = this.#find(request)
    const query = rawQuery(request.raw.url ?? '')
    const { state, begun } = this.#takeUp(request, provider, query)
    const cookies = this.#cookiesFor(request)
    reply.header('set-cookie', cookies.clear(state))
    if (!this.#finished.finish(state)) throw unknownSignIn()
    const vouched = await provider
      .redeem(query, begun)
      .then((claims) => users.take(claims))
      .catch((error) => this.#fail(request, provider, error))
    this.#noteUser(request, provider, vouched)
    const { token } = await this.#open(request, provider, vouched.user)
    const session = this.#options.cookies.issue(token, this.#options.siteOf(request.raw))
    return this.#send(reply.header('set-cookie', session), begun.redirect)
  }

  /** The code and the state stand in the address from which the browser is sent on. */
  #send(reply: FastifyReply, address: string): FastifyReply {
    return reply.header('referrer-policy', 'no-referrer').redirect(address, 302)
  }

  #assertCalm(request: FastifyRequest): void {
    const { takeToken, clientIp } = this.#options
    if (!takeToken(clientIp(request))) throw signInsTooMany({}, { retryAfterSeconds: 1 })
  }

  #find({ params: { name } }: NamedRequest): SignInProvider {
    const wanted = plainName(name)
    const found = this.#options.providers.find(({ provider }) => plainName(provider.name) === wanted)
    if (found === undefined) throw providerUnknown({ name: name.slice(0, 64) })
    return found
  }

  #cookiesFor({ raw }: FastifyRequest): SignInCookies {
    return new SignInCookies(this.#options.siteOf(raw).isSecure)
  }

  #takeUp(
    request: FastifyRequest,
    { name }: OidcProvider,
    query: string,
  ): { readonly state: string; readonly begun: BegunSignIn } {
    const [state, ...more] = new URLSearchParams(query).getAll('state')
    if (state === undefined || more.length > 0) throw unknownSignIn()
    const kept = this.#cookiesFor(request).read(state, request.headers.cookie)
    const begun = kept === undefined ? undefined : takeUpSignIn(name, kept, state, Date.now())
    if (begun === undefined) throw unknownSignIn()
    return { state, begun }
  }

  async #open(request: FastifyRequest, provider: OidcProvider, user: StoredUser): Promise<OpenedSession> {
    const { sessions, cookies, siteOf, clientIp, users, log } = this.#options
    const { headers, raw } = request
    const sent = cookies.read({ headers, site: siteOf(raw) })
    const opened = user.disabled
      ? undefined
      : await sessions.open({
          user,
          authenticator: provider.name,
          ip: clientIp(request),
          userAgent: headers['user-agent'],
          ...(sent.kind === 'token' && sent.by === 'cookie' && { replaces: sent.token }),
        })
    const actor: Actor = { kind: 'user', id: user.id, name: user.username, tenant: user.tenant }
    if (opened === undefined) {
      this.#noteSession(request, provider, 'failure', { reason: 'disabled', username: user.username })
      throw accountDisabled()
    }
    this.#noteSession(request, provider, 'success', { username: user.username }, actor, opened.session.id)
    await users.noteLogin(user.id).catch((error: unknown) => {
      log.warn({ err: error, request_id: request.id }, 'it could not be noted that somebody has signed in')
    })
    return opened
  }

  #noteUser(request: FastifyRequest, provider: OidcProvider, { user, change }: VouchedUser): void {
    if (change === 'none') return
    const { record, clientIp } = this.#options
    record({
      action: change === 'created' ? 'user.create' : 'user.update',
      outcome: 'success',
      // Nobody but the provider has said what is stored.
      actor: { kind: 'service', id: provider.name, name: provider.name },
      resource: { type: 'user', id: user.id },
      details: { method: 'oidc', provider: provider.name, username: user.username, roles: user.roles },
      clientIp: clientIp(request),
      requestId: request.id,
    })
  }

  #noteSession(
    request: FastifyRequest,
    { name }: OidcProvider,
    outcome: 'success' | 'failure',
    details: Readonly<Record<string, string>>,
    actor: Actor = { kind: 'anonymous' },
    id?: string,
  ): void {
    const { record, clientIp, log } = this.#options
    const said = { method: 'oidc', provider: name, ...details }
    record({
      action: 'session.open',
      outcome,
      actor,
      resource: { type: 'session', id },
      details: said,
      clientIp: clientIp(request),
      requestId: request.id,
    })
    const fields = {
      action: 'session.open',
      details: said,
      request_id: request.id,
      client_ip: clientIp(request),
    }
    if (outcome === 'success') log.info(fields, 'account action')
    else log.warn(fields, 'account action failed')
  }

  /** Nothing that a provider says goes to the caller as it is. */
  #fail(request: FastifyRequest, provider: OidcProvider, error: unknown): never {
    const { name } = provider
    const fields = { provider: name, request_id: request.id, reason: messageOf(error) }
    if (error instanceof IssuerUnavailable) {
      this.#options.log.warn(fields, 'a provider cannot be asked')
      throw authUnavailable({}, { retryAfterSeconds: 1, cause: error })
    }
    if (error instanceof SignInRefused) {
      this.#options.log.warn(fields, 'a sign-in at a provider was refused')
      this.#noteSession(request, provider, 'failure', { reason: 'refused' })
      throw signInRefused({ name, reason: error.reason }, { cause: error })
    }
    const { code } = error as Partial<HostError>
    if (code !== undefined) this.#noteSession(request, provider, 'failure', { reason: code })
    throw error
  }
}

function unknownSignIn(): HostError {
  return signInUnknown({ minutes: authLimits.oidcLoginMs / 60_000 })
}

/** Names are the same with `-` and with `_`. */
function plainName(name: string): string {
  return name.replaceAll('-', '_')
}
