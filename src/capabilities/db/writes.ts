import { type LuaObject, LuaRaise, type LuaValue } from '../../sandbox/lua-value.js'
import { type DbUse, write } from './execute.js'
import { DbFailure } from './failure.js'
import { parseFilter } from './filter.js'
import { createId, timestampOf } from './ids.js'
import { columnName } from './names.js'
import { checkKeys, isObject } from './options.js'
import { type Assignments, type Filter, Parameters } from './plan.js'
import type { TableInfo } from './table-info.js'
import { requireTable } from './table-registry.js'
import { toColumnValue } from './values.js'

/** Columns that every table has and that are filled when a row gives no value for them. */
export function generatedValues(): Readonly<Record<'id' | 'created_at' | 'updated_at', string>> {
  const now = timestampOf()
  return { id: createId(), created_at: now, updated_at: now }
}

/**
 * Inserts one row; id, created_at and updated_at are filled in where they are not given.
 *
 * @throws DbFailure
 */
export function insert(use: DbUse, name: string, given: LuaValue): void {
  const table = requireTable(use.session, use.call.owner, name)
  const values: LuaObject = { __proto__: null, ...generatedValues(), ...valuesOf(given, 'insert') }
  const parameters = new Parameters()
  const columns = addValues(values, table, 'insert ', parameters)
  write(use, { kind: 'insert', table: name, columns, rows: 1 }, parameters)
}

const updateKeys: ReadonlySet<string> = new Set(['set', 'where', 'where_or'])

/**
 * Changes the rows that a filter selects; updated_at is set unless it is given.
 *
 * @throws LuaRaise without `set` or without a filter.
 * @throws DbFailure
 */
export function update(use: DbUse, name: string, options: LuaValue): void {
  const given = optionsOf(options, 'update')
  const set = given.set
  if (!isObject(set) || Object.keys(set).length === 0) {
    throw new LuaRaise(`db.update requires a non-empty 'set' table`)
  }
  checkKeys(given, updateKeys, 'db.update')
  const parameters = new Parameters()
  const table = requireTable(use.session, use.call.owner, name)
  const values: LuaObject = { __proto__: null, updated_at: timestampOf(), ...set }
  const assignments = assign(values, table, 'set ', parameters)
  const where = requiredFilter(given, 'update', parameters)
  write(use, { kind: 'update', table: name, set: assignments, where }, parameters)
}

const deleteKeys: ReadonlySet<string> = new Set(['where', 'where_or'])

/**
 * Removes the rows that a filter selects.
 *
 * @throws LuaRaise without a filter.
 * @throws DbFailure
 */
export function remove(use: DbUse, name: string, options: LuaValue): void {
  const given = optionsOf(options, 'delete')
  checkKeys(given, deleteKeys, 'db.delete')
  const parameters = new Parameters()
  const where = requiredFilter(given, 'delete', parameters)
  requireTable(use.session, use.call.owner, name)
  write(use, { kind: 'delete', table: name, where }, parameters)
}

function requiredFilter(given: LuaObject, fn: 'update' | 'delete', parameters: Parameters): Filter {
  const { filter, hasConditions, bindsValue } = parseFilter(given.where, given.where_or, parameters)
  if (filter === undefined) {
    throw new LuaRaise(
      `db.${fn} requires a non-empty where or where_or; a field that is nil does not exist (use db.null to look for missing values)`,
    )
  }
  if (hasConditions && !bindsValue) {
    throw new DbFailure(
      `where of db.${fn}: a condition list needs at least one value binding, not only IS NULL`,
    )
  }
  return filter
}

/**
 * Reads the options of a writing function.
 *
 * @throws LuaRaise when they are not a table with named fields.
 */
export function optionsOf(options: LuaValue, fn: string): LuaObject {
  if (isObject(options)) return options
  throw new LuaRaise(`bad argument #2 to 'db.${fn}' (a table with named fields expected)`)
}

/**
 * Reads the values of a row.
 *
 * @throws LuaRaise when they are a list or no table.
 */
export function valuesOf(values: LuaValue, fn: string): LuaObject {
  if (isObject(values)) return values
  if (Array.isArray(values) && values.length === 0) return Object.create(null) as LuaObject
  throw new LuaRaise(`bad argument #2 to 'db.${fn}' (a table of values by column expected)`)
}

/** Adds the values of a row in the order of their sorted names, which are the result. */
export function addValues(
  values: LuaObject,
  table: TableInfo,
  clause: string,
  parameters: Parameters,
): readonly string[] {
  return assign(values, table, clause, parameters).map(([column]) => column)
}

/** Adds the values of a map in the order of their sorted names. */
export function assign(
  values: LuaObject,
  table: TableInfo,
  clause: string,
  parameters: Parameters,
): Assignments {
  const seen = new Set<string>()
  return Object.keys(values)
    .sort()
    .map((name) => {
      const column = columnName(clause, name)
      const lower = column.toLowerCase()
      if (seen.has(lower)) throw new DbFailure(`duplicate column "${column}" in ${clause}values`)
      seen.add(lower)
      const value = toColumnValue(values[name], table.types.get(lower), column)
      return [column, parameters.add(value)] as const
    })
}
