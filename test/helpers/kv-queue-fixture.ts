import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDatabase } from '../../src/database/database.js'
import { openSqlite } from '../../src/database/sqlite.js'
import { encodeKey, type KvKey } from '../../src/kv/key.js'
import type { KvEnqueueOptions } from '../../src/kv/kv.js'
import { encodeMessage } from '../../src/kv/queue-options.js'
import type { ApplyMutations } from '../../src/kv/queue-store.js'
import { insertMessage } from '../../src/kv/sqlite/messages.js'
import { SqliteQueueStore } from '../../src/kv/sqlite/queue-store.js'
import { KvSession } from '../../src/kv/sqlite/session.js'
import { decodeValue } from '../../src/kv/stored-value.js'
import type { KvValue } from '../../src/kv/value.js'

/** A file with the core tables, and as many connections to it as a test opens. */
export interface QueueFile {
  readonly file: string
  open(options?: { readonly busyTimeoutMs?: number; readonly applyMutations?: ApplyMutations }): QueueDoor
  close(): void
}

/** The queues as one connection sees them. */
export interface QueueDoor {
  readonly session: KvSession
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
    open(options = {}) {
      const door = openDoor(file, options)
      doors.add(door)
      return door
    },
    close() {
      for (const door of doors) door.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export function openDoor(
  file: string,
  options: { readonly busyTimeoutMs?: number; readonly applyMutations?: ApplyMutations } = {},
): QueueDoor {
  const connection = openSqlite({ file, busyTimeoutMs: options.busyTimeoutMs ?? 0, mustExist: true })
  let commits = 0
  const session = new KvSession(connection, () => {
    commits += 1
  })
  const queues = new SqliteQueueStore(session, options.applyMutations ?? setEntries(session))
  return {
    session,
    queues,
    commits: () => commits,
    enqueue(namespace, value, enqueueOptions = {}, nowMs = 0) {
      return session.write(() => {
        const state = session.readNamespace(namespace, nowMs)
        const id = insertMessage(session, state, encodeMessage(value, enqueueOptions, nowMs), nowMs)
        session.writeNamespace(state)
        return id
      })
    },
    entry(namespace, key) {
      const row = connection
        .prepare('select kind, value as data from kv_entries where namespace = ? and key = ?')
        .get(session.namespaceId(namespace), encodeKey(key)) as { kind: number; data: string } | undefined
      return row === undefined ? undefined : decodeValue(row)
    },
    accounts(namespace) {
      const id = session.namespaceId(namespace)
      const counted = connection.prepare('select messages, bytes from kv_namespaces where id = ?').get(id)
      const held = connection
        .prepare(
          `select (select count(*) from kv_messages where namespace = $id) as messages,
            (select coalesce(sum(bytes), 0) from kv_messages where namespace = $id)
            + (select coalesce(sum(bytes), 0) from kv_dead_letters where namespace = $id) as bytes`,
        )
        .get({ id })
      return { counted: counted as Account, held: held as Account }
    },
    close: () => connection.close(),
  }
}

/** Sets entries as a commit does, as far as queues can tell. */
function setEntries(session: KvSession): ApplyMutations {
  return (namespace, mutations) => {
    session.write(() => {
      const state = session.readNamespace(namespace, 0)
      state.versionstamp += 1
      for (const mutation of mutations) {
        if (mutation.type !== 'set') throw new Error(`a dying message does not "${mutation.type}"`)
        session.connection
          .prepare(
            'insert or replace into kv_entries (namespace, key, kind, value, versionstamp) values (?, ?, ?, ?, ?)',
          )
          .run(state.id, mutation.key, mutation.value.kind, mutation.value.data, state.versionstamp)
      }
      session.writeNamespace(state)
    })
  }
}
