import { contentLimits, coreLimits } from '../../base/limits/content.js'
import { dbLimits } from '../../base/limits/database.js'
import { jsonText } from '../../sandbox/json-text.js'
import { LuaRaise, type LuaValue } from '../../sandbox/lua-value.js'
import { DbFailure } from '../db/failure.js'
import { parseFilter } from '../db/filter.js'
import { columnName, luaTypeName } from '../db/names.js'
import { checkKeys, isObject, optionsObject } from '../db/options.js'
import { type OrderTerm, Parameters } from '../db/plan.js'
import type { SqlValue } from '../db/values.js'
import type { CoreFilter, CoreInsert, CoreSelect, CoreUpdate } from './wire.js'

const queryKeys: ReadonlySet<string> = new Set([
  'where',
  'where_or',
  'columns',
  'order_by',
  'desc',
  'limit',
  'offset',
])

/**
 * Reads the options of a query; count and exists take them too, as order, page and columns change no count.
 *
 * @throws DbFailure for an option that is unknown or not understood: nothing is ever left out.
 */
export function parseCoreSelect(table: string, options: LuaValue, fn: string): CoreSelect {
  const given = optionsObject(options)
  checkKeys(given, queryKeys, `core.${fn}`)
  return {
    ...filterOf(table, given.where, given.where_or),
    columns: given.columns === undefined ? undefined : parseColumns(given.columns),
    orderBy: parseOrderBy(given.order_by, given.desc),
    limit: parseLimit(given.limit),
    offset: parseOffset(given.offset),
  }
}

/** @throws DbFailure when the values cannot be written as JSON, LuaRaise when there are none. */
export function parseCoreInsert(table: string, values: LuaValue): CoreInsert {
  return { table, values: columnsText(values, 'core.insert requires a non-empty table of values') }
}

/** @throws DbFailure as `parseCoreSelect`, LuaRaise when `set` or the filter is missing or empty. */
export function parseCoreUpdate(table: string, options: LuaValue): CoreUpdate {
  const given = optionsObject(options)
  checkKeys(given, new Set(['set', 'where', 'where_or']), 'core.update')
  const set = columnsText(given.set, 'core.update requires a non-empty set table')
  return { ...requiredFilter(table, given.where, given.where_or, 'core.update'), set }
}

/** @throws DbFailure as `parseCoreSelect`, LuaRaise when the filter is missing or empty. */
export function parseCoreDelete(table: string, options: LuaValue): CoreFilter {
  const given = optionsObject(options)
  checkKeys(given, new Set(['where', 'where_or']), 'core.delete')
  return requiredFilter(table, given.where, given.where_or, 'core.delete')
}

function filterOf(table: string, where: LuaValue, whereOr: LuaValue): CoreFilter {
  const parameters = new Parameters()
  const { filter } = parseFilter(where, whereOr, parameters)
  return { table, filter, values: bounded(parameters.values) }
}

/** Conditions travel to the HTTP thread, which is no place for large ones. */
function bounded(values: readonly SqlValue[]): readonly SqlValue[] {
  const { valuesMax, filterBytesMax } = coreLimits
  if (values.length > valuesMax) {
    throw new DbFailure(`the conditions compare with ${values.length} values; the limit is ${valuesMax}`)
  }
  const bytes = values.reduce<number>((sum, value) => sum + bytesOf(value), 0)
  if (bytes <= filterBytesMax) return values
  throw new DbFailure(`the values of the conditions have ${bytes} bytes; the limit is ${filterBytesMax}`)
}

function bytesOf(value: SqlValue): number {
  if (typeof value === 'string') return Buffer.byteLength(value)
  return value instanceof Uint8Array ? value.length : 0
}

/** A filter whose only field is nil is empty, and would change every row. */
function requiredFilter(table: string, where: LuaValue, whereOr: LuaValue, fn: string): CoreFilter {
  const parameters = new Parameters()
  const { filter, bindsValue } = parseFilter(where, whereOr, parameters)
  if (filter === undefined || !bindsValue) {
    throw new LuaRaise(`${fn} requires a non-empty where that compares at least one column with a value`)
  }
  return { table, filter, values: bounded(parameters.values) }
}

function columnsText(values: LuaValue, missing: string): string {
  if (!isObject(values) || Object.keys(values).length === 0) throw new LuaRaise(missing)
  try {
    return jsonText(values, contentLimits.bodyBytesMax)
  } catch (error) {
    if (error instanceof LuaRaise) throw new DbFailure(`the values cannot be stored: ${error.message}`)
    throw error
  }
}

function parseColumns(value: LuaValue): readonly string[] | undefined {
  if (isObject(value) && Object.keys(value).length === 0) return undefined
  if (!Array.isArray(value)) throw new DbFailure(`columns must be a list, got ${luaTypeName(value)}`)
  if (value.length > dbLimits.selectColumnsMax) {
    throw new DbFailure(
      `too many select columns (${value.length}; the limit is ${dbLimits.selectColumnsMax})`,
    )
  }
  return value.length === 0 ? undefined : value.map((item) => columnName('select ', item))
}

function parseOrderBy(value: LuaValue, desc: LuaValue): readonly OrderTerm[] {
  if (value === undefined) return []
  if (typeof value === 'string') return [{ on: columnName('order_by ', value), desc: isTrue(desc) }]
  if (isObject(value) && Object.keys(value).length === 0) return []
  const items = Array.isArray(value) ? value : [value]
  if (items.length > dbLimits.orderColumnsMax) {
    throw new DbFailure(
      `too many order_by columns (${items.length}; the limit is ${dbLimits.orderColumnsMax})`,
    )
  }
  return items.map((item) => {
    if (typeof item === 'string') return { on: columnName('order_by ', item), desc: false }
    const term = optionsObject(item)
    checkKeys(term, new Set(['column', 'desc']), 'order_by')
    return { on: columnName('order_by ', term.column), desc: isTrue(term.desc) }
  })
}

function isTrue(value: LuaValue): boolean {
  if (value === undefined || typeof value === 'boolean') return value === true
  throw new DbFailure(`desc must be true or false, got ${luaTypeName(value)}`)
}

function parseLimit(value: LuaValue): number {
  const wanted = wholeNumber(value, 'limit')
  return wanted <= 0 ? coreLimits.rowsDefault : Math.min(wanted, coreLimits.rowsMax)
}

function parseOffset(value: LuaValue): number {
  const offset = Math.max(0, wholeNumber(value, 'offset'))
  if (offset <= coreLimits.offsetMax) return offset
  throw new DbFailure(
    `offset is ${offset}; the limit is ${coreLimits.offsetMax}: filter by the last row of the page before instead`,
  )
}

function wholeNumber(value: LuaValue, option: string): number {
  if (value === undefined) return 0
  if (typeof value !== 'number' || Number.isNaN(value)) {
    throw new DbFailure(`${option} must be a number, got ${luaTypeName(value)}`)
  }
  return Math.floor(Math.min(value, Number.MAX_SAFE_INTEGER))
}
