import { Kysely, type Transaction } from 'kysely'
import { type BusyRetryOptions, retryWhileBusy } from './busy-retry.js'
import { createSqliteDialect } from './dialect.js'
import { databaseClosed } from './errors.js'
import { migrateCoreTables } from './migrate.js'
import { type PreparedRead, PreparedReads } from './prepared-reads.js'
import { installScanGuard } from './scan-guard.js'
import { openSqlite } from './sqlite.js'
import type { CoreTables } from './tables.js'

/** The part of a logger that this folder uses; pino's loggers have it. */
export interface DatabaseLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/** How `createDatabase` opens its file. */
export interface DatabaseOptions {
  /** Path of the SQLite file; created with its folder when absent. */
  readonly file: string
  /** Silent when missing. */
  readonly log?: DatabaseLog
  /** Time that work waits for a lock; `databaseLimits.busyRetryMs` when missing. */
  readonly busyRetryMs?: number
}

/**
 * The core tables, for the HTTP thread. No statement ever waits for a lock inside SQLite, which would stop the
 * event loop: it fails with SQLITE_BUSY and is tried again on a timer.
 *
 * There is one connection. Work inside a transaction uses the transaction's own handle and nothing else: another
 * member of this object would wait for the connection that the transaction holds, for ever.
 */
export interface CoreDatabase {
  /** For building and for reads, which no writer blocks. A write through it rejects with SQLITE_BUSY at once. */
  readonly kysely: Kysely<CoreTables>
  /**
   * Runs one statement, again while the file is locked.
   *
   * @throws `DATABASE_BUSY` (503) when the lock outlasts the limit; `DATABASE_CLOSED` (503) after `close()`.
   */
  withBusyRetry<T>(work: (kysely: Kysely<CoreTables>) => Promise<T>): Promise<T>
  /**
   * Runs work in one transaction that holds the write lock from its start; commits when it resolves, rolls back
   * and passes the error on when it rejects. Plugins cannot write meanwhile: keep it short, await nothing but its
   * statements. Begins again while the file is locked; errors as `withBusyRetry`.
   */
  transaction<T>(work: (transaction: Transaction<CoreTables>) => Promise<T>): Promise<T>
  /**
   * Prepares a read that is asked for with each request, on a connection of its own: it costs a seventh of one that is
   * built each time, and waits for no transaction of this process.
   *
   * @param text SQL that only reads, with `?` for what `first` is given.
   */
  prepareRead<Row>(text: string): PreparedRead<Row>
  /** Refuses further work, waits for what is under way and closes the connection. Further calls do nothing. */
  close(): Promise<void>
}

/**
 * Opens the database of the HTTP thread and brings the core tables to this version.
 *
 * @throws `DATABASE_OPEN_FAILED`, `DATABASE_SCHEMA_UNKNOWN`, or `DATABASE_BUSY` when another process holds the
 * file locked.
 */
export async function createDatabase(options: DatabaseOptions): Promise<CoreDatabase> {
  const { file, log } = options
  const retry: BusyRetryOptions = {
    ...(options.busyRetryMs === undefined ? {} : { busyRetryMs: options.busyRetryMs }),
    onRetry: (attempt, waitedMs) => {
      // Short waits are ordinary; the fifth pause says that somebody holds the lock for long.
      if (attempt === 5) log?.warn({ file, waitedMs }, 'database is locked by another writer, still trying')
    },
  }
  const connection = await retryWhileBusy(() => openSqlite({ file, busyTimeoutMs: 0 }), retry)
  installScanGuard(connection)
  const kysely = new Kysely<CoreTables>({ dialect: createSqliteDialect(connection) })
  try {
    const applied = await retryWhileBusy(() => migrateCoreTables(kysely, file), retry)
    if (applied.length > 0) log?.info({ file, migrations: applied }, 'database schema brought up to date')
  } catch (error) {
    connection.close()
    throw error
  }
  return new SqliteCoreDatabase(kysely, new PreparedReads(file), retry)
}

class SqliteCoreDatabase implements CoreDatabase {
  readonly kysely: Kysely<CoreTables>
  readonly #reads: PreparedReads
  readonly #retry: BusyRetryOptions
  readonly #pending = new Set<Promise<unknown>>()
  #closing: Promise<void> | undefined

  constructor(kysely: Kysely<CoreTables>, reads: PreparedReads, retry: BusyRetryOptions) {
    this.kysely = kysely
    this.#reads = reads
    this.#retry = retry
  }

  async withBusyRetry<T>(work: (kysely: Kysely<CoreTables>) => Promise<T>): Promise<T> {
    if (this.#closing) throw databaseClosed()
    const running = retryWhileBusy(() => work(this.kysely), this.#retry)
    this.#pending.add(running)
    try {
      return await running
    } finally {
      this.#pending.delete(running)
    }
  }

  transaction<T>(work: (transaction: Transaction<CoreTables>) => Promise<T>): Promise<T> {
    return this.withBusyRetry((kysely) => kysely.transaction().execute(work))
  }

  prepareRead<Row>(text: string): PreparedRead<Row> {
    const ask = this.#reads.prepare<Row>(text)
    return { first: (...parameters) => this.withBusyRetry(async () => ask(parameters)) }
  }

  close(): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#pending).then(() => {
      this.#reads.close()
      return this.kysely.destroy()
    })
    return this.#closing
  }
}
