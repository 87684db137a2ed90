import { type RawBuilder, sql } from 'kysely'
import { rowNumberColumn } from './names.js'
import type { Comparison, Filter, Subject } from './plan.js'
import type { QueryScope } from './query-scope.js'

/** Name of the SQL function that stops a statement whose time is over. */
export const tickFunction = 'plugin_tick'

const comparisonSql: Readonly<Record<Comparison, RawBuilder<unknown>>> = {
  '=': sql`=`,
  '<>': sql`<>`,
  '>': sql`>`,
  '>=': sql`>=`,
  '<': sql`<`,
  '<=': sql`<=`,
  like: sql`like`,
  'not like': sql`not like`,
}

/**
 * Makes the term that looks at the deadline for every row of a table. The row number is part of every index, so the
 * term runs wherever SQLite walks over the table, and no index is lost by it.
 */
export function tickOn(table: string): RawBuilder<unknown> {
  return sql`${sql.raw(tickFunction)}(${sql.id(table, rowNumberColumn)})`
}

/** Makes a list of bare column names. */
export function columnsOf(columns: readonly string[]): RawBuilder<unknown> {
  return sql.join(columns.map((column) => sql.id(column)))
}

/** Makes a qualified column, or an aggregate of one. */
export function subject(on: Subject, scope: QueryScope): RawBuilder<unknown> {
  if (typeof on === 'string') return sql.id(...scope.resolve(on))
  const arg = on.arg === '*' ? sql`*` : sql.id(...scope.resolve(on.arg))
  switch (on.fn) {
    case 'count':
      return sql`count(${arg})`
    case 'sum':
      return sql`sum(${arg})`
    case 'avg':
      return sql`avg(${arg})`
    case 'min':
      return sql`min(${arg})`
    case 'max':
      return sql`max(${arg})`
  }
}

/** Makes the SQL of a filter; the values bound are places of parameters. */
export function condition(filter: Filter, scope: QueryScope): RawBuilder<unknown> {
  switch (filter.op) {
    case 'and':
      return sql`(${sql.join(
        filter.of.map((each) => condition(each, scope)),
        sql` and `,
      )})`
    case 'or':
      return sql`(${sql.join(
        filter.of.map((each) => condition(each, scope)),
        sql` or `,
      )})`
    case 'not':
      return sql`not (${condition(filter.of, scope)})`
    case 'null':
      return sql`${subject(filter.on, scope)} is null`
    case 'not null':
      return sql`${subject(filter.on, scope)} is not null`
    case 'between':
      return sql`${subject(filter.on, scope)} between ${filter.low} and ${filter.high}`
    case 'in':
      return sql`${subject(filter.on, scope)} in (${places(filter)})`
    case 'not in':
      return sql`${subject(filter.on, scope)} not in (${places(filter)})`
    case 'like':
    case 'not like':
      return like(filter.op, filter.on, filter.value, scope)
    default:
      return sql`${subject(filter.on, scope)} ${comparisonSql[filter.op]} ${filter.value}`
  }
}

function places({ first, count }: { first: number; count: number }): RawBuilder<unknown> {
  return sql.join(Array.from({ length: count }, (_, at) => sql`${first + at}`))
}

/** A comparison with a long text takes long, so each looks at the deadline itself. CASE keeps the two together. */
function like(op: Comparison, on: Subject, value: number, scope: QueryScope): RawBuilder<unknown> {
  const table = typeof on === 'string' ? scope.resolve(on)[0] : scope.main.short
  return sql`case when ${tickOn(table)} then ${subject(on, scope)} ${comparisonSql[op]} ${value} end`
}
