import { decodeKey } from './key.js'
import type { KvChange } from './kv.js'
import { decodeValue, type StoredValue, valueKinds } from './stored-value.js'
import type { KvValue } from './value.js'
import { showVersionstamp } from './versionstamp.js'
import { toWire } from './wire.js'

/** What the names of queues begin with in which changes wait for functions of plugins. */
export const changeQueuePrefix = '$changes-'

/** A change on its way to a function. */
export interface QueuedChange extends KvChange {
  /** How many functions, each called with a change that the one before has made, have led to it. */
  readonly depth: number
}

/**
 * Makes the message of a change. Keys travel encoded, as they were written.
 *
 * @param value Undefined when the entry is gone.
 */
export function encodeChange(
  key: Buffer,
  value: StoredValue | undefined,
  versionstamp: number,
  depth: number,
): StoredValue {
  const data = JSON.stringify({
    type: value === undefined ? 'delete' : 'set',
    key: toWire(key),
    value: value === undefined ? null : toWire(decodeValue(value)),
    versionstamp: showVersionstamp(versionstamp),
    depth,
  })
  return { kind: valueKinds.tagged, data, bytes: Buffer.byteLength(data) }
}

/**
 * Reads what `encodeChange` made.
 *
 * @throws Error for a message of another form.
 */
export function decodeChange(message: Pick<StoredValue, 'kind' | 'data'>): QueuedChange {
  const { type, key, value, versionstamp, depth } = decodeValue(message) as Readonly<Record<string, KvValue>>
  const isChange = (type === 'set' || type === 'delete') && key instanceof Uint8Array
  if (!isChange || typeof versionstamp !== 'string' || typeof depth !== 'number') {
    throw new Error('the message is no change of an entry')
  }
  return { type, key: decodeKey(key), value: value ?? null, versionstamp, depth }
}
