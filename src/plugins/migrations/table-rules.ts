import type { Database } from 'better-sqlite3'
import { dbLimits } from '../../base/limits/database.js'
import { isColumnName } from '../../capabilities/db/names.js'
import type { DeclaredColumn } from '../../capabilities/db/table-registry.js'
import type { ColumnType } from '../../capabilities/db/values.js'
import { isOwnIndex } from './token-reader.js'

/** A column as SQLite has it. */
interface ActualColumn {
  readonly name: string
  readonly type: string
  readonly notnull: number
  readonly pk: number
  readonly hidden: number
}

/** Tables of the host whose names look like those of a plugin: `plugin_withdrawn_approvals` is none of `withdrawn`. */
export const hostTables: readonly string[] = [
  'plugin_grants',
  'plugin_migrations',
  'plugin_routes',
  'plugin_storage',
  'plugin_tables',
  'plugin_withdrawn_approvals',
]

/** Columns that `db.insert` and `db.update` fill in every table. */
const required: readonly string[] = ['id', 'created_at', 'updated_at']

/**
 * Makes sure that `db.*` can work with a table as a migration has left it.
 *
 * @param own Names of the plugin's tables, in lower case.
 * @throws Error with what is to be changed.
 */
export function checkTable(
  connection: Database,
  plugin: string,
  table: string,
  own: ReadonlySet<string>,
): void {
  const columns = actualColumns(connection, table)
  if (columns.length > dbLimits.columnsMax) {
    throw new Error(`the table ${table} has ${columns.length} columns; the limit is ${dbLimits.columnsMax}`)
  }
  for (const { name, hidden } of columns) {
    if (!isColumnName(name))
      throw new Error(`the table ${table} has the column "${name}", which db.* cannot name`)
    if (hidden !== 0)
      throw new Error(`the table ${table} has the generated column "${name}"; write its value`)
  }
  checkRequired(table, columns)
  checkKeys(connection, table, own)
  checkIndexes(connection, plugin, table)
}

function checkRequired(table: string, columns: readonly ActualColumn[]): void {
  const missing = required.filter((name) => !columns.some((column) => column.name.toLowerCase() === name))
  if (missing.length > 0) {
    throw new Error(
      `the table ${table} lacks ${missing.join(', ')}; each table has id TEXT PRIMARY KEY NOT NULL, created_at TEXT NOT NULL and updated_at TEXT NOT NULL, which db.* fills in`,
    )
  }
  const keys = columns.filter(({ pk }) => pk > 0)
  const [key] = keys
  const isRight =
    keys.length === 1 &&
    key !== undefined &&
    key.name.toLowerCase() === 'id' &&
    key.type.toUpperCase() === 'TEXT' &&
    key.notnull === 1
  if (!isRight) throw new Error(`the key of the table ${table} must be: id TEXT PRIMARY KEY NOT NULL`)
}

function checkKeys(connection: Database, table: string, own: ReadonlySet<string>): void {
  const keys = connection
    .prepare<[string], { target: string }>('select lower("table") as target from pragma_foreign_key_list(?)')
    .all(table)
  const stranger = keys.find(({ target }) => !own.has(target))
  if (stranger === undefined) return
  throw new Error(
    `a foreign key of the table ${table} refers to ${stranger.target}, which is no table of this plugin`,
  )
}

function checkIndexes(connection: Database, plugin: string, table: string): void {
  const indexes = connection
    .prepare<[string], { name: string; origin: string }>('select name, origin from pragma_index_list(?)')
    .all(table)
  const made = indexes.filter(({ origin }) => origin === 'c')
  if (made.length > dbLimits.indexesMax) {
    throw new Error(`the table ${table} has ${made.length} indexes; the limit is ${dbLimits.indexesMax}`)
  }
  const stranger = made.find(({ name }) => !isOwnIndex(plugin, name.toLowerCase()))
  if (stranger !== undefined) throw new Error(`the index ${stranger.name} has the name of another plugin's`)
}

/** Columns of foreign keys by which no index of the table begins. */
export function unindexedKeys(connection: Database, table: string): readonly string[] {
  return connection
    .prepare<[string, string], { column: string }>(
      `select distinct k."from" as "column" from pragma_foreign_key_list(?) k where k.seq = 0 and not exists
         (select 1 from pragma_index_list(?) l join pragma_index_info(l.name) i
           where i.seqno = 0 and l.partial = 0 and lower(i.name) = lower(k."from"))`,
    )
    .all(table, table)
    .map(({ column }) => column)
}

/**
 * Gives the columns of a table for the registry. Those that were declared before keep their types, of the others the
 * type in SQL tells.
 */
export function typedColumns(
  connection: Database,
  table: string,
  known: readonly DeclaredColumn[],
): readonly DeclaredColumn[] {
  const types = new Map(known.map(({ name, type }) => [name.toLowerCase(), type]))
  return actualColumns(connection, table).flatMap(({ name, type }) => {
    const declared = types.get(name.toLowerCase()) ?? typeOf(name, type)
    return declared === undefined ? [] : [{ name, type: declared }]
  })
}

function actualColumns(connection: Database, table: string): readonly ActualColumn[] {
  return connection
    .prepare<[string], ActualColumn>('select name, type, "notnull", pk, hidden from pragma_table_xinfo(?)')
    .all(table)
}

/** As SQLite reads types, and the words for those that it does not know. */
function typeOf(name: string, type: string): ColumnType | undefined {
  const word = type.toLowerCase()
  if (name.toLowerCase() === 'created_at' || name.toLowerCase() === 'updated_at') return 'timestamp'
  if (word.startsWith('bool')) return 'boolean'
  if (word === 'json') return 'json'
  if (/^(?:timestamp|date)/.test(word)) return 'timestamp'
  if (word.includes('int')) return 'integer'
  if (/char|clob|text/.test(word)) return 'text'
  if (word.includes('blob')) return 'blob'
  return /real|floa|doub/.test(word) ? 'real' : undefined
}
