import type { Account, AccountSession, ApiKeyFields, ApiKeyQuery } from './account-types.js'

/** Who sends a request, as rules, policies and plugins see them. */
export interface CallerIdentity {
  readonly type: 'user' | 'key' | 'service' | 'worker'
  readonly id: string
  readonly name?: string
  readonly email?: string
  readonly tenant_id?: string
  readonly roles: readonly string[]
  readonly groups: readonly string[]
  readonly attributes: Readonly<Record<string, unknown>>
  /** What vouches for them. */
  readonly authenticator: string
  /** What they may do in the administration. */
  readonly permissions: readonly string[]
}

export interface OwnAccount {
  readonly identity: CallerIdentity
  /** Absent for somebody who is no user of the server, such as the admin token. */
  readonly user?: Account
}

export interface OwnSession {
  readonly identity: CallerIdentity
  /** Absent for those who came by something else than a session. */
  readonly session?: AccountSession
  /** Goes as `csrfToken` into the options of a client in a browser. */
  readonly csrf_token?: string
}

/** A session that was just opened; nobody can give `token` again. */
export interface SignIn {
  readonly user: Account
  readonly session: AccountSession
  readonly token: string
}

export interface SignOut {
  /** Where a browser goes to sign out at the provider that it signed in at as well. */
  readonly end_session_url?: string
}

/** The session that holds from now on, given as the one before was sent. */
export interface PasswordChange {
  readonly session?: AccountSession
  readonly token?: string
  readonly csrf_token?: string
}

export type OwnApiKeyFields = Pick<ApiKeyFields, 'name' | 'roles' | 'permissions' | 'expires_at'>

export type OwnApiKeyQuery = Omit<ApiKeyQuery, 'owner'>
