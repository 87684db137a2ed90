import { type LuaValue, Tagged } from '../../sandbox/lua-value.js'
import { DbFailure } from './failure.js'
import { columnReference, isColumnName } from './names.js'
import { aggregateTag } from './operators.js'
import { type Aggregate, type AggregateFunction, aggregateFunctions } from './plan.js'

/**
 * Reads an aggregate that `db.agg_count` or the like made. Without an alias its result is called after the function
 * and the column: `count`, `sum_price`.
 *
 * @throws DbFailure when the value is not an aggregate or its column or alias is invalid.
 */
export function aggregateFrom(value: LuaValue): Aggregate {
  if (!(value instanceof Tagged) || value.tag !== aggregateTag) {
    throw new DbFailure('a table in columns must be an aggregate such as db.agg_count("*", "total")')
  }
  const { fn, arg, alias } = value.fields
  if (!isAggregateFunction(fn)) throw new DbFailure('invalid aggregate function')
  if (arg === '*') {
    if (fn !== 'count') throw new DbFailure(`aggregate ${fn} does not support *; name a column`)
    return { fn, arg, alias: aliasOf(alias, fn) }
  }
  const column = columnReference('aggregate ', arg)
  return { fn, arg: column, alias: aliasOf(alias, `${fn}_${column.replace('.', '_')}`) }
}

function isAggregateFunction(value: LuaValue): value is AggregateFunction {
  return (aggregateFunctions as readonly LuaValue[]).includes(value)
}

function aliasOf(alias: LuaValue, otherwise: string): string {
  if (alias === undefined) return otherwise
  if (typeof alias === 'string' && isColumnName(alias)) return alias
  throw new DbFailure('invalid column alias of an aggregate: use letters, digits and "_", and no SQL keyword')
}
