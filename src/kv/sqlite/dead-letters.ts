import { kvLimits } from '../../base/limits/kv.js'
import type { DeadLetterQuery, StoredDeadLetter } from '../queue-store.js'
import type { NewMessage } from '../store.js'
import { type MessageRow, readKeys, readPauses, writeKeys } from './messages.js'
import type { KvSession } from './session.js'

const columns = 'id, message_id, queue, kind, value, attempts, error, created_at, failed_at'

/**
 * Keeps a message that has been deleted as a dead letter, inside `write`; the oldest of the namespace goes when there
 * are too many. The bytes of the message are counted already.
 */
export function insertDeadLetter(
  session: KvSession,
  namespaceId: number,
  message: MessageRow,
  error: string,
  nowMs: number,
): void {
  const { id, queue, kind, data, attempts, backoffMs, keysIfUndelivered, bytes, createdAt } = message
  if (countDeadLetters(session, namespaceId, undefined) >= kvLimits.deadLettersMax) {
    deleteOldest(session, namespaceId, undefined, 1)
  }
  session
    .statement(
      'insert into kv_dead_letters (namespace, queue, message_id, kind, attempts, backoff, fallback_keys, error, bytes, created_at, failed_at, value) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    )
    .run(
      namespaceId,
      queue,
      id,
      kind,
      attempts,
      JSON.stringify(backoffMs),
      writeKeys(keysIfUndelivered),
      error,
      bytes,
      createdAt,
      nowMs,
      data,
    )
}

/** Counts the dead letters of one queue, or of all when it is undefined. */
export function countDeadLetters(session: KvSession, namespaceId: number, queue: string | undefined): number {
  const row =
    queue === undefined
      ? session.statement('select count(*) from kv_dead_letters where namespace = ?').get(namespaceId)
      : session
          .statement('select count(*) from kv_dead_letters where namespace = ? and queue = ?')
          .get(namespaceId, queue)
  return (row as [number])[0]
}

/** Reads a page, newest failure first. */
export function listDeadLetters(
  session: KvSession,
  namespaceId: number,
  query: DeadLetterQuery,
): readonly StoredDeadLetter[] {
  const { queue, limit, offset } = query
  const rows =
    queue === undefined
      ? session
          .statement(
            `select ${columns} from kv_dead_letters where namespace = ? order by id desc limit ? offset ?`,
          )
          .iterate(namespaceId, limit, offset)
      : session
          .statement(
            `select ${columns} from kv_dead_letters where namespace = ? and queue = ? order by id desc limit ? offset ?`,
          )
          .iterate(namespaceId, queue, limit, offset)
  const letters: StoredDeadLetter[] = []
  let bytes = 0
  for (const row of rows) {
    const letter = readLetter(row)
    bytes += Buffer.byteLength(letter.data)
    if (bytes > kvLimits.pageBytesMax && letters.length > 0) break
    letters.push(letter)
  }
  return letters
}

export function getDeadLetter(
  session: KvSession,
  namespaceId: number,
  id: number,
): StoredDeadLetter | undefined {
  const row = session
    .statement(`select ${columns} from kv_dead_letters where id = ? and namespace = ?`)
    .get(id, namespaceId)
  return row === undefined ? undefined : readLetter(row)
}

/** Gives a dead letter as it was sent, but due now; undefined when it is not there. */
export function messageOfDeadLetter(
  session: KvSession,
  namespaceId: number,
  id: number,
  nowMs: number,
): NewMessage | undefined {
  const row = session
    .statement(
      'select queue, kind, value, backoff, fallback_keys from kv_dead_letters where id = ? and namespace = ?',
    )
    .get(id, namespaceId) as [string, number, string | Uint8Array, string, string] | undefined
  if (row === undefined) return undefined
  const [queue, kind, data, backoff, keys] = row
  return {
    queue,
    value: { kind, data, bytes: Buffer.byteLength(data) },
    dueAt: nowMs,
    backoffMs: readPauses(backoff),
    keysIfUndelivered: readKeys(keys),
  }
}

/** Deletes a dead letter inside `write`. False when it is not there. */
export function removeDeadLetter(session: KvSession, namespaceId: number, id: number): boolean {
  const row = session
    .statement('delete from kv_dead_letters where id = ? and namespace = ? returning bytes')
    .get(id, namespaceId) as [number] | undefined
  if (row === undefined) return false
  session.statement('update kv_namespaces set bytes = bytes - ? where id = ?').run(row[0], namespaceId)
  return true
}

/** Deletes the oldest dead letters of one queue, or of all when it is undefined, inside `write`. */
export function deleteOldest(
  session: KvSession,
  namespaceId: number,
  queue: string | undefined,
  limit: number,
): number {
  const ids =
    queue === undefined
      ? session
          .statement('select id from kv_dead_letters where namespace = ? order by id limit ?')
          .all(namespaceId, limit)
      : session
          .statement('select id from kv_dead_letters where namespace = ? and queue = ? order by id limit ?')
          .all(namespaceId, queue, limit)
  for (const [id] of ids as [number][]) removeDeadLetter(session, namespaceId, id)
  return ids.length
}

/** Deletes dead letters of any namespace that failed before a time, oldest first, inside `write`. */
export function deleteFailedBefore(session: KvSession, failedBeforeMs: number, limit: number): number {
  const rows = session
    .statement('select id, namespace from kv_dead_letters where failed_at < ? order by failed_at limit ?')
    .all(failedBeforeMs, limit) as [number, number][]
  for (const [id, namespaceId] of rows) removeDeadLetter(session, namespaceId, id)
  return rows.length
}

function readLetter(row: unknown): StoredDeadLetter {
  const [id, messageId, queue, kind, data, attempts, error, createdAt, failedAt] = row as [
    number,
    number,
    string,
    number,
    string | Uint8Array,
    number,
    string,
    number,
    number,
  ]
  return { id, messageId, queue, kind, data, attempts, error, createdAt, failedAt }
}
