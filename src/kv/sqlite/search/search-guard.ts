import type { Database } from 'better-sqlite3'
import { kvSearchLimits } from '../../../base/limits/kv.js'
import { kvSearchTooBroad } from '../../errors.js'

/** SQL function that is asked for every document that a query finds. */
export const searchGuardFunction = 'kv_search_guard'

/**
 * Adds the SQL function to a connection. It ends a search that finds too much by throwing, as a thread inside SQLite
 * can be stopped in no other way.
 *
 * Its parameters are the row, which makes SQLite call it for every row, and the end of the search on the clock of
 * `performance.now()`, which tells searches apart.
 */
export function installSearchGuard(connection: Database): void {
  let search: unknown
  let matches = 0
  connection.function(searchGuardFunction, { deterministic: false }, (_row: unknown, endMs: unknown) => {
    if (endMs !== search) {
      search = endMs
      matches = 0
    }
    matches += 1
    if (matches > kvSearchLimits.matchesMax) {
      throw tooBroad(`it finds more than ${kvSearchLimits.matchesMax} documents`)
    }
    checkSearchTime(endMs as number)
    return 1
  })
}

/** @throws `KV_SEARCH_TOO_BROAD` once the time of a search is over. */
export function checkSearchTime(endMs: number): void {
  if (performance.now() > endMs) throw tooBroad(`it took longer than ${kvSearchLimits.searchMs} ms`)
}

const narrower = 'Add words that fewer entries contain, or leave out those that nearly all do.'

/** Makes the error for a search that looks at too much. */
export function tooBroad(problem: string, remedy = narrower): Error {
  return kvSearchTooBroad({ problem, remedy })
}
