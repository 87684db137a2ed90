import type { Generated } from 'kysely'

/** Somebody who has an account. */
export interface AuthUsersTable {
  /** ULID; primary key. */
  id: string
  /** As it was given. */
  username: string
  /** The same for all spellings that count as one name; unique. */
  username_key: string
  email: string | null
  /** As `username_key`; null together with `email`. */
  email_key: string | null
  /** What others call them. */
  name: string | null
  /** Argon2id in PHC form; null for those who cannot sign in with a password. */
  password_hash: string | null
  /** Grows whenever what a user signs in with changes, and when all sessions end. */
  credentials_version: Generated<number>
  /** JSON array. */
  roles: Generated<string>
  /** JSON array. */
  groups: Generated<string>
  tenant: string | null
  /** JSON object. */
  claims: Generated<string>
  disabled: Generated<0 | 1>
  /** Who vouches for them elsewhere; unique together with `subject`, and null together with it. */
  issuer: string | null
  subject: string | null
  /** Milliseconds since 1970, as all times here. */
  created_at: number
  updated_at: number
  last_login_at: number | null
}

/** A role that an admin has defined. */
export interface AuthRolesTable {
  /** Primary key. */
  name: string
  description: Generated<string>
  /** JSON array of patterns. */
  permissions: string
  created_at: number
  updated_at: number
}

/** An API key; what a caller sends is not stored. */
export interface AuthKeysTable {
  /** The part of the key that is no secret; primary key. */
  id: string
  /** SHA-256 of the whole key. */
  digest: Buffer
  name: string
  kind: 'key' | 'service'
  /** The user that it goes with; null when it belongs to nobody. */
  owner_id: string | null
  /** JSON array. */
  roles: Generated<string>
  /** JSON array of patterns. */
  permissions: Generated<string>
  tenant: string | null
  /** Who made it, as logs name them. */
  created_by: string
  created_at: number
  expires_at: number | null
  revoked_at: number | null
  last_used_at: number | null
}

/** A session; what a browser sends is not stored. */
export interface AuthSessionsTable {
  /** ULID, by which it can be named without being used; primary key. */
  id: string
  /** SHA-256 of the token; unique. */
  digest: Buffer
  user_id: string
  /** Name of the authenticator that let the user in. */
  authenticator: string
  /** Where it was made from. */
  ip: string | null
  user_agent: string | null
  created_at: number
  last_used_at: number
}

/** The tables of those who use the host. */
export interface IdentityTables {
  auth_users: AuthUsersTable
  auth_roles: AuthRolesTable
  auth_keys: AuthKeysTable
  auth_sessions: AuthSessionsTable
}
