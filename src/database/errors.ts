import { defineError } from '../base/errors.js'

/** Raised for a `database_url` that this version cannot use; `{problem}` never repeats the URL, which may hold a password. */
export const databaseUrlInvalid = defineError(
  'DATABASE_URL_INVALID',
  500,
  'The database_url cannot be used: {problem}. Write "sqlite:" and a file path, e.g. "sqlite:./data/modula.db".',
)

/** Raised when a file cannot be opened as a database; `{reason}` is what the system or SQLite says. */
export const databaseOpenFailed = defineError(
  'DATABASE_OPEN_FAILED',
  500,
  'The database file {file} cannot be opened: {reason}. Check that it is a SQLite file on a local disk with free space, and that this user may write it and its folder.',
)

/** Raised when the file holds migrations that this version does not know. */
export const databaseSchemaUnknown = defineError(
  'DATABASE_SCHEMA_UNKNOWN',
  500,
  'The database file {file} has a schema that this version does not know ({reason}). Start the version of modulacms that wrote it, or a later one, or point database_url at another file.',
)

/** Raised when another connection has held the write lock for longer than this host waits. */
export const databaseBusy = defineError(
  'DATABASE_BUSY',
  503,
  'The database stayed locked by another writer for {waitedMs} ms, the limit is {limitMs} ms; try again.',
)

/** Raised for work that arrives after `close()`. */
export const databaseClosed = defineError(
  'DATABASE_CLOSED',
  503,
  'The database is closed because the host is shutting down; try again once it has started.',
)

/** Raised for a read that looks at more rows, or takes longer, than the HTTP thread can wait for. */
export const databaseScanTooLong = defineError(
  'DATABASE_SCAN_TOO_LONG',
  422,
  'This read was stopped: it looked at {rows} rows in {ms} ms, and the limits are {rowsMax} rows and {msMax} ms. Narrow it with a filter on an indexed column, such as id, slug or status.',
)
