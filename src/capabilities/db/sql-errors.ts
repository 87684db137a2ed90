import { dbLimits } from '../../base/limits/database.js'
import { DbFailure } from './failure.js'
import { physicalName } from './names.js'
import type { DbSession } from './session.js'
import { StatementStopped } from './statement-clock.js'

/** Text with which the triggers of a table refuse a row. */
export const quotaExceeded = 'storage quota exceeded'

/**
 * Turns an error of SQLite into the failure that a plugin sees, with its own names for its tables. Anything else is
 * given back as it is: it is a mistake of the host, or a failure already.
 */
export function translateError(session: DbSession, plugin: string, error: unknown): unknown {
  if (error instanceof StatementStopped) return new DbFailure(error.message)
  if (!isSqliteError(error)) return error
  if (error.code.startsWith('SQLITE_BUSY')) {
    return new DbFailure('the database is busy: another write holds its lock (database is locked); try again')
  }
  if (error.message.includes(quotaExceeded)) return new DbFailure(quotaMessage(session, plugin))
  if (error.code === 'SQLITE_TOOBIG') {
    return new DbFailure(`a value is too large; the limit is ${dbLimits.valueBytesMax} bytes`)
  }
  return new DbFailure(error.message.replaceAll(physicalName(plugin, ''), '').replaceAll('main.', ''))
}

function isSqliteError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && error.name === 'SqliteError' && 'code' in error
}

function quotaMessage(session: DbSession, plugin: string): string {
  const row = session
    .host('select bytes, quota_bytes from plugin_storage where plugin_name = ?')
    .get(plugin) as { bytes: number; quota_bytes: number } | undefined
  if (row === undefined) return quotaExceeded
  return `${quotaExceeded}: ${row.bytes} of ${row.quota_bytes} bytes are stored and this write needs more; delete rows, or ask the operator to raise plugin_storage_quota`
}
