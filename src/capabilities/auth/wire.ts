import type { JsonValue } from '../../identity/identity.js'

/** Names of the call kinds. */
export const authCallKinds = {
  authenticate: 'authenticate',
  authorize: 'authorize',
  predicate: 'predicate',
} as const

/** What an authenticator is called with. */
export interface AuthenticateCall {
  /** Name of the registration. */
  readonly name: string
  readonly method: string
  readonly path: string
  readonly query: string
  readonly clientIp: string
  /** The bearer token; undefined without one. */
  readonly bearer: string | undefined
  /** Name, value, name, value, credentials included. */
  readonly rawHeaders: readonly string[]
}

/** What an authorizer is called with: plain data. */
export interface AuthorizeCall {
  readonly name: string
  readonly identity: JsonValue
  readonly access: JsonValue
}

/** What a predicate is called with: plain data. */
export interface PredicateCall {
  readonly name: string
  readonly context: JsonValue
}

/** Reasons for which a plugin refuses a credential. */
export const refusalFaults = ['invalid', 'expired', 'revoked', 'unsupported'] as const

export type RefusalFault = (typeof refusalFaults)[number]

/** Who a plugin says that somebody is. */
export interface ClaimedIdentity {
  readonly kind: 'user' | 'service' | 'worker'
  readonly sub: string
  readonly name?: string
  readonly email?: string
  readonly tenant?: string
  readonly roles: readonly string[]
  readonly groups: readonly string[]
  readonly claims: { readonly [name: string]: JsonValue }
}

/** Who sends a request of a test. */
export type TestIdentity = Omit<ClaimedIdentity, 'kind'> & {
  readonly kind: ClaimedIdentity['kind'] | 'key'
  /** Name of the authenticator that vouches. */
  readonly authenticator: string
}

/** What an authenticator of a plugin says. */
export type ClaimedOutcome =
  | { readonly kind: 'none' }
  | { readonly kind: 'fail'; readonly fault: RefusalFault; readonly message: string }
  | { readonly kind: 'identity'; readonly identity: ClaimedIdentity }

/** What an authorizer of a plugin says; the reason is the empty text for an allow. */
export interface ClaimedDecision {
  readonly allows: boolean
  readonly reason: string
}
