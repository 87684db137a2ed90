import { dbLimits } from '../../base/limits/database.js'
import { type LuaObject, Rows } from '../../sandbox/lua-value.js'
import type { Call } from '../define.js'
import { guardCascades } from './cascade-guard.js'
import { compilePlan } from './compile.js'
import { DbFailure } from './failure.js'
import { excerpt } from './names.js'
import type { Join, Parameters, Plan, SelectPlan } from './plan.js'
import { QueryScope } from './query-scope.js'
import type { DbSession, Prepared } from './session.js'
import { translateError } from './sql-errors.js'
import { StatementStopped } from './statement-clock.js'
import type { TableInfo } from './table-info.js'
import { ownerKey, requireTable } from './table-registry.js'
import { currentTransaction, expireTransaction, noticeLostTransaction } from './transaction.js'
import { fromSql } from './values.js'

/** One use of the database by one call of a plugin. */
export interface DbUse {
  readonly session: DbSession
  readonly call: Call
}

/**
 * Runs a query and gives all its rows.
 *
 * @throws DbFailure
 */
export function selectRows(use: DbUse, plan: SelectPlan, parameters: Parameters): Rows {
  return run(use, plan, parameters, ({ statement, keys }, values) => {
    const rows: unknown[][] = []
    let bytesLeft = dbLimits.resultBytesMax
    for (const row of statement.iterate(values)) {
      for (let at = 0; at < row.length; at += 1) {
        const value = row[at]
        if (typeof value === 'bigint') row[at] = fromSql(value)
        else if (typeof value === 'string' || value instanceof Uint8Array) bytesLeft -= value.length
      }
      if (bytesLeft < 0) throw resultTooLarge()
      rows.push(row)
    }
    return new Rows(keys, rows)
  })
}

/**
 * Runs a query and gives its first row as a table; undefined when there is none.
 *
 * @throws DbFailure
 */
export function selectOne(use: DbUse, plan: SelectPlan, parameters: Parameters): LuaObject | undefined {
  const { keys, row } = run(use, plan, parameters, (prepared, values) => ({
    keys: prepared.keys,
    row: prepared.statement.get(values),
  }))
  if (row === undefined) return undefined
  const object = Object.create(null) as LuaObject
  for (let at = 0; at < keys.length; at += 1) {
    const value = row[at]
    if (value !== null) object[keys[at] as string] = fromSql(value)
  }
  return object
}

/**
 * Runs a statement that writes.
 *
 * @throws DbFailure
 */
export function write(use: DbUse, plan: Plan, parameters: Parameters): void {
  if (plan.kind === 'delete') guardCascades(use.session, use.call.owner.plugin)
  run(use, plan, parameters, ({ statement }, values) => {
    statement.run(values)
  })
}

function resultTooLarge(): DbFailure {
  return new DbFailure(
    `the result is larger than ${dbLimits.resultBytesMax} bytes; select fewer columns or set a limit`,
  )
}

function run<Result>(
  { session, call }: DbUse,
  plan: Plan,
  parameters: Parameters,
  body: (prepared: Prepared, values: unknown[]) => Result,
): Result {
  const transaction = currentTransaction(session, call)
  try {
    const prepared = prepare(session, call, plan)
    const callDeadlineMs = call.budget.deadlineMs
    if (transaction !== undefined) {
      session.clock.start(call.budget, transaction.deadlineMs, 'transaction', prepared.rowsMax)
    } else if (prepared.statement.readonly) {
      session.clock.start(call.budget, callDeadlineMs, 'call', prepared.rowsMax)
    } else {
      const writeDeadlineMs = performance.now() + dbLimits.writeStatementMs
      const bound = writeDeadlineMs < callDeadlineMs ? 'write' : 'call'
      session.clock.start(call.budget, Math.min(writeDeadlineMs, callDeadlineMs), bound, prepared.rowsMax)
    }
    return body(prepared, inOrder(prepared, parameters))
  } catch (error) {
    if (error instanceof StatementStopped && error.bound === 'transaction') expireTransaction(session, call)
    const failure = translateError(session, call.owner.plugin, error)
    if (failure instanceof DbFailure) noticeLostTransaction(session, failure.message)
    throw failure
  } finally {
    session.clock.stop()
  }
}

function inOrder({ order }: Prepared, { values }: Parameters): unknown[] {
  return order === undefined ? values : order.map((place) => values[place])
}

function prepare(session: DbSession, call: Call, plan: Plan): Prepared {
  const key = `${ownerKey(call.owner)}/${JSON.stringify(plan)}`
  const known = session.statements.get(key)
  if (known !== undefined) return known
  const compiled = compilePlan(session.compiler, plan, scopeOf(session, call, plan))
  const statement = session.connection.prepare<unknown[], unknown[]>(compiled.sql)
  if (statement.reader) statement.raw(true).safeIntegers(true)
  const prepared: Prepared = {
    statement,
    order: compiled.order.every((place, at) => place === at) ? undefined : compiled.order,
    keys: compiled.keys,
    rowsMax: compiled.sorts ? dbLimits.sortedRowsMax : Number.POSITIVE_INFINITY,
  }
  session.statements.set(key, prepared)
  return prepared
}

function scopeOf(session: DbSession, call: Call, plan: Plan): QueryScope {
  const main = requireTable(session, call.owner, plan.table)
  const joins = 'joins' in plan ? (plan.joins ?? []) : []
  return new QueryScope(
    main,
    joins.map((join) => ({ join, table: joinedTable(session, call, join) })),
  )
}

function joinedTable(session: DbSession, call: Call, join: Join): TableInfo {
  try {
    return requireTable(session, call.owner, join.table)
  } catch (error) {
    if (!(error instanceof DbFailure) || !error.message.startsWith('no such table')) throw error
    throw new DbFailure(
      `no such table: ${excerpt(join.table)}; a join reaches only tables that this plugin has defined (cross-plugin access denied)`,
    )
  }
}
