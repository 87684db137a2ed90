import type { RawBuilder } from 'kysely'
import { dbLimits } from '../../base/limits/database.js'
import { LuaRaise, type LuaValue } from '../../sandbox/lua-value.js'
import type { DbUse } from './execute.js'
import { DbFailure } from './failure.js'
import { timestampOf } from './ids.js'
import { ensureIndex } from './indexes.js'
import { excerpt, physicalName, requireTableName } from './names.js'
import type { DbSession } from './session.js'
import { translateError } from './sql-errors.js'
import { createTable, type ResolvedForeignKey, storageTriggers } from './table-ddl.js'
import { type ForeignKeyDefinition, parseTableDefinition, type TableDefinition } from './table-definition.js'
import { actualColumns, declaredColumns, ownerKey } from './table-registry.js'
import { currentTransaction } from './transaction.js'

/**
 * Claims a table for the plugin and creates it with its indexes, or compares it with the one that is there.
 *
 * @throws LuaRaise for every failure: a plugin without its tables must not start.
 */
export function defineTable({ session, call }: DbUse, name: string, given: LuaValue): void {
  const { plugin } = call.owner
  requireTableName(plugin, name)
  const definition = parseTableDefinition(given)
  try {
    if (currentTransaction(session, call) !== undefined) {
      throw new LuaRaise('define_table cannot be used inside a transaction; define tables in on_init')
    }
    const drift = inWriteTransaction(session, () => {
      const physical = physicalName(plugin, name)
      const isNew = claim(session, plugin, name, physical, definition)
      session
        .host(
          `insert into plugin_storage (plugin_name, quota_bytes) values (?, ?)
           on conflict (plugin_name) do update set quota_bytes = excluded.quota_bytes`,
        )
        .run(plugin, call.limits.storageBytesMax)
      if (isNew) create(session, plugin, physical, definition)
      return isNew ? [] : compare(session, physical, definition)
    })
    session.owners.get(ownerKey(call.owner))?.delete(name)
    for (const difference of drift) {
      call.report('schema_drift', { table: physicalName(plugin, name), ...difference })
    }
  } catch (error) {
    const failure = translateError(session, plugin, error)
    throw failure instanceof DbFailure ? new LuaRaise(`define_table: ${failure.message}`) : failure
  }
}

function inWriteTransaction<Result>(session: DbSession, body: () => Result): Result {
  session.host('begin immediate').run()
  try {
    const result = body()
    session.host('commit').run()
    return result
  } finally {
    if (session.connection.inTransaction) session.host('rollback').run()
  }
}

/** Gives true when the table has to be created. */
function claim(
  session: DbSession,
  plugin: string,
  name: string,
  physical: string,
  definition: TableDefinition,
): boolean {
  const actual = new Set(actualColumns(session, physical).map((column) => column.toLowerCase()))
  const exists = actual.size > 0
  const row = session
    .host('select plugin_name, columns from plugin_tables where table_name = ?')
    .get(physical) as { plugin_name: string; columns: string } | undefined
  if (row !== undefined && row.plugin_name !== plugin) {
    throw new LuaRaise(
      `define_table: the name "${physical}" belongs to a table of another plugin; choose another name than "${name}"`,
    )
  }
  if (row === undefined && exists) {
    throw new LuaRaise(
      `define_table: the database has a table "${physical}" that no plugin defined; choose another name than "${name}"`,
    )
  }
  const columns = definition.columns.map(({ name: column, type }) => ({ name: column, type }))
  if (row === undefined) {
    checkTableCount(session, plugin)
    session
      .host('insert into plugin_tables (table_name, plugin_name, columns, created_at) values (?, ?, ?, ?)')
      .run(physical, plugin, JSON.stringify(columns), timestampOf())
    return true
  }
  // Types of columns that were declared before stay as the table was made; only those are added that the table has
  // got since, so that definitions which change forever do not fill the registry, which no quota bounds.
  const known = exists ? declaredColumns(row.columns) : []
  const names = new Set(known.map((column) => column.name.toLowerCase()))
  const added = columns.filter(({ name: column }) => !exists || actual.has(column.toLowerCase()))
  const merged = [...known, ...added.filter((column) => !names.has(column.name.toLowerCase()))]
  session
    .host('update plugin_tables set columns = ? where table_name = ? and columns <> ?')
    .run(JSON.stringify(merged), physical, JSON.stringify(merged))
  return !exists
}

function checkTableCount(session: DbSession, plugin: string): void {
  const { count } = session
    .host('select count(*) as count from plugin_tables where plugin_name = ?')
    .get(plugin) as { count: number }
  if (count < dbLimits.tablesMax) return
  throw new LuaRaise(
    `define_table: too many tables (${count}; the limit is ${dbLimits.tablesMax} for one plugin)`,
  )
}

function create(session: DbSession, plugin: string, physical: string, definition: TableDefinition): void {
  const foreignKeys = definition.foreignKeys.map((key) => resolve(session, plugin, physical, definition, key))
  const names = definition.columns.map(({ name }) => name)
  execute(session, createTable(physical, definition, foreignKeys))
  for (const trigger of storageTriggers(physical, plugin, names)) execute(session, trigger)
  addIndexes(session, physical, definition)
}

/** A delete in the other table looks for rows that refer to it, so the column of each foreign key is indexed. */
function addIndexes(session: DbSession, physical: string, definition: TableDefinition): void {
  for (const { columns, unique } of definition.indexes) ensureIndex(session, physical, columns, unique)
  const leading = new Set(definition.indexes.map(({ columns: [first] }) => first))
  for (const { column } of definition.foreignKeys) {
    if (leading.has(column)) continue
    leading.add(column)
    ensureIndex(session, physical, [column], false)
  }
}

function execute(session: DbSession, statement: RawBuilder<unknown>): void {
  session.connection.exec(statement.compile(session.compiler).sql)
}

/** Foreign keys stay inside the plugin: the registry decides, not the prefix. */
function resolve(
  session: DbSession,
  plugin: string,
  physical: string,
  definition: TableDefinition,
  key: ForeignKeyDefinition,
): ResolvedForeignKey {
  const target = key.table.startsWith('plugin_') ? key.table : physicalName(plugin, key.table)
  const columns =
    target.toLowerCase() === physical.toLowerCase() ? definition.columns : owned(session, plugin, target)
  if (columns === undefined) {
    throw new LuaRaise(
      `define_table: foreign_key refers to "${excerpt(key.table)}", which is no table of this plugin (namespace isolation); define it first and use its name or "${physicalName(plugin, '<table>')}"`,
    )
  }
  if (!columns.some(({ name }) => name.toLowerCase() === key.refColumn.toLowerCase())) {
    throw new LuaRaise(
      `define_table: foreign_key refers to "${key.table}.${key.refColumn}", which does not exist`,
    )
  }
  return { ...key, physical: target }
}

function owned(
  session: DbSession,
  plugin: string,
  physical: string,
): readonly { readonly name: string }[] | undefined {
  const row = session
    .host('select columns from plugin_tables where table_name = ? and plugin_name = ?')
    .get(physical, plugin) as { columns: string } | undefined
  return row === undefined ? undefined : declaredColumns(row.columns)
}

/** A column that the definition and the table do not share. */
interface Difference {
  readonly kind: 'missing' | 'extra'
  readonly column: string
}

/** Adds indexes that are new, and lists the columns by which the table differs; it is never altered. */
function compare(session: DbSession, physical: string, definition: TableDefinition): readonly Difference[] {
  const actual = actualColumns(session, physical)
  const actualNames = new Set(actual.map((name) => name.toLowerCase()))
  const wanted = new Set(definition.columns.map(({ name }) => name.toLowerCase()))
  for (const { columns, unique } of definition.indexes) {
    if (columns.every((name) => actualNames.has(name.toLowerCase()))) {
      ensureIndex(session, physical, columns, unique)
    }
  }
  return [
    ...definition.columns
      .filter(({ name }) => !actualNames.has(name.toLowerCase()))
      .map(({ name }): Difference => ({ kind: 'missing', column: name })),
    ...actual
      .filter((name) => !wanted.has(name.toLowerCase()))
      .map((name): Difference => ({ kind: 'extra', column: name })),
  ]
}
