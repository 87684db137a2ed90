import { type Kysely, type RawBuilder, sql } from 'kysely'
import { columnsOf, condition, tickOn } from './compile-filter.js'
import { compileSelect } from './compile-select.js'
import type { DeletePlan, InsertPlan, Plan, UpdatePlan } from './plan.js'
import type { QueryScope } from './query-scope.js'

/** A Kysely instance that only compiles; its schema is what plugins define. */
export type Compiler = Kysely<Record<string, Record<string, unknown>>>

/** SQL of a plan. */
export interface CompiledPlan {
  readonly sql: string
  /** For each placeholder the place of its value in the parameters of the plan. */
  readonly order: readonly number[]
  /** Key of each selected value in its row. */
  readonly keys: readonly string[]
  /** It sorts, groups or removes duplicates, so the rows that it looks at are bounded. */
  readonly sorts: boolean
}

/**
 * Makes the SQL of a plan.
 *
 * @throws DbFailure when a name of the plan cannot be resolved.
 */
export function compilePlan(compiler: Compiler, plan: Plan, scope: QueryScope): CompiledPlan {
  if (plan.kind === 'update') return finish(compiler, compileUpdate(plan, scope))
  if (plan.kind === 'delete') return finish(compiler, compileDelete(plan, scope))
  if (plan.kind === 'insert') return finish(compiler, compileInsert(plan, scope))
  const { query, keys, sorts } = compileSelect(plan, scope)
  return { ...finish(compiler, query), keys, sorts }
}

/** The values that the builders bind are places of parameters, so the compiled parameters tell their order. */
function finish(compiler: Compiler, query: RawBuilder<unknown>): CompiledPlan {
  const compiled = query.compile(compiler)
  return { sql: compiled.sql, order: compiled.parameters as readonly number[], keys: [], sorts: false }
}

function compileUpdate(plan: UpdatePlan, scope: QueryScope): RawBuilder<unknown> {
  const { physical, short } = scope.main
  const set = sql.join(plan.set.map(([column, value]) => sql`${sql.id(column)} = ${value}`))
  const where = sql`${tickOn(short)} and ${condition(plan.where, scope)}`
  return sql`update ${sql.id(physical)} as ${sql.id(short)} set ${set} where ${where}`
}

function compileDelete(plan: DeletePlan, scope: QueryScope): RawBuilder<unknown> {
  const { physical, short } = scope.main
  const where = sql`${tickOn(short)} and ${condition(plan.where, scope)}`
  return sql`delete from ${sql.id(physical)} as ${sql.id(short)} where ${where}`
}

function compileInsert(plan: InsertPlan, scope: QueryScope): RawBuilder<unknown> {
  const width = plan.columns.length
  const rows = Array.from({ length: plan.rows }, (_, row) => {
    const values = plan.columns.map((_, column) => sql`${row * width + column}`)
    return sql`(${sql.join(values)})`
  })
  const insert = sql`insert into ${sql.id(scope.main.physical)} (${columnsOf(plan.columns)}) values ${sql.join(rows)}`
  if (plan.conflict === undefined) return insert
  const target = sql`${insert} on conflict (${columnsOf(plan.conflict.columns)})`
  if (plan.conflict.set.length === 0) return sql`${target} do nothing`
  const set = plan.conflict.set.map(([column, value]) => sql`${sql.id(column)} = ${value}`)
  return sql`${target} do update set ${sql.join(set)}`
}
