import type { Database } from 'better-sqlite3'
import { databaseLimits } from '../base/limits/database.js'
import { databaseClosed } from './errors.js'
import { openSqlite } from './sqlite.js'

/** The connection that one executor thread runs the statements of plugins on. */
export interface ExecutorDatabase {
  /** Opened at first use; a thread that never touches the database holds no file. */
  connection(): Database
  close(): void
}

/** Where an executor thread finds its database. */
export interface ExecutorDatabaseOptions {
  /** Path of the file; `createDatabase` has created it and its core tables before. */
  readonly file: string
}

/**
 * Creates the lazily opened connection of one thread. Its statements wait `databaseLimits.executorBusyMs` for a
 * lock, then raise SQLITE_BUSY. `connection()` throws `DATABASE_OPEN_FAILED` when there is no such file, and
 * `DATABASE_CLOSED` after `close()`; after a failure the next use tries to open it again.
 */
export function createExecutorDatabase({ file }: ExecutorDatabaseOptions): ExecutorDatabase {
  let database: Database | undefined
  let closed = false
  return {
    connection() {
      if (closed) throw databaseClosed()
      database ??= openSqlite({ file, busyTimeoutMs: databaseLimits.executorBusyMs, mustExist: true })
      return database
    },
    close() {
      closed = true
      database?.close()
      database = undefined
    },
  }
}
