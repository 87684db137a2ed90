import type { Database } from 'better-sqlite3'
import { SqliteQueueStore } from './queue-store.js'
import { EntrySearch } from './search/entry-search.js'
import { SearchIndexes } from './search/search-indexes.js'
import { createSearchObserver } from './search/search-observer.js'
import { KvSession } from './session.js'
import { SqliteKvStore } from './sqlite-store.js'
import { SqliteTriggerStore } from './trigger-store.js'
import { createTriggerObserver, type OnDropped } from './triggers.js'

/** What the stores of one connection are made of. */
export interface StoreOptions {
  readonly connection: Database
  /** Called after each commit of this connection; `CommitSignal.committed`. */
  readonly committed: () => void
  /** Milliseconds since 1970 that never go back. */
  readonly clock: () => number
  /** Bytes that one namespace may hold. */
  readonly namespaceBytesMax: number
  /** Told when a change was not queued for a plugin; see `DropReason`. */
  readonly onDropped: OnDropped
}

/** Everything that works on the key-value tables through one connection. */
export interface SqliteStores {
  readonly session: KvSession
  readonly entries: SqliteKvStore
  readonly queues: SqliteQueueStore
  readonly triggers: SqliteTriggerStore
  readonly indexes: SearchIndexes
  readonly search: EntrySearch
}

/** Puts the stores of one connection together: commits feed the search indexes and the triggers. */
export function createSqliteStores(options: StoreOptions): SqliteStores {
  const { connection, committed, clock, namespaceBytesMax, onDropped } = options
  const session = new KvSession(connection, committed)
  const entries = new SqliteKvStore({
    session,
    clock,
    namespaceBytesMax,
    observers: [createSearchObserver(session), createTriggerObserver(session, onDropped)],
  })
  return {
    session,
    entries,
    queues: new SqliteQueueStore(session, entries),
    triggers: new SqliteTriggerStore(session),
    indexes: new SearchIndexes(session),
    search: new EntrySearch(session),
  }
}
