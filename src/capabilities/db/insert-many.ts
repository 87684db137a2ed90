import { dbLimits } from '../../base/limits/database.js'
import type { LuaValue } from '../../sandbox/lua-value.js'
import { type DbUse, write } from './execute.js'
import { DbFailure } from './failure.js'
import { columnName } from './names.js'
import { Parameters } from './plan.js'
import type { TableInfo } from './table-info.js'
import { requireTable } from './table-registry.js'
import { asUnit } from './transaction.js'
import { toColumnValue } from './values.js'
import { generatedValues } from './writes.js'

/**
 * Inserts many rows, all or none, in batches that cost one operation each.
 *
 * @throws DbFailure when the shape is wrong, the budget does not reach, or a row is refused.
 */
export function insertMany(use: DbUse, name: string, columns: LuaValue, rows: LuaValue): void {
  const names = columnNames(columns)
  const lists = rowLists(rows, names.length)
  const allColumns = [...names, ...generatedNames(names)]
  const batchRows = Math.max(
    1,
    Math.min(dbLimits.batchRowsMax, Math.floor(dbLimits.batchValuesMax / allColumns.length)),
  )
  const batches = Math.ceil(lists.length / batchRows)
  charge(use, batches)
  const table = requireTable(use.session, use.call.owner, name)
  const insertBatch = (at: number): void => {
    const batch = lists.slice(at * batchRows, (at + 1) * batchRows)
    const parameters = new Parameters()
    for (const row of batch) addRow(row, names, table, parameters)
    write(use, { kind: 'insert', table: name, columns: allColumns, rows: batch.length }, parameters)
  }
  if (batches === 1) insertBatch(0)
  else
    asUnit(use.session, use.call, () => {
      for (let at = 0; at < batches; at += 1) insertBatch(at)
    })
}

function generatedNames(names: readonly string[]): readonly string[] {
  return ['id', 'created_at', 'updated_at'].filter((column) => !has(names, column))
}

function has(names: readonly string[], column: string): boolean {
  return names.some((name) => name.toLowerCase() === column)
}

function columnNames(columns: LuaValue): readonly string[] {
  if (!Array.isArray(columns) || columns.length === 0) {
    throw new DbFailure('insert_many: columns cannot be empty, and must be a list of column names')
  }
  if (columns.length > dbLimits.columnsMax) {
    throw new DbFailure(
      `insert_many: too many columns (${columns.length}; the limit is ${dbLimits.columnsMax})`,
    )
  }
  const names = columns.map((name) => columnName('', name))
  if (new Set(names.map((name) => name.toLowerCase())).size < names.length) {
    throw new DbFailure('insert_many: duplicate column')
  }
  return names
}

function rowLists(rows: LuaValue, width: number): readonly LuaValue[][] {
  if (!Array.isArray(rows) || rows.length === 0) {
    throw new DbFailure('insert_many: rows cannot be empty, and must be a list of lists')
  }
  if (rows.length > dbLimits.insertRowsMax) {
    throw new DbFailure(`insert_many: too many rows (${rows.length}; max ${dbLimits.insertRowsMax})`)
  }
  return rows.map((row, at) => {
    if (Array.isArray(row) && row.length === width) return row
    const found = Array.isArray(row) ? `${row.length} values` : 'no list of values'
    throw new DbFailure(
      `insert_many: row ${at + 1} has ${found}, expected ${width}; use db.null where a value is missing`,
    )
  })
}

function charge({ call }: DbUse, batches: number): void {
  if (call.budget.operationsLeft < batches) {
    throw new DbFailure(
      `insert_many: ${batches} batches would exceed the operation limit (${call.budget.operationsLeft} left); nothing was written`,
    )
  }
  call.budget.charge(batches)
}

function addRow(
  row: readonly LuaValue[],
  names: readonly string[],
  table: TableInfo,
  parameters: Parameters,
): void {
  for (const [at, name] of names.entries()) {
    parameters.add(toColumnValue(row[at], table.types.get(name.toLowerCase()), name))
  }
  const generated = generatedValues()
  if (!has(names, 'id')) parameters.add(generated.id)
  if (!has(names, 'created_at')) parameters.add(generated.created_at)
  if (!has(names, 'updated_at')) parameters.add(generated.updated_at)
}
