import type { Selectable } from 'kysely'
import type { AuthKeysTable } from '../database/identity-tables.js'

/** What is used with a key: `key` for the user's own programs, `service` for another service. */
export type KeyKind = 'key' | 'service'

/** A key, without what is used of it. All times are in milliseconds since 1970. */
export interface StoredKey {
  /** The part of the key that is no secret. */
  readonly id: string
  readonly name: string
  readonly kind: KeyKind
  readonly ownerId: string | undefined
  readonly roles: readonly string[]
  readonly permissions: readonly string[]
  readonly tenant: string | undefined
  readonly createdBy: string
  readonly createdAt: number
  readonly expiresAt: number | undefined
  readonly revokedAt: number | undefined
  /** To the minute; undefined when it never was. */
  readonly lastUsedAt: number | undefined
}

export type KeyRow = Selectable<AuthKeysTable>

export function keyFromRow(row: Omit<KeyRow, 'digest'>): StoredKey {
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    ownerId: row.owner_id ?? undefined,
    roles: JSON.parse(row.roles),
    permissions: JSON.parse(row.permissions),
    tenant: row.tenant ?? undefined,
    createdBy: row.created_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
    lastUsedAt: row.last_used_at ?? undefined,
  }
}
