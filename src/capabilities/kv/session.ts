import type { Database } from 'better-sqlite3'
import { createKvClock } from '../../kv/clock.js'
import { EntryCounter } from '../../kv/sqlite/entry-counter.js'
import { createSqliteStores, type SqliteStores } from '../../kv/sqlite/stores.js'
import type { KvServices } from '../services.js'

/** The key-value store over one connection. */
export interface KvConnection extends SqliteStores {
  readonly counter: EntryCounter
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
    const stores = createSqliteStores({
      connection,
      clock,
      committed: () => services.committed(),
      namespaceBytesMax: services.namespaceBytes,
      onDropped: ({ plugin }, reason) => services.changeDropped(plugin, reason),
    })
    const opened = { ...stores, counter: new EntryCounter(stores.session, clock), clock }
    known.set(connection, opened)
    return opened
  }
}
