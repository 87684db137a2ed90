import {
  type Authenticator,
  type AuthOutcome,
  type AuthRequest,
  noCredential,
  refuseCredential,
} from '../../auth/authenticator.js'
import type { AccessDecision, AccessRequest, Authorizer } from '../../auth/authorizer.js'
import { bearerToken } from '../../auth/bearer-token.js'
import { pluginAuthLimits } from '../../base/limits/auth.js'
import type { CredentialPlace } from '../../capabilities/auth/auth-rules.js'
import type {
  AuthenticateCall,
  AuthorizeCall,
  ClaimedDecision,
  ClaimedOutcome,
} from '../../capabilities/auth/wire.js'
import type { CredentialFilter } from '../../identity/credentials.js'
import { describeIdentity } from '../../identity/described-identity.js'
import { createIdentity, type JsonValue } from '../../identity/identity.js'
import type { FunctionRunner } from '../function-runner.js'

/** What runs a function at this moment. */
export interface Found {
  /** A text that says why nothing does. */
  readonly runner: FunctionRunner | string
  /** What it is, or would be, asked about. */
  readonly place: CredentialPlace
}

export type FindRunner = () => Found

/** An authenticator of a plugin, whatever generation of it serves. */
export class PluginAuthenticator implements Authenticator {
  readonly name: string
  readonly #find: FindRunner
  readonly #credentials: CredentialFilter

  constructor(name: string, find: FindRunner, credentials: CredentialFilter) {
    this.name = name
    this.#find = find
    this.#credentials = credentials
  }

  describe(): Readonly<Record<string, unknown>> {
    const { runner, place } = this.#find()
    return {
      type: 'plugin',
      ...place,
      ...(typeof runner === 'string' ? { held: runner } : runner.describe()),
    }
  }

  authenticate(request: AuthRequest): AuthOutcome | Promise<AuthOutcome> {
    const { runner, place } = this.#find()
    const bearer = this.#foreignBearer(request)
    if (!isConcerned(place, request, bearer)) return noCredential
    return typeof runner === 'string'
      ? { kind: 'unavailable', reason: runner }
      : this.#ask(runner, request, bearer)
  }

  /** Keys of the host and its admin token are for the host. */
  #foreignBearer(request: AuthRequest): string | undefined {
    const { authorization } = request.headers
    const isOwn = typeof authorization === 'string' && this.#credentials.isOwnToken(authorization)
    return isOwn ? undefined : bearerToken(request)
  }

  async #ask(runner: FunctionRunner, request: AuthRequest, bearer: string | undefined): Promise<AuthOutcome> {
    const { method, path, query, ip, rawHeaders, id } = request
    const call: AuthenticateCall = {
      name: this.name,
      method,
      path,
      query,
      clientIp: ip,
      bearer,
      rawHeaders: this.#credentials.stripAccounts(rawHeaders),
    }
    const run = await runner.run({ payload: JSON.stringify(call), requestId: id }, ([text]) =>
      this.#outcomeOf(JSON.parse(text as string) as ClaimedOutcome),
    )
    return run.kind === 'done' ? run.value : { kind: 'unavailable', reason: 'it could not be run' }
  }

  /** @throws Error for an identity that cannot be, which counts as a failure of the plugin. */
  #outcomeOf(claimed: ClaimedOutcome): AuthOutcome {
    if (claimed.kind === 'fail') return refuseCredential(claimed.fault, claimed.message)
    if (claimed.kind === 'none') return noCredential
    // Without permissions: what a plugin says opens nothing of the host.
    return { kind: 'identity', identity: createIdentity({ ...claimed.identity, authenticator: this.name }) }
  }
}

/** An authorizer of a plugin, whatever generation of it serves. */
export class PluginAuthorizer implements Authorizer {
  readonly name: string
  readonly #find: FindRunner

  constructor(name: string, find: FindRunner) {
    this.name = name
    this.#find = find
  }

  async authorize(request: AccessRequest): Promise<AccessDecision> {
    const { runner } = this.#find()
    if (typeof runner === 'string') throw new Error(runner)
    const call: AuthorizeCall = {
      name: this.name,
      identity: describeIdentity(request.identity),
      access: describeAccess(request),
    }
    const input = { payload: JSON.stringify(call), requestId: request.requestId }
    const run = await runner.run(input, ([text]) => JSON.parse(text as string) as ClaimedDecision)
    if (run.kind !== 'done') throw new Error('it could not be run')
    return run.value
  }
}

function isConcerned(
  { header, bearer }: CredentialPlace,
  { headers }: AuthRequest,
  sent: string | undefined,
): boolean {
  if (header !== undefined && headers[header] === undefined) return false
  return bearer === undefined || sent?.startsWith(bearer) === true
}

function describeAccess(request: AccessRequest): JsonValue {
  const { action, resourceType, resourceId, attributes, method, path, ip } = request
  return {
    action,
    resource_type: resourceType,
    ...(resourceId !== undefined && { resource_id: resourceId }),
    attributes: attributes as { readonly [name: string]: JsonValue },
    method,
    path,
    client_ip: ip,
  }
}

/** Time and operations of one call. */
export const authBudget = {
  timeoutMs: pluginAuthLimits.timeoutMs,
  operationsMax: pluginAuthLimits.operationsMax,
} as const
