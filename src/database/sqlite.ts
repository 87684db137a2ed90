import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import Sqlite, { type Database } from 'better-sqlite3'
import { HostError, messageOf } from '../base/errors.js'
import { databaseLimits } from '../base/limits/database.js'
import { databaseOpenFailed } from './errors.js'

/** How one connection is opened. */
export interface SqliteOptions {
  /** Path of the file, not a URI. Its folder is created (for this user only) when it is absent. */
  readonly file: string
  /** Time that a statement waits, blocking its thread, for another connection's lock; 0 raises SQLITE_BUSY at once. */
  readonly busyTimeoutMs: number
  /** Refuses writes; the file must exist. False when missing. */
  readonly readonly?: boolean
  /** Raises for an absent file in place of creating it. False when missing. */
  readonly mustExist?: boolean
}

/**
 * Opens a SQLite file with the settings that all connections of the host share. This is the only place that does.
 *
 * An acknowledged write survives the death of the process (SIGKILL, a crash): the commit is in the write-ahead log,
 * which the operating system keeps. With `synchronous = NORMAL` the log is not forced to the disk at each commit,
 * so a power cut may lose the last commits, never the integrity of the file.
 *
 * @returns The connection, for the caller to close.
 * @throws `DATABASE_OPEN_FAILED`, or SQLite's own SQLITE_BUSY error when another process holds the file locked.
 */
export function openSqlite(options: SqliteOptions): Database {
  const { file, busyTimeoutMs, readonly = false, mustExist = false } = options
  try {
    if (!readonly && !mustExist) createPrivateFile(file)
    const database = new Sqlite(file, { readonly, fileMustExist: true, timeout: busyTimeoutMs })
    try {
      harden(database)
      if (readonly) database.pragma('schema_version')
      else useWriteAheadLog(database, file)
      return database
    } catch (error) {
      database.close()
      throw error
    }
  } catch (error) {
    if (isBusy(error) || error instanceof HostError) throw error
    throw databaseOpenFailed({ file, reason: messageOf(error) }, { cause: error })
  }
}

/** Tells whether an error says that another connection holds the lock, so that trying again may succeed. */
export function isBusy(error: unknown): boolean {
  return error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_BUSY')
}

/**
 * Creates an empty file that only this user can read; SQLite gives its log files the same mode. A file that exists
 * is never opened here: closing a descriptor drops the locks that this process's connections hold on the file.
 */
function createPrivateFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}

/** better-sqlite3 itself opens with SQLITE_DBCONFIG_DEFENSIVE and without double-quoted strings. */
function harden(database: Database): void {
  database.pragma('foreign_keys = ON')
  // Views and triggers of a file that others wrote may not call functions with effects.
  database.pragma('trusted_schema = OFF')
  // Building a transient index is native work that no deadline check of a statement can interrupt.
  database.pragma('automatic_index = OFF')
  database.pragma('cell_size_check = ON')
}

function useWriteAheadLog(database: Database, file: string): void {
  const mode = database.pragma('journal_mode = WAL', { simple: true })
  if (mode !== 'wal') {
    const reason = 'its file system has no shared memory for the write-ahead log, as network drives do not'
    throw databaseOpenFailed({ file, reason })
  }
  database.pragma('synchronous = NORMAL')
  database.pragma(`journal_size_limit = ${databaseLimits.journalBytesMax}`)
}
