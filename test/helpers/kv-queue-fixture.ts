import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kvLimits } from '../../src/base/limits/kv.js'
import { createDatabase } from '../../src/database/database.js'
import { openSqlite } from '../../src/database/sqlite.js'
import { encodeKey, type KvKey } from '../../src/kv/key.js'
import type { KvEnqueueOptions } from '../../src/kv/kv.js'
import { encodeMessage } from '../../src/kv/queue-options.js'
import { SqliteQueueStore } from '../../src/kv/sqlite/queue-store.js'
import { KvSession } from '../../src/kv/sqlite/session.js'
import { SqliteKvStore } from '../../src/kv/sqlite/sqlite-store.js'
import { createTriggerObserver } from '../../src/kv/sqlite/triggers.js'
import { decodeValue } from '../../src/kv/stored-value.js'
import type { KvValue } from '../../src/kv/value.js'

/** A file with the core tables, and as many connections to it as a test opens. */
export interface QueueFile {
  readonly file: string
  open(options?: QueueDoorOptions): QueueDoor
  close(): void
}

export interface QueueDoorOptions {
  /** 0 when missing. */
  readonly busyTimeoutMs?: number
  readonly namespaceBytesMax?: number
  readonly onCommit?: () => void
  /** That of `enqueue` when missing. */
  readonly clock?: () => number
}

/** The store as one connection sees it. */
export interface QueueDoor {
  readonly session: KvSession
  readonly entries: SqliteKvStore
  readonly queues: SqliteQueueStore
  /** Commits that this connection has told about. */
  readonly commits: () => number
  enqueue(namespace: string, value: KvValue, options?: KvEnqueueOptions, nowMs?: number): number
  /** The value of an entry; undefined when there is none. */
  entry(namespace: string, key: KvKey): KvValue | undefined
  /** What the row of the namespace counts, beside what its tables hold. */
  accounts(namespace: string): { readonly counted: Account; readonly held: Account }
  /** Leaves what is not committed, as a process that dies does. */
  close(): void
}

export interface Account {
  readonly messages: number
  readonly bytes: number
}

export async function createQueueFile(): Promise<QueueFile> {
  const folder = mkdtempSync(join(tmpdir(), 'modula-kv-queue-'))
  const file = join(folder, 'test.db')
  const core = await createDatabase({ file })
  await core.close()
  const doors = new Set<QueueDoor>()
  return {
    file,
    open(options) {
      const door = openQueueDoor(file, options)
      doors.add(door)
      return door
    },
    close() {
      for (const door of doors) door.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export function openQueueDoor(file: string, options: QueueDoorOptions = {}): QueueDoor {
  const { busyTimeoutMs = 0, namespaceBytesMax = 2 ** 40 } = options
  const connection = openSqlite({ file, busyTimeoutMs, mustExist: true })
  let commits = 0
  const session = new KvSession(connection, () => {
    commits += 1
    options.onCommit?.()
  })
  let clockMs = 0
  const entries = new SqliteKvStore({
    session,
    clock: options.clock ?? (() => clockMs),
    namespaceBytesMax,
    observers: [createTriggerObserver(session, () => {})],
  })
  return {
    session,
    entries,
    queues: new SqliteQueueStore(session, entries),
    commits: () => commits,
    enqueue(namespace, value, enqueueOptions = {}, nowMs = 0) {
      clockMs = nowMs
      const message = encodeMessage(value, enqueueOptions, nowMs)
      const result = entries.commit(namespace, { checks: [], mutations: [{ type: 'enqueue', message }] })
      return result.messageIds[0] ?? Number.NaN
    },
    entry(namespace, key) {
      const [entry] = entries.read(namespace, [encodeKey(key)])
      return entry && decodeValue(entry)
    },
    accounts(namespace) {
      const id = session.namespaceId(namespace)
      const counted = connection.prepare('select messages, bytes from kv_namespaces where id = ?').get(id)
      const held = connection
        .prepare(
          `select (select count(*) from kv_messages where namespace = $id) as messages,
            (select coalesce(sum(bytes), 0) from kv_messages where namespace = $id)
            + (select coalesce(sum(bytes), 0) from kv_dead_letters where namespace = $id)
            + (select coalesce(sum(length(key) + octet_length(value) + ${kvLimits.entryBytes}), 0)
              from kv_entries where namespace = $id) as bytes`,
        )
        .get({ id })
      return { counted: counted as Account, held: held as Account }
    },
    close: () => connection.close(),
  }
}
