import type { Insertable, Selectable, Updateable } from 'kysely'
import type { AuthUsersTable } from '../database/identity-tables.js'
import type { Identity } from './identity.js'
import { type ExternalIdentity, emailKey, type UserFields, usernameKey } from './user-fields.js'

/** A user as it stands in the database, without the password. All times are in milliseconds since 1970. */
export interface StoredUser {
  /** ULID. */
  readonly id: string
  readonly username: string
  readonly email: string | undefined
  readonly name: string | undefined
  readonly hasPassword: boolean
  /** Differs from an earlier one when all that the user signed in with has ended since. */
  readonly credentialsVersion: number
  readonly roles: readonly string[]
  readonly groups: readonly string[]
  readonly tenant: string | undefined
  readonly claims: Identity['claims']
  readonly disabled: boolean
  readonly external: ExternalIdentity | undefined
  readonly createdAt: number
  readonly updatedAt: number
  /** Undefined when there was none. */
  readonly lastLoginAt: number | undefined
}

type UserRow = Selectable<AuthUsersTable>

export function userFromRow(row: UserRow): StoredUser {
  return {
    id: row.id,
    username: row.username,
    email: row.email ?? undefined,
    name: row.name ?? undefined,
    hasPassword: row.password_hash !== null,
    credentialsVersion: row.credentials_version,
    roles: JSON.parse(row.roles),
    groups: JSON.parse(row.groups),
    tenant: row.tenant ?? undefined,
    claims: JSON.parse(row.claims),
    disabled: row.disabled === 1,
    external:
      row.issuer === null || row.subject === null ? undefined : { issuer: row.issuer, subject: row.subject },
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    lastLoginAt: row.last_login_at ?? undefined,
  }
}

/** Gives the columns of the fields that are there. */
export function userColumns(fields: Partial<UserFields>): Updateable<AuthUsersTable> {
  const { username, email, name, roles, groups, tenant, claims, disabled, external } = fields
  return {
    ...(username === undefined ? {} : { username, username_key: usernameKey(username) }),
    ...(email === undefined ? {} : { email, email_key: email === null ? null : emailKey(email) }),
    ...(name === undefined ? {} : { name }),
    ...(roles === undefined ? {} : { roles: listColumn(roles) }),
    ...(groups === undefined ? {} : { groups: listColumn(groups) }),
    ...(tenant === undefined ? {} : { tenant }),
    ...(claims === undefined ? {} : { claims: JSON.stringify(claims) }),
    ...(disabled === undefined ? {} : { disabled: disabled ? 1 : 0 }),
    ...(external === undefined
      ? {}
      : { issuer: external?.issuer ?? null, subject: external?.subject ?? null }),
  }
}

/** Gives the row of a user that is new. */
export function newUserRow(
  id: string,
  username: string,
  fields: Partial<UserFields>,
  now: number,
): Insertable<AuthUsersTable> {
  return {
    id,
    username,
    username_key: usernameKey(username),
    created_at: now,
    updated_at: now,
    ...userColumns(fields),
  } as Insertable<AuthUsersTable>
}

function listColumn(labels: readonly string[]): string {
  return JSON.stringify([...new Set(labels)])
}
