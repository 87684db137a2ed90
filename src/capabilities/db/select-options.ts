import { dbLimits } from '../../base/limits/database.js'
import { type LuaObject, type LuaValue, Tagged } from '../../sandbox/lua-value.js'
import { aggregateFrom } from './aggregates.js'
import { DbFailure } from './failure.js'
import { parseFilter, parseHaving } from './filter.js'
import { columnReference, excerpt, luaTypeName } from './names.js'
import { checkKeys, optionsObject } from './options.js'
import type { Join, OrderTerm, Parameters, SelectPlan, Subject } from './plan.js'

const queryKeys: ReadonlySet<string> = new Set([
  'where',
  'where_or',
  'columns',
  'order_by',
  'desc',
  'group_by',
  'having',
  'distinct',
  'joins',
  'limit',
  'offset',
])

/** Keys that count and exists read or may ignore, because the order and the page change no count. */
const countKeys: ReadonlySet<string> = new Set([
  'where',
  'where_or',
  'joins',
  'columns',
  'order_by',
  'desc',
  'limit',
  'offset',
])

/**
 * Reads the options of query and query_one.
 *
 * @throws DbFailure when an option is unknown or not understood.
 */
export function parseSelect(
  table: string,
  options: LuaValue,
  parameters: Parameters,
  rows: 'many' | 'one',
): SelectPlan {
  const given = optionsObject(options)
  checkKeys(given, queryKeys, 'a query')
  const columns = given.columns === undefined ? undefined : parseColumns(given.columns)
  const aliases = aliasesOf(columns)
  const groupBy = parseGroupBy(given.group_by)
  const { filter } = parseFilter(given.where, given.where_or, parameters)
  const having = parseHavingOption(given.having, groupBy, aliases, parameters)
  const orderBy = parseOrderBy(given.order_by, given.desc, aliases)
  const joins = parseJoins(given.joins)
  return {
    kind: 'select',
    table,
    ...(columns === undefined ? {} : { columns }),
    ...(isTrue(given.distinct, 'distinct') ? { distinct: true as const } : {}),
    ...(joins.length === 0 ? {} : { joins }),
    ...(filter === undefined ? {} : { where: filter }),
    ...(groupBy.length === 0 ? {} : { groupBy }),
    ...(having === undefined ? {} : { having }),
    ...(orderBy.length === 0 ? {} : { orderBy }),
    ...(rows === 'one' ? {} : parsePage(given, parameters)),
  }
}

/**
 * Reads the options of count and exists: filters and joins; what changes no count is ignored.
 *
 * @throws DbFailure when an option is unknown, would change the count, or is not understood.
 */
export function parseCount(
  kind: 'count' | 'exists',
  table: string,
  options: LuaValue,
  parameters: Parameters,
): SelectPlan {
  const given = optionsObject(options)
  checkKeys(given, countKeys, `db.${kind}`)
  const { filter } = parseFilter(given.where, given.where_or, parameters)
  const joins = parseJoins(given.joins)
  return {
    kind,
    table,
    ...(joins.length === 0 ? {} : { joins }),
    ...(filter === undefined ? {} : { where: filter }),
  }
}

function parsePage(given: LuaObject, parameters: Parameters): { limit: number; offset?: number } {
  const wanted = wholeNumber(given.limit)
  const rows = wanted <= 0 ? dbLimits.rowsDefault : Math.min(wanted, dbLimits.rowsMax)
  const limit = parameters.add(BigInt(rows))
  const skip = wholeNumber(given.offset)
  return skip <= 0 ? { limit } : { limit, offset: parameters.add(BigInt(skip)) }
}

function wholeNumber(value: LuaValue): number {
  if (typeof value !== 'number' || Number.isNaN(value)) return 0
  return Math.floor(Math.min(value, Number.MAX_SAFE_INTEGER))
}

function isTrue(value: LuaValue, option: string): boolean {
  if (value === undefined || typeof value === 'boolean') return value === true
  throw new DbFailure(`${option} must be true or false, got ${luaTypeName(value)}`)
}

/** Reads a list of at most `max` items; a table without items is an empty list. */
function listOf(value: LuaValue, option: string, max: number, tooMany: string): readonly LuaValue[] {
  if (Array.isArray(value)) {
    if (value.length > max) throw new DbFailure(`${tooMany} (${value.length}; the limit is ${max})`)
    return value
  }
  if (isEmptyObject(value)) return []
  throw new DbFailure(`${option} must be a list without holes, got ${luaTypeName(value)}`)
}

function isEmptyObject(value: LuaValue): boolean {
  if (typeof value !== 'object' || value === null) return false
  return !(value instanceof Tagged) && !(value instanceof Uint8Array) && Object.keys(value).length === 0
}

function parseColumns(value: LuaValue): readonly Subject[] | undefined {
  const items = listOf(value, 'columns', dbLimits.selectColumnsMax, 'too many select columns')
  if (items.length === 0) return undefined
  return items.map((item) =>
    typeof item === 'object' && item !== null && !(item instanceof Uint8Array)
      ? aggregateFrom(item)
      : columnReference('', item),
  )
}

function aliasesOf(columns: readonly Subject[] | undefined): ReadonlyMap<string, Subject> {
  const aliases = new Map<string, Subject>()
  for (const column of columns ?? []) {
    if (typeof column === 'string') continue
    if (aliases.has(column.alias)) {
      throw new DbFailure(`duplicate column: two aggregates are called "${column.alias}"; give one an alias`)
    }
    aliases.set(column.alias, column)
  }
  return aliases
}

function parseGroupBy(value: LuaValue): readonly string[] {
  if (value === undefined) return []
  if (typeof value === 'string') return [columnReference('group_by ', value)]
  const items = listOf(value, 'group_by', dbLimits.groupColumnsMax, 'too many group_by columns')
  return items.map((item) => columnReference('group_by ', item))
}

function parseHavingOption(
  value: LuaValue,
  groupBy: readonly string[],
  aliases: ReadonlyMap<string, Subject>,
  parameters: Parameters,
): SelectPlan['having'] {
  if (value === undefined) return undefined
  if (groupBy.length === 0) throw new DbFailure('having requires group_by')
  return parseHaving(value, aliases, parameters)
}

function parseOrderBy(
  value: LuaValue,
  desc: LuaValue,
  aliases: ReadonlyMap<string, Subject>,
): readonly OrderTerm[] {
  if (value === undefined) return []
  if (typeof value === 'string') return [orderTerm(value, isTrue(desc, 'desc'), aliases)]
  const single = typeof value === 'object' && value !== null && 'column' in value
  const items = single
    ? [value]
    : listOf(value, 'order_by', dbLimits.orderColumnsMax, 'too many order_by columns')
  return items.map((item) => {
    if (typeof item === 'string') return orderTerm(item, false, aliases)
    const term = optionsObject(item)
    checkKeys(term, new Set(['column', 'desc']), 'order_by')
    return orderTerm(term.column, isTrue(term.desc, 'desc'), aliases)
  })
}

function orderTerm(name: LuaValue, desc: boolean, aliases: ReadonlyMap<string, Subject>): OrderTerm {
  const words = typeof name === 'string' ? /^(\S+)\s+(asc|desc)$/i.exec(name.trim()) : null
  if (words !== null) {
    throw new DbFailure(
      `invalid order_by column "${excerpt(words[0])}": the direction goes apart, as in order_by = { { column = "${excerpt(words[1] ?? '')}", desc = ${words[2]?.toLowerCase() === 'desc'} } }`,
    )
  }
  const alias = typeof name === 'string' ? aliases.get(name) : undefined
  return { on: alias ?? columnReference('order_by ', name), desc }
}

const joinTypes = ['inner', 'left', 'right'] as const
const joinKeys: ReadonlySet<string> = new Set(['type', 'table', 'local_col', 'foreign_col'])

function parseJoins(value: LuaValue): readonly Join[] {
  if (value === undefined) return []
  const items = listOf(value, 'joins', dbLimits.joinsMax, 'too many joins')
  return items.map((item) => {
    const given = optionsObject(item)
    checkKeys(given, joinKeys, 'a join')
    for (const key of ['table', 'local_col', 'foreign_col']) {
      if (given[key] === undefined || given[key] === '') throw new DbFailure(`join is missing '${key}'`)
    }
    if (typeof given.table !== 'string') throw new DbFailure(`join 'table' must be a string`)
    return {
      type: joinType(given.type),
      table: given.table,
      local: columnReference('join ', given.local_col),
      foreign: columnReference('join ', given.foreign_col),
    }
  })
}

function joinType(value: LuaValue): Join['type'] {
  const name = typeof value === 'string' ? value.toLowerCase() : value
  if (name === undefined || name === '') return 'inner'
  const type = joinTypes.find((each) => each === name)
  if (type !== undefined) return type
  throw new DbFailure(
    `invalid join type ${typeof value === 'string' ? `"${excerpt(value)}"` : ''}: use inner, left or right`,
  )
}
