import { kvLimits } from '../base/limits/kv.js'
import { kvValueTooLarge } from './errors.js'
import { inspectValue, KvNow, KvU64, type KvValue } from './value.js'
import { fromWire, toWire } from './wire.js'

/** How the data of a stored value is read; the numbers stand in files and never change. */
export const valueKinds = {
  /** JSON text. */
  json: 0,
  /** The bytes as they are. */
  bytes: 1,
  /** Decimal text. */
  bigint: 2,
  /** Decimal text. */
  u64: 3,
  /** JSON text with the tags of `wire.ts`. */
  tagged: 4,
} as const

/** A value as stores keep it; only `encodeValue` makes one. */
export interface StoredValue {
  readonly kind: number
  readonly data: string | Uint8Array
  /** Bytes of `data`. */
  readonly bytes: number
}

/**
 * Encodes a value for a store.
 *
 * @param nowMs Milliseconds since 1970 that take the place of `KvNow` inside it.
 * @throws `KV_VALUE_INVALID` or `KV_VALUE_TOO_LARGE`.
 */
export function encodeValue(value: KvValue, nowMs: number): StoredValue {
  if (value instanceof Uint8Array) return stored(valueKinds.bytes, value, value.byteLength)
  if (value instanceof KvU64) return text(valueKinds.u64, String(value.value))
  if (value instanceof KvNow) return text(valueKinds.json, String(nowMs + value.offsetMs))
  const shape = inspectValue(value)
  if (typeof value === 'bigint') return text(valueKinds.bigint, String(value))
  if (shape === 'plain') return text(valueKinds.json, JSON.stringify(value))
  return text(valueKinds.tagged, JSON.stringify(toWire(value, nowMs)))
}

/** Decodes what a store kept. */
export function decodeValue({ kind, data }: Pick<StoredValue, 'kind' | 'data'>): KvValue {
  if (typeof data !== 'string') return new Uint8Array(data)
  switch (kind) {
    case valueKinds.bigint:
      return BigInt(data)
    case valueKinds.u64:
      return new KvU64(BigInt(data))
    case valueKinds.tagged:
      return fromWire(JSON.parse(data))
    default:
      return JSON.parse(data) as KvValue
  }
}

function text(kind: number, data: string): StoredValue {
  return stored(kind, data, Buffer.byteLength(data))
}

function stored(kind: number, data: string | Uint8Array, bytes: number): StoredValue {
  if (bytes > kvLimits.valueBytesMax) throw kvValueTooLarge({ bytes, bytesMax: kvLimits.valueBytesMax })
  return { kind, data, bytes }
}
