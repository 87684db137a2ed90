import { type LuaObject, LuaRaise, type LuaValue } from '../../sandbox/lua-value.js'
import { type DbUse, write } from './execute.js'
import { DbFailure } from './failure.js'
import { columnName } from './names.js'
import { checkKeys, isObject } from './options.js'
import { type Assignments, Parameters } from './plan.js'
import type { TableInfo } from './table-info.js'
import { requireTable } from './table-registry.js'
import { addValues, assign, generatedValues, optionsOf } from './writes.js'

const upsertKeys: ReadonlySet<string> = new Set(['values', 'conflict_columns', 'update', 'do_nothing'])

/** What identifies a row and its age never changes when the row exists. */
const keptColumns: ReadonlySet<string> = new Set(['id', 'created_at'])

/**
 * Inserts a row, or changes the one that has the same values in the conflict columns.
 *
 * @throws LuaRaise without values or conflict columns.
 * @throws DbFailure
 */
export function upsert(use: DbUse, name: string, options: LuaValue): void {
  const given = optionsOf(options, 'upsert')
  const values = given.values
  if (!isObject(values) || Object.keys(values).length === 0) {
    throw new LuaRaise(`db.upsert requires a non-empty 'values' table`)
  }
  const conflict = conflictColumns(given.conflict_columns, values)
  checkKeys(given, upsertKeys, 'db.upsert')
  const table = requireTable(use.session, use.call.owner, name)
  const parameters = new Parameters()
  const row: LuaObject = { __proto__: null, ...generatedValues(), ...values }
  const columns = addValues(row, table, 'values ', parameters)
  const set = conflictAssignments(given, row, conflict, table, parameters)
  write(
    use,
    { kind: 'insert', table: name, columns, rows: 1, conflict: { columns: conflict, set } },
    parameters,
  )
}

function conflictColumns(value: LuaValue, values: LuaObject): readonly string[] {
  if (!Array.isArray(value) || value.length === 0 || value.some((name) => typeof name !== 'string')) {
    throw new LuaRaise(`db.upsert requires 'conflict_columns', a non-empty list of column names`)
  }
  return value.map((name) => {
    const column = columnName('conflict ', name)
    if (values[column] === undefined) throw new DbFailure(`conflict column "${column}" must be in values`)
    return column
  })
}

/** What an existing row changes to; nothing for do_nothing. */
function conflictAssignments(
  given: LuaObject,
  row: LuaObject,
  conflict: readonly string[],
  table: TableInfo,
  parameters: Parameters,
): Assignments {
  const { update, do_nothing: doNothing } = given
  if (doNothing !== undefined && typeof doNothing !== 'boolean') {
    throw new DbFailure('do_nothing must be true or false')
  }
  if (doNothing === true) {
    if (update !== undefined) throw new DbFailure('update and do_nothing are mutually exclusive')
    return []
  }
  const changes =
    update === undefined ? implied(given.values as LuaObject, conflict) : chosen(update, conflict)
  return assign(
    { __proto__: null, updated_at: row.updated_at, ...changes } as LuaObject,
    table,
    'update ',
    parameters,
  )
}

function implied(values: LuaObject, conflict: readonly string[]): LuaObject {
  const changes = Object.create(null) as LuaObject
  for (const [column, value] of Object.entries(values)) {
    if (!conflict.includes(column) && !keptColumns.has(column)) changes[column] = value
  }
  if (Object.keys(changes).length === 0) {
    throw new DbFailure(
      'upsert: all values are conflict columns, nothing is left to update; use do_nothing = true',
    )
  }
  return changes
}

function chosen(update: LuaValue, conflict: readonly string[]): LuaObject {
  if (!isObject(update) || Object.keys(update).length === 0) {
    throw new DbFailure('upsert: update must be a non-empty table of values by column')
  }
  for (const column of Object.keys(update)) {
    if (conflict.includes(column)) {
      throw new DbFailure(`update column "${column}" cannot also be a conflict column`)
    }
    if (keptColumns.has(column)) throw new DbFailure(`upsert never changes "${column}" of a row that exists`)
  }
  return update
}
