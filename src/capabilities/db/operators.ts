import { LuaRaise, type LuaValue, Tagged } from '../../sandbox/lua-value.js'
import type { AggregateFunction } from './plan.js'

/** Tag of the operators that `db.eq` and the like make. */
export const conditionTag = 'db.condition'

/** Tag of the aggregates that `db.agg_count` and the like make. */
export const aggregateTag = 'db.aggregate'

/** Operators that compare with one value, as named in Lua. */
export const comparisonNames = ['eq', 'neq', 'gt', 'gte', 'lt', 'lte', 'like', 'not_like'] as const

export type ComparisonName = (typeof comparisonNames)[number]

/**
 * Makes an operator with one value. Equality with null is a test for NULL.
 *
 * @throws LuaRaise for nil, which would vanish from the filter in silence, and for null in another comparison.
 */
export function makeComparison(name: ComparisonName, value: LuaValue): Tagged {
  if (value === undefined) {
    throw new LuaRaise(
      `db.${name}: condition value cannot be nil; use db.null or db.is_null() to look for missing values`,
    )
  }
  if (value === null) {
    if (name === 'eq') return new Tagged(conditionTag, { op: 'is_null' })
    if (name === 'neq') return new Tagged(conditionTag, { op: 'is_not_null' })
    throw new LuaRaise(`db.${name}: nothing compares with null; use db.is_null() or db.is_not_null()`)
  }
  return new Tagged(conditionTag, { op: name, value })
}

/**
 * Makes a membership test from single values, or from one list of them.
 *
 * @throws LuaRaise when there is no value.
 */
export function makeMembership(name: 'in_list' | 'not_in', given: readonly LuaValue[]): Tagged {
  const [first] = given
  const isEmptyTable = typeof first === 'object' && first !== null && Object.keys(first).length === 0
  const values = given.length === 1 && Array.isArray(first) ? first : given
  if (values.length === 0 || (given.length === 1 && isEmptyTable)) {
    throw new LuaRaise(`db.${name} requires at least one value`)
  }
  if (values.some((value) => value === undefined)) {
    throw new LuaRaise(`db.${name}: condition value cannot be nil`)
  }
  return new Tagged(conditionTag, { op: name === 'in_list' ? 'in' : 'not_in', values: [...values] })
}

/**
 * Makes a range test; both ends belong to the range.
 *
 * @throws LuaRaise when an end is nil or null.
 */
export function makeRange(low: LuaValue, high: LuaValue): Tagged {
  if (low === undefined || high === undefined || low === null || high === null) {
    throw new LuaRaise('db.between requires two non-nil values')
  }
  return new Tagged(conditionTag, { op: 'between', low, high })
}

/** Makes a test for NULL or for its absence. */
export function makeNullTest(op: 'is_null' | 'is_not_null'): Tagged {
  return new Tagged(conditionTag, { op })
}

/** Makes an aggregate of a column, or of `*`. What it may be applied to is checked where it is used. */
export function makeAggregate(fn: AggregateFunction, arg: LuaValue, alias: LuaValue): Tagged {
  return new Tagged(aggregateTag, alias === undefined ? { fn, arg } : { fn, arg, alias })
}
