import type { NewMessage } from '../store.js'
import type { KvSession, NamespaceState } from './session.js'

/** Puts a message into its queue, inside a commit, and counts it. */
export function insertMessage(
  session: KvSession,
  state: NamespaceState,
  { queue, value, dueAt, backoffMs, keysIfUndelivered }: NewMessage,
  nowMs: number,
): number {
  const fallback = JSON.stringify(keysIfUndelivered.map((key) => key.toString('base64')))
  const result = session
    .statement(
      'insert into kv_messages (namespace, queue, kind, value, due_at, backoff, fallback_keys, bytes, created_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    )
    .run(
      state.id,
      queue,
      value.kind,
      value.data,
      dueAt,
      JSON.stringify(backoffMs),
      fallback,
      value.bytes,
      nowMs,
    )
  state.messages += 1
  state.bytes += value.bytes
  return Number(result.lastInsertRowid)
}
