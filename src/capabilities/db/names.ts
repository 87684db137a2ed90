import { dbLimits } from '../../base/limits/database.js'
import { LuaRaise, type LuaValue } from '../../sandbox/lua-value.js'
import { DbFailure } from './failure.js'

const grammar = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Words that no column can be called, in upper case. */
const reservedWords: ReadonlySet<string> = new Set(
  `SELECT INSERT UPDATE DELETE DROP CREATE ALTER INDEX TABLE DATABASE SCHEMA VIEW PROCEDURE FUNCTION TRIGGER UNION
   WHERE ORDER GROUP HAVING FROM JOIN ON AS`.split(/\s+/),
)

/** SQLite's own name of the row number. A column of this name would hide it from the deadline check. */
export const rowNumberColumn = '_rowid_'

/** Tells whether a text can be the name of a column. */
export function isColumnName(name: string): boolean {
  if (name.length > dbLimits.nameCharactersMax || !grammar.test(name)) return false
  return name.toLowerCase() !== rowNumberColumn && !reservedWords.has(name.toUpperCase())
}

/** Gives the name that a plugin's table has in the database. Who owns that name is for the registry to say. */
export function physicalName(plugin: string, table: string): string {
  return `plugin_${plugin}_${table}`
}

/** Tells whether a text can be the short name of a table of this plugin. */
export function isTableName(plugin: string, table: string): boolean {
  return grammar.test(table) && physicalName(plugin, table).length <= dbLimits.nameCharactersMax
}

/** Says why `isTableName` is false. */
export function invalidTableName(plugin: string, table: string): string {
  const charactersMax = dbLimits.nameCharactersMax - physicalName(plugin, '').length
  return `invalid table name "${excerpt(table)}": use a letter or "_" followed by letters, digits and "_", at most ${charactersMax} characters`
}

/** Says why `isColumnName` is false; `clause` is e.g. `where `, with its space. */
export function invalidColumnName(clause: string, name: LuaValue): string {
  const shown = typeof name === 'string' ? `"${excerpt(name)}"` : `(${luaTypeName(name)})`
  return `invalid ${clause}column ${shown}: use a letter or "_" followed by letters, digits and "_", at most ${dbLimits.nameCharactersMax} characters, and no SQL keyword`
}

/**
 * Checks the name of a column, alone or as `table.column`.
 *
 * @throws DbFailure that names the clause.
 */
export function columnReference(clause: string, name: LuaValue): string {
  if (typeof name === 'string') {
    const dot = name.indexOf('.')
    if (dot < 0 ? isColumnName(name) : isQualified(name, dot)) return name
  }
  throw new DbFailure(invalidColumnName(clause, name))
}

/**
 * Checks the name of a column that cannot be qualified, as in `set`.
 *
 * @throws DbFailure that names the clause.
 */
export function columnName(clause: string, name: LuaValue): string {
  if (typeof name === 'string' && isColumnName(name)) return name
  throw new DbFailure(invalidColumnName(clause, name))
}

function isQualified(name: string, dot: number): boolean {
  return grammar.test(name.slice(0, dot)) && isColumnName(name.slice(dot + 1))
}

/** Gives the beginning of a text, for messages. */
export function excerpt(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 80)}...`
}

/** Names the Lua type of a value, for messages. */
export function luaTypeName(value: LuaValue): string {
  if (value === undefined) return 'nil'
  if (value === null) return 'null'
  if (typeof value === 'bigint') return 'number'
  if (value instanceof Uint8Array) return 'string'
  return typeof value === 'object' ? 'table' : typeof value
}

/**
 * Checks the first argument of define_table, where a bad name is misuse.
 *
 * @throws LuaRaise
 */
export function requireTableName(plugin: string, table: string): void {
  if (table === '') throw new LuaRaise('table name cannot be empty')
  if (!isTableName(plugin, table)) throw new LuaRaise(invalidTableName(plugin, table))
}
