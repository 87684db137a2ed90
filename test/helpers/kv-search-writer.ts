import { workerData } from 'node:worker_threads'
import { openSqlite } from '../../src/database/sqlite.js'
import { createSearchObserver } from '../../src/kv/sqlite/search/search-observer.js'
import { KvSession } from '../../src/kv/sqlite/session.js'
import { SqliteKvStore } from '../../src/kv/sqlite/sqlite-store.js'
import { remove, set } from './kv-store.js'

/** What a writing thread is told. */
export interface WriterTask {
  readonly file: string
  readonly namespace: string
  /** Entries below `p`, by number; each is written or deleted once. */
  readonly entries: number
}

// Goes over all entries backwards, towards whoever takes them into an index: every third is deleted.
const { file, namespace, entries } = workerData as WriterTask
const session = new KvSession(openSqlite({ file, busyTimeoutMs: 10_000 }))
const observers = [createSearchObserver(session)]
const store = new SqliteKvStore({ session, clock: () => 1_000_000, namespaceBytesMax: 2 ** 40, observers })
for (let at = entries - 1; at >= 0; at -= 1) {
  const mutation = at % 3 === 0 ? remove(['p', at]) : set(['p', at], 'fresh')
  store.commit(namespace, { checks: [], mutations: [mutation] })
}
session.connection.close()
