import type { VmOwner } from '../../sandbox/host-function.js'
import { DbFailure } from './failure.js'
import { excerpt, invalidTableName, isTableName, physicalName } from './names.js'
import type { DbSession } from './session.js'
import type { TableInfo } from './table-info.js'
import { type ColumnType, columnTypes } from './values.js'

/**
 * Finds a table of this plugin. What is found is remembered for the generation; what is not found is looked up
 * again each time.
 *
 * @throws DbFailure when the name is invalid, or no such table belongs to the plugin. Tables of others do not exist
 * for it.
 */
export function requireTable(session: DbSession, owner: VmOwner, short: string): TableInfo {
  const key = ownerKey(owner)
  let tables = session.owners.get(key)
  const known = tables?.get(short)
  if (known !== undefined) return known
  if (!isTableName(owner.plugin, short)) throw new DbFailure(invalidTableName(owner.plugin, short))
  const found = loadTable(session, owner.plugin, short)
  if (found === undefined) {
    throw new DbFailure(`no such table: ${excerpt(short)}; db.define_table creates it, usually in on_init`)
  }
  if (tables === undefined) {
    tables = new Map()
    session.owners.set(key, tables)
  }
  tables.set(short, found)
  return found
}

/** Names a generation in the keys of the session's caches. */
export function ownerKey(owner: VmOwner): string {
  return `${owner.generation}/${owner.plugin}`
}

/** Reads a table of a plugin from the registry and the schema; undefined when the plugin owns no such table. */
export function loadTable(session: DbSession, plugin: string, short: string): TableInfo | undefined {
  const physical = physicalName(plugin, short)
  const row = session
    .host('select table_name, columns from plugin_tables where table_name = ? and plugin_name = ?')
    .get(physical, plugin) as { table_name: string; columns: string } | undefined
  if (row === undefined) return undefined
  const columns = actualColumns(session, row.table_name)
  if (columns.length === 0) return undefined
  const declared = new Map(declaredColumns(row.columns).map(({ name, type }) => [name.toLowerCase(), type]))
  const types = new Map(columns.map((name) => [name.toLowerCase(), declared.get(name.toLowerCase())]))
  return { short, physical: row.table_name, columns, types }
}

/** Reads the names of a table's columns from the schema; empty when there is no such table. */
export function actualColumns(session: DbSession, physical: string): readonly string[] {
  const rows = session.host('select name from pragma_table_info(?)').all(physical) as { name: string }[]
  return rows.map(({ name }) => name)
}

/** A column as the registry has it. */
export interface DeclaredColumn {
  readonly name: string
  readonly type: ColumnType
}

/** Reads the columns of a registry row; what is not a column is left out. */
export function declaredColumns(text: string): readonly DeclaredColumn[] {
  const parsed: unknown = JSON.parse(text)
  return Array.isArray(parsed) ? parsed.filter(isDeclaredColumn) : []
}

function isDeclaredColumn(value: unknown): value is DeclaredColumn {
  if (typeof value !== 'object' || value === null) return false
  const { name, type } = value as Partial<Record<string, unknown>>
  return typeof name === 'string' && (columnTypes as readonly unknown[]).includes(type)
}
