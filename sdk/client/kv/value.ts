import { type KvDuration, toMilliseconds } from './duration.js'
import { refused } from './refusal.js'

/** One part of a key. Their types order as bytes < string < number < bigint < boolean. */
export type KvKeyPart = Uint8Array | string | number | bigint | boolean

/** Where a value is: one part or more, from the general to the special, e.g. `['users', 42, 'name']`. */
export type KvKey = readonly KvKeyPart[]

/** What can be stored: all of JSON, and inside it or alone bigints, bytes, counters and times. */
export type KvValue =
  | null
  | boolean
  | number
  | string
  | bigint
  | Uint8Array
  | KvU64
  | KvNow
  | readonly KvValue[]
  | KvObject

export interface KvObject {
  readonly [key: string]: KvValue | undefined
}

const u64Max = 2n ** 64n - 1n

/** An unsigned 64-bit counter: `sum` on it is exact, and refuses to leave 0 to 2^64-1. */
export class KvU64 {
  readonly value: bigint

  /** @throws ClientError `KV_VALUE_INVALID` for what is not an integer from 0 to 2^64-1. */
  constructor(value: bigint) {
    if (typeof value !== 'bigint' || value < 0n || value > u64Max) {
      throw refused(
        'KV_VALUE_INVALID',
        `a 64-bit counter holds the integers from 0 to ${u64Max}, given as a bigint`,
      )
    }
    this.value = value
  }
}

/**
 * The time at which the store writes, in milliseconds since 1970: by the server's clock, wherever it stands inside a
 * value or a filter.
 */
export class KvNow {
  readonly offsetMs: number

  /** @param offsetMs Milliseconds to add; a negative number for a time before. */
  constructor(offsetMs = 0) {
    if (!Number.isSafeInteger(offsetMs)) {
      throw refused('KV_VALUE_INVALID', 'the offset of now() is not a whole number of milliseconds')
    }
    this.offsetMs = offsetMs
  }

  /** @returns The time that much later. */
  add(duration: KvDuration): KvNow {
    return new KvNow(this.offsetMs + toMilliseconds(duration, 'now'))
  }

  /** @returns The time that much earlier. */
  sub(duration: KvDuration): KvNow {
    return new KvNow(this.offsetMs - toMilliseconds(duration, 'now'))
  }
}
