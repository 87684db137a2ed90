import type { KvChange, KvDeadLetter, KvEntry, KvHit, KvIndex, KvMessage } from '../kv.js'
import { keyToWire, toWire, type Wire } from '../wire.js'

/** Writes an entry as it stands in JSON. */
export function entryToJson({ key, value, versionstamp }: KvEntry): Wire {
  return { key: keyToWire(key), value: toWire(value), versionstamp }
}

/** Writes a change as it stands in JSON. */
export function changeToJson({ type, key, value, versionstamp }: KvChange): Wire {
  return { type, key: keyToWire(key), value: toWire(value), versionstamp }
}

/** Writes a message as it stands in JSON. */
export function messageToJson({ id, queue, value, attempts, lease, leasedUntil }: KvMessage): Wire {
  return { id, queue, value: toWire(value), attempts, lease, leasedUntil }
}

/** Writes a dead letter as it stands in JSON. */
export function deadLetterToJson(letter: KvDeadLetter): Wire {
  const { id, originalId, queue, value, errorMessage, attempts, originalCreatedAt, failedAt } = letter
  return {
    id,
    originalId,
    queue,
    value: toWire(value),
    errorMessage,
    attempts,
    originalCreatedAt,
    failedAt,
  }
}

/** Writes what a search found as it stands in JSON. */
export function hitToJson({ key, value, versionstamp, score, highlights }: KvHit): Wire {
  return {
    key: keyToWire(key),
    value: toWire(value),
    versionstamp,
    score,
    ...(highlights === undefined ? {} : { highlights }),
  }
}

/** Writes an index as it stands in JSON. */
export function indexToJson({ prefix, fields, tokenize, isComplete }: KvIndex): Wire {
  return { prefix: keyToWire(prefix), fields, tokenize, isComplete }
}
