import { type Kysely, type Selectable, sql } from 'kysely'
import { accountLimits, identityLimits } from '../base/limits/identity.js'
import type { CoreDatabase } from '../database/database.js'
import type { AuthRolesTable } from '../database/identity-tables.js'
import type { PreparedRead } from '../database/prepared-reads.js'
import type { CoreTables } from '../database/tables.js'
import { roleDuplicate, roleFixed, roleInUse, roleInvalid, roleNotFound, rolesExhausted } from './errors.js'
import { checkText } from './identity.js'
import { isPermissionPattern, type PermissionSet } from './permissions.js'
import { builtInPatterns, builtInRoles, permissionsOf, type RolePermissions } from './roles.js'

/** Where a role is defined. */
export type RoleSource = 'built-in' | 'configuration' | 'database'

/** A role and what it permits. */
export interface Role {
  readonly name: string
  /** Empty where nobody has written one. */
  readonly description: string
  /** Patterns, as `PermissionSet.of` takes them. */
  readonly permissions: readonly string[]
  readonly source: RoleSource
  /** True for a role of the database that counts for nothing, as the configuration has one of its name. */
  readonly isShadowed: boolean
  /** Milliseconds since 1970; undefined outside the database. */
  readonly updatedAt: number | undefined
}

/** What an admin says about a role. */
export interface RoleFields {
  readonly permissions: readonly string[]
  readonly description: string
}

const nameShape = /^[A-Za-z0-9][\w.:-]*$/

/** The roles of the host: those that every host has, those of the configuration, and those in the database. */
export class RoleStore {
  readonly #database: CoreDatabase
  readonly #configured: RolePermissions
  readonly #clock: () => number
  readonly #definitions: PreparedRead<{ readonly found: string }>

  /**
   * @param configured Roles of the configuration; they come before those of the database.
   * @param clock Gives milliseconds since 1970; `Date.now` when missing.
   */
  constructor(database: CoreDatabase, configured: RolePermissions = new Map(), clock = Date.now) {
    this.#database = database
    this.#configured = configured
    this.#clock = clock
    this.#definitions = database.prepareRead(
      `select json_group_object(name, json(permissions)) as found from auth_roles
      where name in (select value from json_each(?))`,
    )
  }

  /** Gives what somebody with these roles may do at this moment; roles that nobody has defined permit nothing. */
  async permissionsOf(roles: Iterable<string>): Promise<PermissionSet> {
    const all = [...roles]
    return permissionsOf(all, await this.definitions(all))
  }

  /** Gives what roles permit; those that are built in or that nobody has defined are left out. */
  async definitions(roles: Iterable<string>): Promise<RolePermissions> {
    const defined = new Map<string, readonly string[]>()
    const others: string[] = []
    for (const role of new Set(roles)) {
      if (builtInPatterns(role) !== undefined) continue
      const configured = this.#configured.get(role)
      if (configured === undefined) others.push(role)
      else defined.set(role, configured)
    }
    if (others.length === 0) return defined
    const row = await this.#definitions.first(JSON.stringify(others))
    const stored: Readonly<Record<string, readonly string[]>> = JSON.parse(row?.found ?? '{}')
    for (const [role, permissions] of Object.entries(stored)) defined.set(role, permissions)
    return defined
  }

  /** All roles by their names: those that are built in, those of the configuration, those of the database. */
  async list(): Promise<readonly Role[]> {
    const rows = await this.#database.withBusyRetry((kysely) =>
      kysely.selectFrom('auth_roles').selectAll().orderBy('name').execute(),
    )
    return [
      ...Object.entries(builtInRoles).map(([name, permissions]) => fixedRole(name, permissions, 'built-in')),
      ...[...this.#configured].map(([name, permissions]) => fixedRole(name, permissions, 'configuration')),
      ...rows.map((row) => this.#fromRow(row)),
    ]
  }

  /** Undefined when nobody has defined it. */
  async get(name: string): Promise<Role | undefined> {
    const source = this.#fixedSource(name)
    if (source !== undefined) {
      return fixedRole(name, builtInPatterns(name) ?? this.#configured.get(name) ?? [], source)
    }
    const row = await this.#database.withBusyRetry((kysely) =>
      kysely.selectFrom('auth_roles').selectAll().where('name', '=', name).executeTakeFirst(),
    )
    return row && this.#fromRow(row)
  }

  /** @throws `ROLE_INVALID`, `ROLE_DUPLICATE`, `ROLES_EXHAUSTED` */
  async create(name: string, fields: Pick<RoleFields, 'permissions'> & Partial<RoleFields>): Promise<Role> {
    checkName(name)
    checkFields(fields)
    // A name that differs from a built-in one by its case would be taken for it.
    const source = this.#fixedSource(name) ?? this.#fixedSource(name.toLowerCase())
    if (source !== undefined) throw roleDuplicate({ name, source })
    const now = this.#clock()
    const row = await this.#database.transaction(async (transaction) => {
      const { count } = await transaction
        .selectFrom('auth_roles')
        .select((expression) => expression.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow()
      if (count >= accountLimits.rolesMax) throw rolesExhausted({ max: accountLimits.rolesMax })
      return transaction
        .insertInto('auth_roles')
        .values({
          name,
          description: fields.description ?? '',
          permissions: JSON.stringify([...new Set(fields.permissions)]),
          created_at: now,
          updated_at: now,
        })
        .onConflict((conflict) => conflict.column('name').doNothing())
        .returningAll()
        .executeTakeFirst()
    })
    if (row === undefined) throw roleDuplicate({ name, source: 'database' })
    return this.#fromRow(row)
  }

  /**
   * Changes what is given; what is missing stays. Counts from the next request on.
   *
   * @throws `ROLE_INVALID`, `ROLE_FIXED`, `ROLE_NOT_FOUND`
   */
  async update(name: string, changes: Partial<RoleFields>): Promise<Role> {
    checkFields(changes)
    this.#refuseFixed(name)
    const { permissions, description } = changes
    const row = await this.#database.withBusyRetry((kysely) =>
      kysely
        .updateTable('auth_roles')
        .set({
          ...(permissions === undefined ? {} : { permissions: JSON.stringify([...new Set(permissions)]) }),
          ...(description === undefined ? {} : { description }),
          updated_at: this.#clock(),
        })
        .where('name', '=', name)
        .returningAll()
        .executeTakeFirst(),
    )
    if (row === undefined) throw roleNotFound({ name })
    return this.#fromRow(row)
  }

  /**
   * Deletes a role of the database that nobody has. One that the configuration shadows goes also when it is in use: its
   * holders have the configuration's.
   *
   * @throws `ROLE_FIXED`, `ROLE_NOT_FOUND`; `ROLE_IN_USE` that says by whom.
   */
  async delete(name: string): Promise<void> {
    if (builtInPatterns(name) !== undefined) throw roleFixed({ name, source: 'built-in' })
    const isShadowed = this.#configured.has(name)
    await this.#database.transaction(async (transaction) => {
      const holders = isShadowed ? undefined : await namesOfHolders(transaction, name)
      const { numDeletedRows } = await transaction
        .deleteFrom('auth_roles')
        .where('name', '=', name)
        .executeTakeFirstOrThrow()
      if (numDeletedRows === 0n) {
        throw isShadowed ? roleFixed({ name, source: 'configuration' }) : roleNotFound({ name })
      }
      // Thrown behind the deletion, which it takes back, so that an unknown name says so.
      if (holders !== undefined) throw roleInUse({ name, holders })
    })
  }

  #fixedSource(name: string): RoleSource | undefined {
    if (builtInPatterns(name) !== undefined) return 'built-in'
    return this.#configured.has(name) ? 'configuration' : undefined
  }

  #refuseFixed(name: string): void {
    const source = this.#fixedSource(name)
    if (source !== undefined) throw roleFixed({ name, source })
  }

  #fromRow(row: Selectable<AuthRolesTable>): Role {
    return {
      name: row.name,
      description: row.description,
      permissions: JSON.parse(row.permissions),
      source: 'database',
      isShadowed: this.#fixedSource(row.name) !== undefined,
      updatedAt: row.updated_at,
    }
  }
}

function fixedRole(name: string, permissions: readonly string[], source: RoleSource): Role {
  return { name, description: '', permissions, source, isShadowed: false, updatedAt: undefined }
}

function checkName(name: string): void {
  const max = identityLimits.labelCharactersMax
  if (name.length <= max && nameShape.test(name)) return
  throw roleInvalid({ problem: `name takes 1 to ${max} letters, digits, "_", ".", ":" and "-"` })
}

function checkFields({ permissions, description }: Partial<RoleFields>): void {
  if (permissions !== undefined) {
    const problem = permissionsProblem(permissions)
    if (problem !== undefined) throw roleInvalid({ problem })
  }
  if (description === undefined || description === '') return
  try {
    checkText('description', description, accountLimits.descriptionCharactersMax)
  } catch (error) {
    throw roleInvalid({ problem: error instanceof Error ? error.message : 'description is malformed' })
  }
}

/** Says what is wrong with patterns of permissions; undefined when each of them permits something. */
export function permissionsProblem(permissions: readonly string[]): string | undefined {
  const { permissionsMax } = accountLimits
  if (permissions.length > permissionsMax) {
    return `permissions has ${permissions.length} members; the limit is ${permissionsMax}`
  }
  const unknown = permissions.find((pattern) => !isPermissionPattern(pattern))
  if (unknown === undefined) return undefined
  return `permissions has ${JSON.stringify(unknown.slice(0, 64))}, which permits nothing; use one such as content:read, content:*, *:read or *`
}

/** Names some of those who have a role; undefined when nobody does. */
async function namesOfHolders(reader: Kysely<CoreTables>, role: string): Promise<string | undefined> {
  const max = accountLimits.holdersNamedMax
  const users = await reader
    .selectFrom('auth_users')
    .select((expression) => ['username', expression.fn.countAll<number>().over().as('count')])
    .where(sql<boolean>`exists (select 1 from json_each(auth_users.roles) where value = ${role})`)
    .limit(max)
    .execute()
  const keys = await reader
    .selectFrom('auth_keys')
    .select((expression) => ['id', expression.fn.countAll<number>().over().as('count')])
    .where('revoked_at', 'is', null)
    .where(sql<boolean>`exists (select 1 from json_each(auth_keys.roles) where value = ${role})`)
    .limit(max)
    .execute()
  const all = (users[0]?.count ?? 0) + (keys[0]?.count ?? 0)
  if (all === 0) return undefined
  const named = [...users.map(({ username }) => `user ${username}`), ...keys.map(({ id }) => `key ${id}`)]
  const shown = named.slice(0, max)
  return all > shown.length ? `${shown.join(', ')} and ${all - shown.length} more` : shown.join(', ')
}
