import type { ClientSite } from '../gateway/client-site.js'
import type { Identity } from '../identity/identity.js'

/** The part of a request that credentials are read from. */
export interface AuthRequest {
  /** Id that log lines of the request carry. */
  readonly id: string
  readonly method: string
  /** As the router reads it. */
  readonly path: string
  /** As it was sent, without the question mark. */
  readonly query: string
  /** Names in lower case, as Node gives them. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Name, value, name, value, as they were sent. */
  readonly rawHeaders: readonly string[]
  /** Address of the client, behind trusted proxies the one that they name. */
  readonly ip: string
  /** How the client reaches the host. */
  readonly site: ClientSite
}

/** Why a credential is not taken. */
export type AuthFault = 'invalid' | 'expired' | 'revoked' | 'unsupported' | 'csrf' | 'throttled'

/** A credential of the authenticator's own kind that is not taken. */
export interface AuthFailure {
  readonly kind: 'fail'
  readonly fault: AuthFault
  /** For the caller: says nothing of what is stored. */
  readonly message: string
  /** True for a credential that a browser sends by itself. Where strangers may pass, its sender is one. */
  readonly isAmbient?: boolean
  /** Of the answer that refuses it: name, value, name, value. */
  readonly headers?: readonly string[]
  /** Time after which it may be tried again, where it was not looked at. */
  readonly retryAfterSeconds?: number
}

/**
 * What an authenticator finds: an identity; no credential of its own kind; one that is not taken; or that it cannot
 * tell at the moment, e.g. because the keys of an issuer cannot be fetched. Whoever asks goes on only after `none`.
 */
export type AuthOutcome =
  | { readonly kind: 'identity'; readonly identity: Identity }
  | { readonly kind: 'none' }
  | AuthFailure
  /** `reason` is for the log. */
  | { readonly kind: 'unavailable'; readonly reason: string }

/** Tells who sends requests by one kind of credentials. It leaves those of other kinds alone. */
export interface Authenticator {
  /** What rules name it by. */
  readonly name: string
  /** What it throws counts as `unavailable`. */
  authenticate(request: AuthRequest): AuthOutcome | Promise<AuthOutcome>
  /** What operators see of it beside its name. */
  describe?(): Readonly<Record<string, unknown>>
}

export const noCredential: AuthOutcome = Object.freeze({ kind: 'none' })

/** Makes the outcome for a credential that is not taken. */
export function refuseCredential(fault: AuthFault, message: string): AuthFailure {
  return { kind: 'fail', fault, message }
}
