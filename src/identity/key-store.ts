import { timingSafeEqual } from 'node:crypto'
import type { Selectable, Transaction } from 'kysely'
import { credentialLimits, identityLimits } from '../base/limits/identity.js'
import type { CoreDatabase } from '../database/database.js'
import type { AuthUsersTable } from '../database/identity-tables.js'
import type { PreparedRead } from '../database/prepared-reads.js'
import { scanGuard } from '../database/scan-guard.js'
import type { CoreTables } from '../database/tables.js'
import { apiKeyId, createApiKey, credentialDigest } from './api-key.js'
import { keyInvalid, keyNotFound, keysExhausted, userNotFound } from './errors.js'
import { checkLabels, checkText } from './identity.js'
import { type KeyKind, type KeyRow, keyFromRow, type StoredKey } from './key-row.js'
import { LastUses } from './last-uses.js'
import { keyBefore, makePage, type Page, type PageQuery, pageLimit } from './list-page.js'
import { permissionsProblem } from './role-store.js'
import { type StoredUser, userFromRow } from './user-row.js'

/** What a key is made for; what is missing is nothing. What it may do is checked by `checkGrant` before. */
export interface KeyFields {
  readonly name: string
  /** `key` when missing. */
  readonly kind?: KeyKind | undefined
  /** Id of the user that it goes with: it never does more than they may, and ends with what they sign in with. */
  readonly ownerId?: string | undefined
  readonly roles?: readonly string[] | undefined
  /** Patterns of permissions. */
  readonly permissions?: readonly string[] | undefined
  /** That of the owner when missing. */
  readonly tenant?: string | undefined
  /** Milliseconds since 1970; it never expires when missing. */
  readonly expiresAt?: number | undefined
  /** Who makes it, as logs name them. */
  readonly createdBy: string
}

/** A key that was just made. */
export interface IssuedKey {
  /** The whole key; nobody can give it again. */
  readonly secret: string
  readonly key: StoredKey
}

/** Whose key a text is. */
export type KeyOutcome =
  | {
      readonly kind: 'found'
      readonly key: StoredKey
      /** Undefined for a key that belongs to nobody. */
      readonly owner: StoredUser | undefined
    }
  /** Told only to those who have the whole key. */
  | { readonly kind: 'expired' }
  | { readonly kind: 'revoked' }
  | { readonly kind: 'unknown' }

/** Which keys a list has: those that all of these hold for. */
export interface KeyQuery extends PageQuery {
  readonly ownerId?: string | undefined
  /** Leaves out what was revoked or has expired; false when missing. */
  readonly onlyInForce?: boolean | undefined
}

/** What keys are kept with. */
export interface KeyOptions {
  /** Milliseconds since 1970; `Date.now` when missing. */
  readonly clock?: () => number
  /** Told when it could not be noted that keys were used. */
  readonly onFailure: (error: unknown) => void
}

/** Compared with when there is no key of an id, so that this takes as long. */
const noDigest = Buffer.alloc(32)

/** The API keys in the database. One that was revoked opens nothing from the next request on, also in other hosts. */
export class KeyStore {
  readonly #database: CoreDatabase
  readonly #clock: () => number
  readonly #find: PreparedRead<KeyRow>
  readonly #findOwner: PreparedRead<Selectable<AuthUsersTable>>
  readonly #uses: LastUses
  #statements = Math.floor(Math.random() * 2 ** 48)

  constructor(database: CoreDatabase, { clock = Date.now, onFailure }: KeyOptions) {
    this.#database = database
    this.#clock = clock
    this.#find = database.prepareRead('select * from auth_keys where id = ?')
    this.#findOwner = database.prepareRead('select * from auth_users where id = ? and disabled = 0')
    this.#uses = new LastUses({
      everyMs: credentialLimits.lastUseMs,
      write: (uses) =>
        database.transaction(async (transaction) => {
          for (const [id, usedAt] of uses) await noteUse(transaction, id, usedAt)
        }),
      onFailure,
    })
  }

  /**
   * Makes a key. It is given this once: only its digest is kept.
   *
   * @throws `KEY_INVALID`; `USER_NOT_FOUND` for an owner who is not there or disabled; `KEYS_EXHAUSTED`
   */
  async issue(fields: KeyFields): Promise<IssuedKey> {
    const now = this.#clock()
    checkKeyFields(fields, now)
    const { id, secret } = createApiKey()
    const row: Omit<KeyRow, 'tenant'> = {
      id,
      digest: credentialDigest(secret),
      name: fields.name,
      kind: fields.kind ?? 'key',
      owner_id: fields.ownerId ?? null,
      roles: JSON.stringify([...new Set(fields.roles)]),
      permissions: JSON.stringify([...new Set(fields.permissions)]),
      created_by: fields.createdBy,
      created_at: now,
      expires_at: fields.expiresAt ?? null,
      revoked_at: null,
      last_used_at: null,
    }
    const stored = await this.#database.transaction(async (transaction) => {
      const owner = fields.ownerId === undefined ? undefined : await ownerOf(transaction, fields.ownerId, now)
      const tenant = tenantOf(fields, owner?.tenant ?? undefined)
      return transaction
        .insertInto('auth_keys')
        .values({ ...row, tenant })
        .returningAll()
        .executeTakeFirstOrThrow()
    })
    return { secret, key: keyFromRow(stored) }
  }

  /** Finds out whose key a text is, and notes that it is used. */
  async find(text: string): Promise<KeyOutcome> {
    const id = apiKeyId(text)
    if (id === undefined) return { kind: 'unknown' }
    const row = await this.#find.first(id)
    const isRight = timingSafeEqual(credentialDigest(text), row?.digest ?? noDigest)
    if (row === undefined || !isRight) return { kind: 'unknown' }
    const now = this.#clock()
    if (row.revoked_at !== null) return { kind: 'revoked' }
    if (row.expires_at !== null && now >= row.expires_at) return { kind: 'expired' }
    const owner = row.owner_id === null ? undefined : await this.#findOwner.first(row.owner_id)
    // The owner is disabled, or was deleted between the two reads.
    if (row.owner_id !== null && owner === undefined) return { kind: 'revoked' }
    this.#uses.note(id, row.last_used_at ?? undefined, now)
    return { kind: 'found', key: keyFromRow(row), owner: owner && userFromRow(owner) }
  }

  /** Undefined when there is none of this id. */
  async get(id: string): Promise<StoredKey | undefined> {
    const row = await this.#database.withBusyRetry((kysely) =>
      kysely.selectFrom('auth_keys').selectAll().where('id', '=', id).executeTakeFirst(),
    )
    return row && keyFromRow(row)
  }

  /**
   * Lists keys by their ids, which are random.
   *
   * @throws `ACCOUNT_QUERY_INVALID`; `DATABASE_SCAN_TOO_LONG` for a filter that few of very many keys pass.
   */
  async list(query: KeyQuery = {}): Promise<Page<StoredKey>> {
    const limit = pageLimit(query)
    const after = keyBefore('keys', query)
    const { ownerId, onlyInForce = false } = query
    this.#statements += 1
    const guard = scanGuard('auth_keys', this.#statements)
    const rows = await this.#database.withBusyRetry((kysely) => {
      let select = kysely.selectFrom('auth_keys').selectAll().where(guard)
      if (after !== undefined) select = select.where('id', '>', after)
      if (ownerId !== undefined) select = select.where('owner_id', '=', ownerId)
      if (onlyInForce) {
        const now = this.#clock()
        select = select
          .where('revoked_at', 'is', null)
          .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', now)]))
      }
      return select
        .orderBy('id')
        .limit(limit + 1)
        .execute()
    })
    const page = makePage('keys', rows, limit, (row) => row.id)
    return { ...page, items: page.items.map(keyFromRow) }
  }

  /**
   * Revokes a key, for good. One that was revoked stays as it is.
   *
   * @throws `KEY_NOT_FOUND`
   */
  async revoke(id: string): Promise<StoredKey> {
    const now = this.#clock()
    const row = await this.#database.withBusyRetry((kysely) =>
      kysely
        .updateTable('auth_keys')
        .set((set) => ({ revoked_at: set.fn.coalesce('revoked_at', set.val(now)) }))
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirst(),
    )
    if (row === undefined) throw keyNotFound({ id })
    return keyFromRow(row)
  }

  /** Writes what is still to be noted. */
  close(): Promise<void> {
    return this.#uses.flush()
  }
}

function checkKeyFields(fields: KeyFields, now: number): void {
  const { name, roles = [], permissions = [], tenant, expiresAt, createdBy } = fields
  try {
    checkText('name', name, identityLimits.nameCharactersMax)
    checkText('createdBy', createdBy, identityLimits.nameCharactersMax)
    checkLabels('roles', roles, identityLimits.rolesMax)
    if (tenant !== undefined) checkText('tenant', tenant, identityLimits.labelCharactersMax)
  } catch (error) {
    throw keyInvalid({ problem: error instanceof Error ? error.message : 'a field is malformed' })
  }
  const problem = permissionsProblem(permissions)
  if (problem !== undefined) throw keyInvalid({ problem })
  if (expiresAt === undefined) return
  if (!Number.isSafeInteger(expiresAt)) throw keyInvalid({ problem: 'expiresAt is no time' })
  if (expiresAt <= now) throw keyInvalid({ problem: 'expiresAt is in the past' })
}

/** @throws `KEY_INVALID` for a tenant that the owner does not belong to. */
function tenantOf({ tenant }: KeyFields, ofOwner: string | undefined): string | null {
  if (tenant !== undefined && ofOwner !== undefined && tenant !== ofOwner) {
    throw keyInvalid({ problem: `tenant is ${tenant}, and its owner belongs to ${ofOwner}` })
  }
  return tenant ?? ofOwner ?? null
}

async function ownerOf(
  transaction: Transaction<CoreTables>,
  id: string,
  now: number,
): Promise<{ readonly tenant: string | null }> {
  const owner = await transaction
    .selectFrom('auth_users')
    .select('tenant')
    .where('id', '=', id)
    .where('disabled', '=', 0)
    .executeTakeFirst()
  if (owner === undefined) throw userNotFound({ id })
  const { count } = await transaction
    .selectFrom('auth_keys')
    .select((expression) => expression.fn.countAll<number>().as('count'))
    .where('owner_id', '=', id)
    .where('revoked_at', 'is', null)
    .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', now)]))
    .executeTakeFirstOrThrow()
  const { keysPerUserMax: max } = credentialLimits
  if (count >= max) throw keysExhausted({ max })
  return owner
}

async function noteUse(transaction: Transaction<CoreTables>, id: string, usedAt: number): Promise<void> {
  await transaction
    .updateTable('auth_keys')
    .set({ last_used_at: usedAt })
    .where('id', '=', id)
    // Another host may have noted a later use.
    .where((where) => where.or([where('last_used_at', 'is', null), where('last_used_at', '<', usedAt)]))
    .execute()
}
