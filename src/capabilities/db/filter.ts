import { type LuaObject, type LuaValue, Tagged } from '../../sandbox/lua-value.js'
import { parseConditions } from './conditions.js'
import { DbFailure } from './failure.js'
import { allOf, FilterScope } from './filter-scope.js'
import { luaTypeName } from './names.js'
import { conditionTag } from './operators.js'
import type { Comparison, Filter, Parameters, Subject } from './plan.js'

/** What was read from `where` and `where_or`. */
export interface ParsedFilter {
  /** Absent when nothing is filtered. */
  readonly filter: Filter | undefined
  /** A condition list was used. */
  readonly hasConditions: boolean
  /** At least one condition compares with a value, and does not only test for NULL. */
  readonly bindsValue: boolean
}

/**
 * Reads `where` and `where_or`: `where AND (group1 OR group2 ...)`. Both, and each group, are a map or a condition
 * list; empty groups are skipped.
 *
 * @throws DbFailure when a part is not understood; nothing is ever left out.
 */
export function parseFilter(where: LuaValue, whereOr: LuaValue, parameters: Parameters): ParsedFilter {
  const scope = new FilterScope('where ', parameters)
  const parts: Filter[] = []
  const first = where === undefined ? undefined : parseEither(where, 'where', scope)
  if (first !== undefined) parts.push(first)
  const groups = whereOr === undefined ? [] : parseGroups(whereOr, scope)
  if (groups.length > 0) parts.push(allOf('or', groups))
  return {
    filter: parts.length === 0 ? undefined : allOf('and', parts),
    hasConditions: scope.hasConditions,
    bindsValue: scope.bindsValue,
  }
}

/**
 * Reads `having` in either style. Names of `aliases` stand for the aggregates that are selected under them.
 *
 * @throws DbFailure when a part is not understood.
 */
export function parseHaving(
  having: LuaValue,
  aliases: ReadonlyMap<string, Subject>,
  parameters: Parameters,
): Filter | undefined {
  return parseEither(having, 'having', new FilterScope('having ', parameters, aliases))
}

function parseGroups(whereOr: LuaValue, scope: FilterScope): Filter[] {
  if (isEmptyTable(whereOr)) return []
  if (!Array.isArray(whereOr)) {
    throw new DbFailure('where_or must be a list of filters, e.g. { { status = "a" }, { status = "b" } }')
  }
  return whereOr
    .map((group) => parseEither(group, 'where_or', scope))
    .filter((group): group is Filter => group !== undefined)
}

function parseEither(where: LuaValue, clause: string, scope: FilterScope): Filter | undefined {
  if (isEmptyTable(where)) return undefined
  if (Array.isArray(where)) {
    scope.hasConditions = true
    return parseConditions(where, scope)
  }
  if (typeof where !== 'object' || where === null || where instanceof Uint8Array || where instanceof Tagged) {
    throw new DbFailure(`${clause} must be a table, got ${luaTypeName(where)}`)
  }
  return parseMap(where as LuaObject, clause, scope)
}

function isEmptyTable(value: LuaValue): boolean {
  if (Array.isArray(value)) return value.length === 0
  if (typeof value !== 'object' || value === null) return false
  return !(value instanceof Uint8Array) && !(value instanceof Tagged) && Object.keys(value).length === 0
}

function parseMap(map: LuaObject, clause: string, scope: FilterScope): Filter {
  const keys = Object.keys(map).sort()
  const numbers = keys.filter((key) => /^-?\d+$/.test(key)).length
  if (numbers > 0 && numbers < keys.length) {
    throw new DbFailure(`${clause}: cannot mix string keys and list items; use one style or the other`)
  }
  if (numbers > 0) throw new DbFailure(`${clause}: non-contiguous list of conditions (an item is nil)`)
  const filters = keys.map((key) => {
    scope.countMapCondition()
    return parseEntry(scope.subject(key), map[key], scope)
  })
  return allOf('and', filters)
}

function parseEntry(on: Subject, value: LuaValue, scope: FilterScope): Filter {
  if (value === null) return { op: 'null', on }
  if (value instanceof Tagged) return parseOperator(on, value, scope)
  return scope.compare('=', on, value)
}

const comparisons: Readonly<Record<string, Comparison>> = {
  eq: '=',
  neq: '<>',
  gt: '>',
  gte: '>=',
  lt: '<',
  lte: '<=',
  like: 'like',
  not_like: 'not like',
}

/** Lua code can change the fields of an operator that it holds, so they are checked like any other input. */
function parseOperator(on: Subject, { tag, fields }: Tagged, scope: FilterScope): Filter {
  const { op } = fields
  if (tag === conditionTag && typeof op === 'string') {
    if (op === 'is_null') return { op: 'null', on }
    if (op === 'is_not_null') return { op: 'not null', on }
    if (op === 'in') return scope.member('in', on, fields.values)
    if (op === 'not_in') return scope.member('not in', on, fields.values)
    if (op === 'between') return scope.range(on, fields.low, fields.high)
    const comparison = Object.hasOwn(comparisons, op) ? comparisons[op] : undefined
    if (comparison !== undefined) return scope.compare(comparison, on, fields.value)
  }
  throw new DbFailure(
    `unsupported operator for ${scope.nameOf(on)}: use db.eq, db.gt, db.in_list and the like`,
  )
}
