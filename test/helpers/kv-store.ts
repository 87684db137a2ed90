import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDatabase } from '../../src/database/database.js'
import { openSqlite } from '../../src/database/sqlite.js'
import { encodeKey, type KvKey } from '../../src/kv/key.js'
import type { Observe } from '../../src/kv/sqlite/observers.js'
import { KvSession } from '../../src/kv/sqlite/session.js'
import { SqliteKvStore } from '../../src/kv/sqlite/sqlite-store.js'
import type { Check, Mutation } from '../../src/kv/store.js'
import { decodeValue, encodeValue } from '../../src/kv/stored-value.js'
import type { KvValue } from '../../src/kv/value.js'

export interface StoreOptions {
  readonly namespaceBytesMax?: number
  readonly observe?: (session: KvSession) => readonly Observe[]
}

/** A store in a file of its own, whose clock stands until it is moved. */
export interface StoreFixture {
  readonly file: string
  readonly session: KvSession
  readonly store: SqliteKvStore
  /** Milliseconds since 1970. */
  nowMs: number
  /** Another store on the same file, with a connection of its own. */
  open(options?: StoreOptions): { session: KvSession; store: SqliteKvStore }
  close(): void
}

export async function createStoreFixture(options: StoreOptions = {}): Promise<StoreFixture> {
  const directory = mkdtempSync(join(tmpdir(), 'modula-kv-'))
  const file = join(directory, 'kv.db')
  await (await createDatabase({ file })).close()
  const sessions: KvSession[] = []
  const time = { nowMs: 1_000_000 }
  const open = ({ namespaceBytesMax = 2 ** 40, observe }: StoreOptions = {}) => {
    const session = new KvSession(openSqlite({ file, busyTimeoutMs: 5000 }))
    sessions.push(session)
    const observers = observe?.(session) ?? []
    const store = new SqliteKvStore({ session, clock: () => time.nowMs, namespaceBytesMax, observers })
    return { session, store }
  }
  const close = () => {
    for (const session of sessions) session.connection.close()
    rmSync(directory, { recursive: true, force: true })
  }
  return Object.assign(time, { file, open, close, ...open(options) })
}

export function set(key: KvKey, value: KvValue, expiresAt?: number): Mutation {
  return { type: 'set', key: encodeKey(key), value: encodeValue(value, 0), expiresAt }
}

export function remove(key: KvKey): Mutation {
  return { type: 'delete', key: encodeKey(key) }
}

export function check(key: KvKey, versionstamp: number | null): Check {
  return { key: encodeKey(key), versionstamp }
}

/** Reads one value; undefined where there is none. */
export function valueAt(store: SqliteKvStore, namespace: string, key: KvKey): KvValue | undefined {
  const [entry] = store.read(namespace, [encodeKey(key)])
  return entry && decodeValue(entry)
}
