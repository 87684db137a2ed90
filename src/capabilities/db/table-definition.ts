import { dbLimits } from '../../base/limits/database.js'
import { LuaRaise, type LuaValue } from '../../sandbox/lua-value.js'
import { excerpt, invalidColumnName, isColumnName, luaTypeName } from './names.js'
import { isObject } from './options.js'
import { type ColumnType, columnTypes } from './values.js'

export interface ColumnDefinition {
  readonly name: string
  readonly type: ColumnType
  readonly notNull: boolean
  readonly unique: boolean
  /** Literal of the default; none when missing. */
  readonly otherwise?: string | number | bigint
}

export interface IndexDefinition {
  readonly columns: readonly string[]
  readonly unique: boolean
}

export interface ForeignKeyDefinition {
  readonly column: string
  /** As written: a full physical name or a short one. */
  readonly table: string
  readonly refColumn: string
  readonly onDelete?: (typeof deleteActions)[number]
}

/** What define_table was given, checked. */
export interface TableDefinition {
  /** Declared and injected columns in the order of the table. */
  readonly columns: readonly ColumnDefinition[]
  readonly indexes: readonly IndexDefinition[]
  readonly foreignKeys: readonly ForeignKeyDefinition[]
}

const deleteActions = ['CASCADE', 'SET NULL', 'RESTRICT'] as const

const injectedFirst: ColumnDefinition = { name: 'id', type: 'text', notNull: true, unique: false }
const injectedLast: readonly ColumnDefinition[] = [
  { name: 'created_at', type: 'timestamp', notNull: true, unique: false },
  { name: 'updated_at', type: 'timestamp', notNull: true, unique: false },
]
const injectedNames: ReadonlySet<string> = new Set(['id', 'created_at', 'updated_at'])

const tableKeys: ReadonlySet<string> = new Set(['columns', 'indexes', 'foreign_keys'])
const columnKeys: ReadonlySet<string> = new Set(['name', 'type', 'not_null', 'unique', 'default'])
const indexKeys: ReadonlySet<string> = new Set(['columns', 'unique'])
const foreignKeyKeys: ReadonlySet<string> = new Set(['column', 'ref_table', 'ref_column', 'on_delete'])

/**
 * Reads the definition of a table.
 *
 * @throws LuaRaise for everything that is not understood.
 */
export function parseTableDefinition(given: LuaValue): TableDefinition {
  if (!isObject(given)) throw new LuaRaise(`define_table: the definition must be a table with named fields`)
  refuseUnknown(given, tableKeys, 'define_table')
  const declared = listOf(given.columns, 'columns').map(parseColumn)
  if (declared.length === 0) throw new LuaRaise('define_table: columns cannot be empty')
  const columns = [injectedFirst, ...declared, ...injectedLast]
  if (columns.length > dbLimits.columnsMax) {
    throw new LuaRaise(
      `define_table: too many columns (${columns.length} with id, created_at and updated_at; the limit is ${dbLimits.columnsMax})`,
    )
  }
  const names = new Set<string>()
  for (const { name } of columns) {
    if (names.has(name.toLowerCase())) throw new LuaRaise(`define_table: duplicate column "${name}"`)
    names.add(name.toLowerCase())
  }
  const indexes = listOf(given.indexes, 'indexes').map((item) => parseIndex(item, names))
  const foreignKeys = listOf(given.foreign_keys, 'foreign_keys').map((item) => parseForeignKey(item, names))
  if (indexes.length + foreignKeys.length > dbLimits.indexesMax) {
    throw new LuaRaise(
      `define_table: too many indexes and foreign keys (${indexes.length + foreignKeys.length}; the limit is ${dbLimits.indexesMax})`,
    )
  }
  return { columns, indexes, foreignKeys }
}

function listOf(value: LuaValue, what: string): readonly LuaValue[] {
  if (value === undefined) return []
  if (Array.isArray(value)) return value
  if (isObject(value) && Object.keys(value).length === 0) return []
  throw new LuaRaise(`define_table: ${what} must be a list without holes, got ${luaTypeName(value)}`)
}

function refuseUnknown(given: object, known: ReadonlySet<string>, what: string): void {
  for (const key of Object.keys(given)) {
    if (known.has(key)) continue
    throw new LuaRaise(`${what}: unknown field "${excerpt(key)}"; known are ${[...known].join(', ')}`)
  }
}

function parseColumn(given: LuaValue): ColumnDefinition {
  if (!isObject(given)) throw new LuaRaise('define_table: each column must be a table')
  const { name, type } = given
  if (typeof name !== 'string' || name === '') throw new LuaRaise(`define_table: a column is missing 'name'`)
  if (!isColumnName(name))
    throw new LuaRaise(
      `define_table: ${invalidColumnName('', name).replace('invalid column', 'invalid column name')}`,
    )
  if (injectedNames.has(name.toLowerCase())) {
    throw new LuaRaise(`define_table: column "${name}" is auto-injected into every table; leave it out`)
  }
  if (type === undefined || type === '')
    throw new LuaRaise(`define_table: column "${name}" is missing 'type'`)
  const known = columnTypes.find((each) => each === type)
  if (known === undefined) {
    throw new LuaRaise(
      `define_table: invalid column type ${typeof type === 'string' ? `"${excerpt(type)}"` : luaTypeName(type)} of "${name}"; use ${columnTypes.join(', ')}`,
    )
  }
  refuseUnknown(given, columnKeys, `column "${name}"`)
  const otherwise = parseDefault(given.default, name, known)
  return {
    name,
    type: known,
    notNull: flag(given.not_null, `not_null of column "${name}"`),
    unique: flag(given.unique, `unique of column "${name}"`),
    ...(otherwise === undefined ? {} : { otherwise }),
  }
}

function flag(value: LuaValue, what: string): boolean {
  if (value === undefined || typeof value === 'boolean') return value === true
  throw new LuaRaise(`define_table: ${what} must be true or false`)
}

function parseDefault(value: LuaValue, name: string, type: ColumnType): string | number | bigint | undefined {
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'string') {
    const bytes = Buffer.byteLength(value)
    if (bytes <= dbLimits.defaultBytesMax && !value.includes('\0')) return value
    throw new LuaRaise(
      `define_table: default of column "${name}" has ${bytes} bytes; the limit is ${dbLimits.defaultBytesMax}, without NUL`,
    )
  }
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isFinite(value))) return value
  if (typeof value === 'boolean' && type === 'boolean') return value ? 1 : 0
  throw new LuaRaise(
    `define_table: default of column "${name}" must be a string or a number, got ${luaTypeName(value)}`,
  )
}

function parseIndex(given: LuaValue, names: ReadonlySet<string>): IndexDefinition {
  if (!isObject(given)) throw new LuaRaise('define_table: each index must be a table')
  refuseUnknown(given, indexKeys, 'index')
  const columns = listOf(given.columns, 'columns of an index').map((name) =>
    knownColumn(name, names, 'index'),
  )
  if (columns.length === 0) throw new LuaRaise(`define_table: an index is missing 'columns'`)
  return { columns, unique: flag(given.unique, 'unique of an index') }
}

function knownColumn(name: LuaValue, names: ReadonlySet<string>, what: string): string {
  if (typeof name === 'string' && isColumnName(name) && names.has(name.toLowerCase())) return name
  const shown = typeof name === 'string' ? `"${excerpt(name)}"` : luaTypeName(name)
  throw new LuaRaise(`define_table: invalid column name ${shown} in ${what}: the table has no such column`)
}

function parseForeignKey(given: LuaValue, names: ReadonlySet<string>): ForeignKeyDefinition {
  if (!isObject(given)) throw new LuaRaise('define_table: each foreign_key must be a table')
  refuseUnknown(given, foreignKeyKeys, 'foreign_key')
  const { ref_table: table, ref_column: refColumn, on_delete: onDelete } = given
  const column = knownColumn(given.column, names, 'foreign_key')
  if (typeof table !== 'string' || table === '')
    throw new LuaRaise(`define_table: foreign_key is missing 'ref_table'`)
  if (typeof refColumn !== 'string' || !isColumnName(refColumn)) {
    throw new LuaRaise(
      `define_table: foreign_key on "${column}" has a missing or invalid column name in 'ref_column'`,
    )
  }
  if (onDelete === undefined || onDelete === '') return { column, table, refColumn }
  const action = deleteActions.find((each) => typeof onDelete === 'string' && each === onDelete.toUpperCase())
  if (action === undefined) {
    throw new LuaRaise(
      `define_table: foreign_key on "${column}": on_delete must be CASCADE, SET NULL or RESTRICT`,
    )
  }
  return { column, table, refColumn, onDelete: action }
}
