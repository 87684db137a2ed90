import type { Database } from 'better-sqlite3'
import { type RawBuilder, sql } from 'kysely'
import { contentLimits } from '../base/limits/content.js'
import { databaseScanTooLong } from './errors.js'

const guardFunction = 'host_scan_guard'

/** Rows between two looks at the clock. */
const rowsPerLook = 128

/**
 * Adds the SQL function behind `scanGuard` to a connection. It tells statements apart by the number that each one
 * passes, so that nothing has to be reset between them.
 */
export function installScanGuard(connection: Database): void {
  let statement: unknown
  let rows = 0
  let startMs = 0
  // The parameter of the row is what makes SQLite call it for every row.
  connection.function(guardFunction, { deterministic: false }, (_row: unknown, number: unknown) => {
    if (number !== statement) {
      statement = number
      rows = 0
      startMs = performance.now()
    }
    rows += 1
    const isLook = rows % rowsPerLook === 0
    const ms = isLook ? performance.now() - startMs : 0
    if (rows > contentLimits.scanRowsMax || ms > contentLimits.scanMs) {
      const { scanRowsMax: rowsMax, scanMs: msMax } = contentLimits
      throw databaseScanTooLong({ rows, ms: Math.round(performance.now() - startMs), rowsMax, msMax })
    }
    return 1
  })
}

/**
 * Makes the condition that stops a statement over one table once it has looked at too much; it must come first. A
 * statement on the HTTP thread can be left nowhere else.
 *
 * @param table Name or alias of the table in the statement.
 * @param statement A number that no other statement has had.
 */
export function scanGuard(table: string, statement: number): RawBuilder<boolean> {
  return sql<boolean>`${sql.raw(guardFunction)}(${sql.id(table, '_rowid_')}, ${statement})`
}
