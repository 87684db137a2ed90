import type { Database } from 'better-sqlite3'
import { dbLimits } from '../../base/limits/database.js'
import type { CallBudget } from '../../sandbox/host-function.js'
import { tickFunction } from './compile-filter.js'

/**
 * What bounds a statement: the time of its call, of its transaction or of one write, the rows it looks at, or others
 * who need the executor.
 */
export type StatementBound = 'call' | 'transaction' | 'write' | 'rows' | 'evicted'

const messages: Readonly<Record<StatementBound, string>> = {
  call: 'statement stopped: the time of this call is over',
  transaction: `statement stopped: the transaction took longer than ${dbLimits.transactionMs} ms and was rolled back; do less in one transaction`,
  write: `statement stopped and undone: one write may take ${dbLimits.writeStatementMs} ms; narrow its filter, add an index or work in smaller parts`,
  evicted: 'statement stopped: others need the executor',
  rows: `statement stopped: sorting, grouping and distinct may look at ${dbLimits.sortedRowsMax} rows; narrow the filter or add an index`,
}

/** Thrown out of a running statement when it has reached a bound. */
export class StatementStopped extends Error {
  readonly bound: StatementBound

  constructor(bound: StatementBound) {
    super(messages[bound])
    this.name = 'StatementStopped'
    this.bound = bound
  }
}

/**
 * Stops statements that take too long. SQLite calls `plugin_tick` for the rows that a statement looks at; that is
 * the only place where a running statement can be left, because a thread inside SQLite cannot be terminated.
 */
export class StatementClock {
  #deadlineMs = Number.POSITIVE_INFINITY
  #bound: StatementBound = 'call'
  #rowsLeft = Number.POSITIVE_INFINITY
  #budget: CallBudget | undefined

  /** Adds the SQL function to a connection. */
  install(connection: Database): void {
    // The parameter is what makes SQLite call it for every row of a table.
    const tick = (_row: unknown): number => this.#tick()
    connection.function(tickFunction, { deterministic: false }, tick)
  }

  /** Sets the bounds of the next statement of a call; the time is on the clock of `performance.now()`. */
  start(budget: CallBudget, deadlineMs: number, bound: StatementBound, rowsMax: number): void {
    this.#budget = budget
    this.#deadlineMs = deadlineMs
    this.#bound = bound
    this.#rowsLeft = rowsMax
  }

  /** Lifts the bounds, for statements of the host itself. */
  stop(): void {
    this.#budget = undefined
    this.#deadlineMs = Number.POSITIVE_INFINITY
    this.#rowsLeft = Number.POSITIVE_INFINITY
  }

  #tick(): number {
    this.#rowsLeft -= 1
    if (this.#rowsLeft < 0) throw new StatementStopped('rows')
    if (performance.now() > this.#deadlineMs) throw new StatementStopped(this.#bound)
    if (this.#budget?.isEvicted === true) throw new StatementStopped('evicted')
    return 1
  }
}
