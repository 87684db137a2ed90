import { kvLimits } from '../../base/limits/kv.js'
import { kvQueueFull } from '../errors.js'
import type { NewMessage } from '../store.js'
import type { KvSession, NamespaceState } from './session.js'

/** A message as its row has it. */
export interface MessageRow {
  readonly id: number
  readonly queue: string
  readonly kind: number
  readonly data: string | Uint8Array
  readonly attempts: number
  readonly backoffMs: readonly number[]
  readonly keysIfUndelivered: readonly Buffer[]
  /** What the last try failed with; empty when none has. */
  readonly error: string
  readonly bytes: number
  readonly createdAt: number
  readonly dueAt: number
}

/** The columns of `MessageRow`, in the order of `readMessage`. */
export const messageColumns =
  'id, queue, kind, value, attempts, backoff, fallback_keys, error, bytes, created_at, due_at'

/**
 * Checks that messages fit into the queues of a namespace, before anything of their commit is written.
 *
 * @returns The bytes that `insertMessage` will add to the state, for the commit to hold them against the quota.
 * @throws `KV_QUEUE_FULL`.
 */
export function claimMessages(state: NamespaceState, messages: readonly NewMessage[]): number {
  if (messages.length > 0 && state.messages + messages.length > kvLimits.messagesMax) {
    const { name: namespace } = state
    throw kvQueueFull({ namespace, messages: state.messages, messagesMax: kvLimits.messagesMax })
  }
  return messages.reduce((bytes, message) => bytes + sizeOf(message), 0)
}

/**
 * Puts a message into its queue, as a part of the commit that holds the state of the namespace, and counts it there.
 *
 * @param message As `encodeMessage` gave it; `claimMessages` found room for it.
 * @returns The id of the message.
 */
export function insertMessage(
  session: KvSession,
  state: NamespaceState,
  message: NewMessage,
  nowMs: number,
): number {
  const { queue, value, dueAt } = message
  const bytes = sizeOf(message)
  const { lastInsertRowid } = session
    .statement(
      'insert into kv_messages (namespace, queue, kind, due_at, backoff, fallback_keys, bytes, created_at, value) values (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    )
    .run(
      state.id,
      queue,
      value.kind,
      dueAt,
      JSON.stringify(message.backoffMs),
      writeKeys(message.keysIfUndelivered),
      bytes,
      nowMs,
      value.data,
    )
  state.messages += 1
  state.bytes += bytes
  return Number(lastInsertRowid)
}

/** Bytes that a message takes, as quotas count it. */
export function sizeOf({ value, keysIfUndelivered }: NewMessage): number {
  return keysIfUndelivered.reduce((bytes, key) => bytes + key.length, value.bytes + kvLimits.messageBytes)
}

/** Reads a row of `messageColumns`. */
export function readMessage(row: unknown): MessageRow {
  const [id, queue, kind, data, attempts, backoff, keys, error, bytes, createdAt, dueAt] = row as [
    number,
    string,
    number,
    string | Uint8Array,
    number,
    string,
    string,
    string,
    number,
    number,
    number,
  ]
  return {
    id,
    queue,
    kind,
    data,
    attempts,
    backoffMs: readPauses(backoff),
    keysIfUndelivered: readKeys(keys),
    error,
    bytes,
    createdAt,
    dueAt,
  }
}

/** Deletes a message inside `write`, and frees bytes that it took. */
export function deleteMessage(session: KvSession, namespaceId: number, id: number, freedBytes: number): void {
  session.statement('delete from kv_messages where id = ?').run(id)
  session
    .statement('update kv_namespaces set messages = messages - 1, bytes = bytes - ? where id = ?')
    .run(freedBytes, namespaceId)
}

/** Reads the column `backoff`. */
export function readPauses(text: string): readonly number[] {
  return JSON.parse(text) as readonly number[]
}

/** Writes the column `fallback_keys`. */
export function writeKeys(keys: readonly Buffer[]): string {
  return keys.map((key) => key.toString('base64url')).join(' ')
}

/** Reads the column `fallback_keys`. */
export function readKeys(text: string): readonly Buffer[] {
  return text === '' ? [] : text.split(' ').map((key) => Buffer.from(key, 'base64url'))
}

/** Cuts the text of an error to what a row may hold. */
export function cutError(error: string): string {
  // A character takes a byte at least, so the rest need not be encoded.
  const bytes = Buffer.from(error.slice(0, kvLimits.errorBytesMax + 1))
  if (bytes.length <= kvLimits.errorBytesMax) return bytes.toString()
  let end = kvLimits.errorBytesMax - Buffer.byteLength(cutMark)
  // A byte 10xxxxxx goes on with a character that would be cut in two.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return bytes.toString('utf8', 0, end) + cutMark
}

const cutMark = '…'
