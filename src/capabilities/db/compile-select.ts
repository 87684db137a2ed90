import { type RawBuilder, sql } from 'kysely'
import { condition, subject, tickOn } from './compile-filter.js'
import { DbFailure } from './failure.js'
import type { Filter, Join, SelectPlan, Subject } from './plan.js'
import type { QueryScope } from './query-scope.js'
import type { TableInfo } from './table-info.js'

/** A select with what the reader of its rows needs. */
export interface CompiledSelect {
  readonly query: RawBuilder<unknown>
  readonly keys: readonly string[]
  readonly sorts: boolean
}

interface Selected {
  readonly expression: RawBuilder<unknown>
  readonly key: string
}

/**
 * Makes the SQL of a query, a count or an existence test.
 *
 * @throws DbFailure when a name cannot be resolved.
 */
export function compileSelect(plan: SelectPlan, scope: QueryScope): CompiledSelect {
  if (plan.kind === 'count') {
    return { query: sql`select count(*) ${body(plan, scope)}`, keys: ['count'], sorts: false }
  }
  if (plan.kind === 'exists') {
    return { query: sql`select 1 ${body(plan, scope)} limit 1`, keys: ['found'], sorts: false }
  }
  const selected = selectedColumns(plan, scope)
  const list = sql.join(selected.map(({ expression }) => expression))
  const head = plan.distinct === true ? sql`select distinct ${list}` : sql`select ${list}`
  const limit = plan.limit === undefined ? sql`limit 1` : sql`limit ${plan.limit}`
  const page = plan.offset === undefined ? limit : sql`${limit} offset ${plan.offset}`
  const query = sql`${head} ${body(plan, scope)}${grouping(plan, scope)}${ordering(plan, scope)} ${page}`
  const sorts = plan.distinct === true || plan.orderBy !== undefined || plan.groupBy !== undefined
  return { query, keys: selected.map(({ key }) => key), sorts }
}

function body(plan: SelectPlan, scope: QueryScope): RawBuilder<unknown> {
  const { physical, short } = scope.main
  const joins = scope.joined.map(({ join, table }) => joinClause(join, table, scope))
  const terms: RawBuilder<unknown>[] = []
  if (needsTick(plan)) terms.push(tickOn(short))
  if (plan.where !== undefined) terms.push(condition(plan.where, scope))
  const where = terms.length === 0 ? sql`` : sql` where ${sql.join(terms, sql` and `)}`
  return sql`from ${sql.id(physical)} as ${sql.id(short)}${sql.join(joins, sql``)}${where}`
}

const joinWords: Readonly<Record<Join['type'], RawBuilder<unknown>>> = {
  inner: sql` inner join `,
  left: sql` left join `,
  right: sql` right join `,
}

function joinClause(join: Join, table: TableInfo, scope: QueryScope): RawBuilder<unknown> {
  const local = side(join.local, scope.main, scope)
  const foreign = side(join.foreign, table, scope)
  const on = sql`${tickOn(table.short)} and ${local} = ${foreign}`
  return sql`${joinWords[join.type]}${sql.id(table.physical)} as ${sql.id(table.short)} on ${on}`
}

/** A bare name in a join belongs to the side on which it stands. */
function side(reference: string, table: TableInfo, scope: QueryScope): RawBuilder<unknown> {
  return reference.includes('.') ? sql.id(...scope.resolve(reference)) : sql.id(table.short, reference)
}

/** A look-up by id touches one row, and an unfiltered page as many as its limit: neither can run long. */
function needsTick(plan: SelectPlan): boolean {
  if (plan.joins !== undefined) return true
  if (plan.where !== undefined) return !namesOneRow(plan.where, plan.table)
  if (plan.kind !== 'select') return false
  const walks = plan.distinct ?? plan.orderBy ?? plan.groupBy ?? plan.offset
  return walks !== undefined || plan.columns?.some((column) => typeof column !== 'string') === true
}

function namesOneRow(filter: Filter, table: string): boolean {
  if (filter.op === 'and') {
    return filter.of.some((each) => namesOneRow(each, table))
  }
  return filter.op === '=' && (filter.on === 'id' || filter.on === `${table}.id`)
}

function grouping(plan: SelectPlan, scope: QueryScope): RawBuilder<unknown> {
  if (plan.groupBy === undefined) return sql``
  const groups = sql.join(plan.groupBy.map((column) => subject(column, scope)))
  const having = plan.having === undefined ? sql`` : sql` having ${condition(plan.having, scope)}`
  return sql` group by ${groups}${having}`
}

function ordering(plan: SelectPlan, scope: QueryScope): RawBuilder<unknown> {
  if (plan.orderBy === undefined) return sql``
  const terms = plan.orderBy.map(({ on, desc }) =>
    desc ? sql`${subject(on, scope)} desc` : sql`${subject(on, scope)} asc`,
  )
  return sql` order by ${sql.join(terms)}`
}

/** Without `columns` all columns of all tables; a key that is taken gets the name of its table in front. */
function selectedColumns(plan: SelectPlan, scope: QueryScope): readonly Selected[] {
  const taken = new Set<string>()
  return wantedSubjects(plan, scope).map((on) => {
    const key = typeof on === 'string' ? freeKey(on, scope, taken) : on.alias
    if (taken.has(key))
      throw new DbFailure(`duplicate column "${key}" in columns; give the aggregate another alias`)
    taken.add(key)
    return { expression: subject(on, scope), key }
  })
}

function wantedSubjects(plan: SelectPlan, scope: QueryScope): readonly Subject[] {
  if (plan.columns !== undefined) return [...new Set(plan.columns)]
  const tables = [scope.main, ...scope.joined.map(({ table }) => table)]
  if (tables.length === 1) return scope.main.columns
  return tables.flatMap(({ short, columns }) => columns.map((column) => `${short}.${column}`))
}

function freeKey(reference: string, scope: QueryScope, taken: ReadonlySet<string>): string {
  const [table, column] = scope.resolve(reference)
  return taken.has(column) ? `${table}.${column}` : column
}
