/** A user of the host. Times are RFC 3339. */
export interface Account {
  readonly id: string
  readonly username: string
  readonly email?: string
  readonly name?: string
  readonly roles: readonly string[]
  readonly groups: readonly string[]
  readonly tenant?: string
  readonly claims: Readonly<Record<string, unknown>>
  /** True for somebody who is not let in. */
  readonly disabled: boolean
  readonly has_password: boolean
  /** Who vouches for them elsewhere. */
  readonly external?: { readonly issuer: string; readonly subject: string }
  readonly created_at: string
  readonly updated_at: string
  readonly last_login_at?: string
}

/** What can be said of a user; null empties, what is absent stays. */
export interface AccountFields {
  readonly email?: string | null
  readonly name?: string | null
  readonly roles?: readonly string[]
  readonly groups?: readonly string[]
  readonly tenant?: string | null
  readonly claims?: Readonly<Record<string, unknown>>
  readonly disabled?: boolean
}

/** Which users a list has: those that all of these hold for. */
export interface AccountQuery {
  /** Beginning of the name or address. */
  readonly search?: string
  readonly role?: string
  readonly tenant?: string
  readonly disabled?: boolean
  readonly limit?: number
  readonly cursor?: string
}

export interface AccountPage {
  readonly users: readonly Account[]
  /** Cursor of the next page; absent on the last. */
  readonly next_cursor?: string
}

/** A session of somebody who has signed in; its id opens nothing. */
export interface AccountSession {
  readonly id: string
  readonly authenticator: string
  readonly ip?: string
  readonly user_agent?: string
  readonly created_at: string
  readonly last_used_at: string
  readonly expires_at: string
  readonly current: boolean
}

/** An API key, without what is used of it. */
export interface ApiKey {
  readonly id: string
  readonly name: string
  readonly kind: 'key' | 'service'
  readonly owner_id?: string
  readonly roles: readonly string[]
  readonly permissions: readonly string[]
  readonly tenant?: string
  readonly created_by: string
  readonly created_at: string
  readonly expires_at?: string
  readonly revoked_at?: string
  readonly last_used_at?: string
}

/** A key that was just made; nobody can give `key` again. */
export interface IssuedApiKey extends ApiKey {
  readonly key: string
}

export interface ApiKeyFields {
  readonly name: string
  readonly kind?: 'key' | 'service'
  /** Id, name or address of the user that it goes with. */
  readonly owner?: string
  readonly roles?: readonly string[]
  readonly permissions?: readonly string[]
  readonly tenant?: string
  /** RFC 3339; it never ends when absent. */
  readonly expires_at?: string
}

export interface ApiKeyQuery {
  readonly owner?: string
  /** Leaves out those that are revoked or over. */
  readonly inForce?: boolean
  readonly limit?: number
  readonly cursor?: string
}

export interface ApiKeyPage {
  readonly keys: readonly ApiKey[]
  readonly next_cursor?: string
}

/** A role and what it permits. */
export interface AccountRole {
  readonly name: string
  readonly description: string
  readonly permissions: readonly string[]
  readonly source: 'built-in' | 'configuration' | 'database'
  /** True for one of the database that another of its name stands before. */
  readonly shadowed: boolean
  readonly updated_at?: string
}
