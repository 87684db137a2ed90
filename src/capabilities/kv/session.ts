import type { Database } from 'better-sqlite3'
import { createKvClock } from '../../kv/clock.js'
import type { QueueStore } from '../../kv/queue-store.js'
import { EntryCounter } from '../../kv/sqlite/entry-counter.js'
import { SqliteQueueStore } from '../../kv/sqlite/queue-store.js'
import { EntrySearch } from '../../kv/sqlite/search/entry-search.js'
import { SearchIndexes } from '../../kv/sqlite/search/search-indexes.js'
import { createSearchObserver } from '../../kv/sqlite/search/search-observer.js'
import { KvSession } from '../../kv/sqlite/session.js'
import { SqliteKvStore } from '../../kv/sqlite/sqlite-store.js'
import { createTriggerObserver } from '../../kv/sqlite/triggers.js'
import type { KvStore } from '../../kv/store.js'
import type { KvServices } from '../services.js'

/** The key-value store over one connection. */
export interface KvConnection {
  readonly session: KvSession
  readonly store: KvStore
  readonly queues: QueueStore
  readonly counter: EntryCounter
  readonly indexes: SearchIndexes
  readonly finder: EntrySearch
  /** Milliseconds since 1970 that never go back in this thread. */
  readonly clock: () => number
}

/** Gives the store of a connection; it lives as long as the connection is referenced. */
export type KvLookup = (connection: Database, services: KvServices) => KvConnection

/**
 * Creates the lookup of stores by connection.
 *
 * @param clock Milliseconds since 1970 that never go back.
 */
export function createKvLookup(clock: () => number = createKvClock()): KvLookup {
  const known = new WeakMap<Database, KvConnection>()
  return (connection, services) => {
    const found = known.get(connection)
    if (found !== undefined) return found
    const opened = open(connection, services, clock)
    known.set(connection, opened)
    return opened
  }
}

function open(connection: Database, services: KvServices, clock: () => number): KvConnection {
  const session = new KvSession(connection, () => services.committed())
  const observers = [
    createTriggerObserver(session, ({ plugin }) => services.changeDropped(plugin)),
    createSearchObserver(session),
  ]
  const store = new SqliteKvStore({ session, clock, namespaceBytesMax: services.namespaceBytes, observers })
  return {
    session,
    store,
    queues: new SqliteQueueStore(session, store),
    counter: new EntryCounter(session, clock),
    indexes: new SearchIndexes(session),
    finder: new EntrySearch(session),
    clock,
  }
}
