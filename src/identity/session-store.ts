import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Selectable, Transaction } from 'kysely'
import { ulid } from 'ulid'
import { credentialLimits } from '../base/limits/identity.js'
import type { CoreDatabase } from '../database/database.js'
import type { AuthSessionsTable, AuthUsersTable } from '../database/identity-tables.js'
import type { PreparedRead } from '../database/prepared-reads.js'
import type { CoreTables } from '../database/tables.js'
import { credentialDigest } from './api-key.js'
import { LastUses } from './last-uses.js'
import { createSessionToken, isSessionToken } from './session-token.js'
import { type StoredUser, userFromRow } from './user-row.js'

/** How long sessions live. */
export interface SessionOptions {
  /** Time without use after which a session ends. */
  readonly ttlMs: number
  /** Time after which a session ends however much it is used. */
  readonly maxAgeMs: number
  /** Sessions of one user; `credentialLimits.sessionsPerUserMax` when missing. */
  readonly perUserMax?: number
  /** Milliseconds since 1970; `Date.now` when missing. */
  readonly clock?: () => number
  /** Told when it could not be noted that sessions were used; they may end earlier for that. */
  readonly onFailure: (error: unknown) => void
}

/** A session, without what it is used with. All times are in milliseconds since 1970. */
export interface StoredSession {
  /** ULID; names the session and opens nothing. */
  readonly id: string
  readonly userId: string
  /** Name of the authenticator that let the user in. */
  readonly authenticator: string
  readonly ip: string | undefined
  readonly userAgent: string | undefined
  readonly createdAt: number
  /** To the minute. */
  readonly lastUsedAt: number
  /** When it ends unless it is used before. */
  readonly expiresAt: number
}

/** Who is let in, and from where. */
export interface NewSession {
  /** As it was when the credential was checked: what has ended since lets nobody in. */
  readonly user: Pick<StoredUser, 'id' | 'credentialsVersion'>
  readonly authenticator: string
  readonly ip?: string | undefined
  readonly userAgent?: string | undefined
  /** The token that the request came with; its session ends, so that nobody who planted it is let in too. */
  readonly replaces?: string | undefined
}

/** A session that was just made. */
export interface OpenedSession {
  /** For the browser and nobody else. */
  readonly token: string
  readonly session: StoredSession
}

/** Whose session a token is. */
export type SessionOutcome =
  | { readonly kind: 'found'; readonly session: StoredSession; readonly user: StoredUser }
  | { readonly kind: 'expired' }
  /** Made up, ended, or of a user who is not let in. */
  | { readonly kind: 'unknown' }

type SessionRow = Selectable<AuthSessionsTable>
type FoundRow = Selectable<AuthUsersTable> & {
  session_id: string
  authenticator: string
  ip: string | null
  user_agent: string | null
  session_created_at: number
  last_used_at: number
}

/** Notes of a use within one life of a session, so that it does not end while it is used. */
const notesPerTtl = 8

/** The sessions in the database. What has ended is not let in with the next request, also when another host ended it. */
export class SessionStore {
  readonly #database: CoreDatabase
  readonly #ttlMs: number
  readonly #maxAgeMs: number
  readonly #perUserMax: number
  readonly #clock: () => number
  readonly #find: PreparedRead<FoundRow>
  readonly #uses: LastUses

  constructor(database: CoreDatabase, options: SessionOptions) {
    const { ttlMs, maxAgeMs, perUserMax, clock, onFailure } = options
    this.#database = database
    this.#ttlMs = ttlMs
    this.#maxAgeMs = maxAgeMs
    this.#perUserMax = perUserMax ?? credentialLimits.sessionsPerUserMax
    this.#clock = clock ?? Date.now
    this.#find = database.prepareRead(
      `select auth_users.*, auth_sessions.id as session_id, authenticator, ip, user_agent,
        auth_sessions.created_at as session_created_at, last_used_at
      from auth_sessions join auth_users on auth_users.id = user_id
      where digest = ? and disabled = 0`,
    )
    this.#uses = new LastUses({
      everyMs: Math.min(credentialLimits.lastUseMs, ttlMs / notesPerTtl),
      write: (uses) =>
        database.transaction(async (transaction) => {
          for (const [id, usedAt] of uses) await noteUse(transaction, id, usedAt)
        }),
      onFailure,
    })
  }

  /**
   * Lets somebody in.
   *
   * @returns Undefined when the user was deleted or disabled, or got another password, since the credential was checked.
   */
  async open(fields: NewSession): Promise<OpenedSession | undefined> {
    const now = this.#clock()
    const token = createSessionToken()
    const row: SessionRow = {
      id: ulid(now),
      digest: credentialDigest(token),
      user_id: fields.user.id,
      authenticator: fields.authenticator,
      ip: fields.ip !== undefined && fields.ip.length <= credentialLimits.ipCharactersMax ? fields.ip : null,
      user_agent: fields.userAgent?.slice(0, credentialLimits.userAgentCharactersMax) ?? null,
      created_at: now,
      last_used_at: now,
    }
    const { replaces } = fields
    const isOpen = await this.#database.transaction(async (transaction) => {
      if (replaces !== undefined) await deleteToken(transaction, replaces)
      if (!(await isLetIn(transaction, fields.user))) return false
      await this.#makeRoom(transaction, fields.user.id)
      await transaction.insertInto('auth_sessions').values(row).execute()
      return true
    })
    return isOpen ? { token, session: this.#fromRow(row) } : undefined
  }

  /** Finds out whose session a token is, and notes that it is used. */
  async find(token: string): Promise<SessionOutcome> {
    const row = isSessionToken(token) ? await this.#find.first(credentialDigest(token)) : undefined
    if (row === undefined) return { kind: 'unknown' }
    const now = this.#clock()
    const session = this.#fromRow({
      ...row,
      id: row.session_id,
      user_id: row.id,
      created_at: row.session_created_at,
    })
    if (now >= session.expiresAt) return { kind: 'expired' }
    this.#uses.note(session.id, session.lastUsedAt, now)
    return { kind: 'found', session, user: userFromRow(row) }
  }

  /** Gives a session that lives another token, e.g. when its user may do more; undefined when it does not live. */
  async rotate(token: string): Promise<string | undefined> {
    const found = await this.find(token)
    if (found.kind !== 'found') return undefined
    const next = createSessionToken()
    const { numUpdatedRows } = await this.#database.withBusyRetry((kysely) =>
      kysely
        .updateTable('auth_sessions')
        .set({ digest: credentialDigest(next) })
        .where('digest', '=', credentialDigest(token))
        .executeTakeFirstOrThrow(),
    )
    return numUpdatedRows > 0n ? next : undefined
  }

  /** The sessions of a user that live, the one that was used last first. */
  async list(userId: string): Promise<readonly StoredSession[]> {
    const rows = await this.#database.withBusyRetry((kysely) =>
      kysely
        .selectFrom('auth_sessions')
        .selectAll()
        .where('user_id', '=', userId)
        .orderBy('last_used_at', 'desc')
        .execute(),
    )
    const now = this.#clock()
    return rows.map((row) => this.#fromRow(row)).filter(({ expiresAt }) => now < expiresAt)
  }

  /** Ends the session of a token; does nothing when there is none. */
  async end(token: string): Promise<void> {
    await this.#database.withBusyRetry((kysely) => deleteToken(kysely, token))
  }

  /** Ends one session of a user; false when they have none of this id. */
  async endOne(userId: string, id: string): Promise<boolean> {
    const { numDeletedRows } = await this.#database.withBusyRetry((kysely) =>
      kysely
        .deleteFrom('auth_sessions')
        .where('id', '=', id)
        .where('user_id', '=', userId)
        .executeTakeFirstOrThrow(),
    )
    return numDeletedRows > 0n
  }

  /**
   * Ends the sessions of a user; their keys stay.
   *
   * @param exceptId A session that stays.
   * @returns How many ended.
   */
  async endAll(userId: string, exceptId?: string): Promise<number> {
    const { numDeletedRows } = await this.#database.withBusyRetry((kysely) => {
      const all = kysely.deleteFrom('auth_sessions').where('user_id', '=', userId)
      return (exceptId === undefined ? all : all.where('id', '!=', exceptId)).executeTakeFirstOrThrow()
    })
    return Number(numDeletedRows)
  }

  /**
   * Deletes sessions that have ended, a slice at a time, so that nobody waits long for the database.
   *
   * @returns How many were deleted.
   */
  async sweep(): Promise<number> {
    const now = this.#clock()
    return (
      (await this.#sweepBy('last_used_at', now - this.#ttlMs)) +
      (await this.#sweepBy('created_at', now - this.#maxAgeMs))
    )
  }

  /** Writes what is still to be noted. */
  close(): Promise<void> {
    return this.#uses.flush()
  }

  async #sweepBy(column: 'last_used_at' | 'created_at', until: number): Promise<number> {
    const { sweepMax } = credentialLimits
    for (let swept = 0; ; ) {
      const { numDeletedRows } = await this.#database.withBusyRetry((kysely) => {
        const ended = kysely
          .selectFrom('auth_sessions')
          .select('id')
          .where(column, '<=', until)
          .limit(sweepMax)
        return kysely.deleteFrom('auth_sessions').where('id', 'in', ended).executeTakeFirstOrThrow()
      })
      swept += Number(numDeletedRows)
      if (numDeletedRows < sweepMax) return swept
      await nextTurn()
    }
  }

  async #makeRoom(transaction: Transaction<CoreTables>, userId: string): Promise<void> {
    const kept = transaction
      .selectFrom('auth_sessions')
      .select('id')
      .where('user_id', '=', userId)
      .orderBy('last_used_at', 'desc')
      .orderBy('id', 'desc')
      .limit(this.#perUserMax - 1)
    await transaction
      .deleteFrom('auth_sessions')
      .where('user_id', '=', userId)
      .where('id', 'not in', kept)
      .execute()
  }

  #fromRow(row: Omit<SessionRow, 'digest'>): StoredSession {
    return {
      id: row.id,
      userId: row.user_id,
      authenticator: row.authenticator,
      ip: row.ip ?? undefined,
      userAgent: row.user_agent ?? undefined,
      createdAt: row.created_at,
      lastUsedAt: row.last_used_at,
      expiresAt: Math.min(row.last_used_at + this.#ttlMs, row.created_at + this.#maxAgeMs),
    }
  }
}

async function deleteToken(
  writer: Transaction<CoreTables> | CoreDatabase['kysely'],
  token: string,
): Promise<void> {
  if (!isSessionToken(token)) return
  await writer.deleteFrom('auth_sessions').where('digest', '=', credentialDigest(token)).execute()
}

async function isLetIn(transaction: Transaction<CoreTables>, user: NewSession['user']): Promise<boolean> {
  const row = await transaction
    .selectFrom('auth_users')
    .select('id')
    .where('id', '=', user.id)
    .where('credentials_version', '=', user.credentialsVersion)
    .where('disabled', '=', 0)
    .executeTakeFirst()
  return row !== undefined
}

async function noteUse(transaction: Transaction<CoreTables>, id: string, usedAt: number): Promise<void> {
  await transaction
    .updateTable('auth_sessions')
    .set({ last_used_at: usedAt })
    .where('id', '=', id)
    // Another host may have noted a later use.
    .where('last_used_at', '<', usedAt)
    .execute()
}
