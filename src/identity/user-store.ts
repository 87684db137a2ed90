import type { Insertable, Kysely, Selectable, Transaction, Updateable } from 'kysely'
import { sql } from 'kysely'
import { ulid } from 'ulid'
import { accountLimits } from '../base/limits/identity.js'
import type { CoreDatabase } from '../database/database.js'
import type { AuthUsersTable } from '../database/identity-tables.js'
import { scanGuard } from '../database/scan-guard.js'
import type { CoreTables } from '../database/tables.js'
import { endCredentials } from './ended-credentials.js'
import { accountQueryInvalid, userDuplicate, userNotFound } from './errors.js'
import { keyBefore, makePage, type Page, type PageQuery, pageLimit } from './list-page.js'
import { checkUserFields, emailKey, type UserFields, usernameKey } from './user-fields.js'
import { newUserRow, type StoredUser, userColumns, userFromRow } from './user-row.js'

/** A new user: whatever is missing is empty. */
export type NewUser = Pick<UserFields, 'username'> &
  Partial<UserFields> & {
    /** What `PasswordHasher.hash` gave; without one no password lets them in. */
    readonly passwordHash?: string | undefined
  }

/** Which users a list has: those that all of these hold for. */
export interface UserQuery extends PageQuery {
  /** Beginning of the user name or of the address, without case. */
  readonly search?: string | undefined
  readonly role?: string | undefined
  readonly tenant?: string | undefined
  readonly disabled?: boolean | undefined
}

/** Somebody who wants in, and what their password is compared with. */
export interface LoginCandidate {
  readonly user: StoredUser
  /** Undefined when no password lets them in. */
  readonly passwordHash: string | undefined
}

/** The users in the database. */
export class UserStore {
  readonly #database: CoreDatabase
  readonly #clock: () => number
  #statements = Math.floor(Math.random() * 2 ** 48)

  /** @param clock Gives milliseconds since 1970; `Date.now` when missing. */
  constructor(database: CoreDatabase, clock: () => number = Date.now) {
    this.#database = database
    this.#clock = clock
  }

  /** @throws `USER_INVALID`; `USER_DUPLICATE` that names the field. */
  async create({ passwordHash, ...fields }: NewUser): Promise<StoredUser> {
    checkUserFields(fields)
    const now = this.#clock()
    const row: Insertable<AuthUsersTable> = {
      ...newUserRow(ulid(now), fields.username, fields, now),
      password_hash: passwordHash ?? null,
    }
    const created = await naming(() =>
      this.#database.withBusyRetry((kysely) =>
        kysely.insertInto('auth_users').values(row).returningAll().executeTakeFirstOrThrow(),
      ),
    )
    return userFromRow(created)
  }

  /** Undefined when there is none. */
  async get(id: string): Promise<StoredUser | undefined> {
    const row = await this.#database.withBusyRetry((kysely) => userRow(kysely, id))
    return row && userFromRow(row)
  }

  /**
   * Finds who signs in under a name, in any case: with an `@` it is an address, else a user name, which never has one.
   *
   * @returns Also users who are disabled; undefined when there is none.
   */
  async candidate(login: string): Promise<LoginCandidate | undefined> {
    const isAddress = login.includes('@')
    if (login.length > (isAddress ? accountLimits.emailCharactersMax : accountLimits.usernameCharactersMax)) {
      return undefined
    }
    const row = await this.#database.withBusyRetry((kysely) =>
      kysely
        .selectFrom('auth_users')
        .selectAll()
        .where(
          isAddress ? 'email_key' : 'username_key',
          '=',
          isAddress ? emailKey(login) : usernameKey(login),
        )
        .executeTakeFirst(),
    )
    return row && { user: userFromRow(row), passwordHash: row.password_hash ?? undefined }
  }

  /** Finds whom an issuer vouches for; undefined when there is none. Addresses do not count: anybody can claim one. */
  async findExternal(issuer: string, subject: string): Promise<StoredUser | undefined> {
    const row = await this.#database.withBusyRetry((kysely) =>
      kysely
        .selectFrom('auth_users')
        .selectAll()
        .where('issuer', '=', issuer)
        .where('subject', '=', subject)
        .executeTakeFirst(),
    )
    return row && userFromRow(row)
  }

  /**
   * Lists users by their names.
   *
   * @throws `ACCOUNT_QUERY_INVALID`; `DATABASE_SCAN_TOO_LONG` for a filter that few of very many users pass.
   */
  async list(query: UserQuery = {}): Promise<Page<StoredUser>> {
    const limit = pageLimit(query)
    const after = keyBefore('users', query)
    const { search, role, tenant, disabled } = query
    if (search !== undefined && search.length > accountLimits.searchCharactersMax) {
      throw accountQueryInvalid({ problem: `search takes ${accountLimits.searchCharactersMax} characters` })
    }
    this.#statements += 1
    const guard = scanGuard('auth_users', this.#statements)
    const rows = await this.#database.withBusyRetry((kysely) => {
      let select = kysely.selectFrom('auth_users').selectAll().where(guard)
      if (after !== undefined) select = select.where('username_key', '>', after)
      if (search !== undefined) select = select.where(beginsWith(search))
      if (role !== undefined) select = select.where(hasRole(role))
      if (tenant !== undefined) select = select.where('tenant', '=', tenant)
      if (disabled !== undefined) select = select.where('disabled', '=', disabled ? 1 : 0)
      return select
        .orderBy('username_key')
        .limit(limit + 1)
        .execute()
    })
    const page = makePage('users', rows, limit, (row) => row.username_key)
    return { ...page, items: page.items.map(userFromRow) }
  }

  /**
   * Changes what is given; null empties a field, a missing one stays. New roles, groups, tenants and claims count from
   * the next request on. Disabling ends all sessions and keys of the user, for good.
   *
   * @throws `USER_NOT_FOUND`, `USER_INVALID`, `USER_DUPLICATE`
   */
  async update(id: string, changes: Partial<UserFields>): Promise<StoredUser> {
    checkUserFields(changes)
    return naming(() =>
      this.#database.transaction(async (transaction) => {
        const row = await this.#change(transaction, id, userColumns(changes))
        if (changes.disabled !== true) return userFromRow(row)
        return userFromRow(await endCredentials(transaction, id, this.#clock()))
      }),
    )
  }

  /**
   * Sets or takes away the password. Ends all sessions and keys of the user: whoever knew the old one is out.
   *
   * @param passwordHash What `PasswordHasher.hash` gave; undefined to let no password in.
   * @throws `USER_NOT_FOUND`
   */
  async setPassword(id: string, passwordHash: string | undefined): Promise<StoredUser> {
    return this.#database.transaction(async (transaction) => {
      await this.#change(transaction, id, { password_hash: passwordHash ?? null })
      return userFromRow(await endCredentials(transaction, id, this.#clock()))
    })
  }

  /**
   * Sets the password of somebody who has just proved the old one. Ends all sessions and keys as `setPassword` does.
   *
   * @param user As they were when the old one was checked.
   * @returns Undefined when the user was deleted or disabled, or got another password, since then: what somebody else
   *   has set meanwhile stays.
   */
  async changePassword(
    { id, credentialsVersion }: Pick<StoredUser, 'id' | 'credentialsVersion'>,
    passwordHash: string,
  ): Promise<StoredUser | undefined> {
    return this.#database.transaction(async (transaction) => {
      const { numUpdatedRows } = await transaction
        .updateTable('auth_users')
        .set({ password_hash: passwordHash, updated_at: this.#clock() })
        .where('id', '=', id)
        .where('credentials_version', '=', credentialsVersion)
        .where('disabled', '=', 0)
        .executeTakeFirstOrThrow()
      if (numUpdatedRows === 0n) return undefined
      return userFromRow(await endCredentials(transaction, id, this.#clock()))
    })
  }

  /** Stores another hash of the same password; does nothing when the password is another by now. */
  async renewPasswordHash(id: string, oldHash: string, newHash: string): Promise<void> {
    await this.#database.withBusyRetry((kysely) =>
      kysely
        .updateTable('auth_users')
        .set({ password_hash: newHash })
        .where('id', '=', id)
        .where('password_hash', '=', oldHash)
        .execute(),
    )
  }

  /** Ends all sessions and keys of a user. @throws `USER_NOT_FOUND` */
  async endCredentials(id: string): Promise<void> {
    await this.#database.transaction((transaction) => endCredentials(transaction, id, this.#clock()))
  }

  /** Notes that somebody has signed in. */
  async noteLogin(id: string): Promise<void> {
    await this.#database.withBusyRetry((kysely) =>
      kysely.updateTable('auth_users').set({ last_login_at: this.#clock() }).where('id', '=', id).execute(),
    )
  }

  /** Deletes a user with all sessions and keys; false when there is none. */
  async delete(id: string): Promise<boolean> {
    const { numDeletedRows } = await this.#database.withBusyRetry((kysely) =>
      kysely.deleteFrom('auth_users').where('id', '=', id).executeTakeFirstOrThrow(),
    )
    return numDeletedRows > 0n
  }

  async #change(
    transaction: Transaction<CoreTables>,
    id: string,
    columns: Updateable<AuthUsersTable>,
  ): Promise<Selectable<AuthUsersTable>> {
    const row = await transaction
      .updateTable('auth_users')
      .set({ ...columns, updated_at: this.#clock() })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirst()
    if (row === undefined) throw userNotFound({ id })
    return row
  }
}

function userRow(reader: Kysely<CoreTables>, id: string): Promise<Selectable<AuthUsersTable> | undefined> {
  return reader.selectFrom('auth_users').selectAll().where('id', '=', id).executeTakeFirst()
}

function beginsWith(search: string) {
  const name = usernameKey(search)
  const email = emailKey(search)
  return sql<boolean>`(substr(username_key, 1, length(${name})) = ${name} or substr(email_key, 1, length(${email})) = ${email})`
}

function hasRole(role: string) {
  return sql<boolean>`exists (select 1 from json_each(auth_users.roles) where value = ${role})`
}

/** Two hosts may have stored the same name since it was looked for, so that only the database can tell. */
async function naming<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'SQLITE_CONSTRAINT_UNIQUE')) throw error
    throw userDuplicate({ field: duplicateField(error.message) }, { cause: error })
  }
}

function duplicateField(message: string): string {
  if (message.includes('username_key')) return 'username'
  return message.includes('email_key') ? 'email address' : 'external identity'
}
