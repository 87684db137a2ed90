import { kvLimits } from '../base/limits/kv.js'
import { kvValueInvalid } from './errors.js'

/** An unsigned 64-bit counter: `sum` on it is exact, and refuses to leave 0 to 2^64-1. */
export class KvU64 {
  readonly value: bigint

  /** @throws `KV_VALUE_INVALID` for what is not an integer from 0 to 2^64-1. */
  constructor(value: bigint) {
    if (typeof value !== 'bigint' || value < 0n || value > u64Max) {
      throw invalid(`a 64-bit counter holds the integers from 0 to ${u64Max}, given as a bigint.`)
    }
    this.value = value
  }
}

/** The time at which the store writes, in milliseconds since 1970, wherever it stands inside a value. */
export class KvNow {
  readonly offsetMs: number

  /** @param offsetMs Milliseconds to add; a negative number for a time before. */
  constructor(offsetMs = 0) {
    if (!Number.isSafeInteger(offsetMs))
      throw invalid('the offset of now() is not a whole number of milliseconds.')
    this.offsetMs = offsetMs
  }

  /** @returns The time `ms` milliseconds later. */
  add(ms: number): KvNow {
    return new KvNow(this.offsetMs + ms)
  }

  /** @returns The time `ms` milliseconds earlier. */
  sub(ms: number): KvNow {
    return new KvNow(this.offsetMs - ms)
  }
}

/** What can be stored: all of JSON, and inside it or alone bigints, bytes and counters. */
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

export const u64Max = 2n ** 64n - 1n

/**
 * What a value is made of: `plain` is JSON as it stands, `special` has bigints, bytes, counters, times or members
 * named like their tags inside it.
 */
export type ValueShape = 'plain' | 'special'

/** The member that tells a special value from an object; see `wire.ts`. */
export const typeMember = '__type'

/**
 * Looks through a value, so that nothing that it cannot hold is dropped or changed in silence.
 *
 * @throws `KV_VALUE_INVALID`, which names the place, for functions, symbols, dates, instances of classes, numbers
 *   that JSON cannot write, cycles, and for `undefined` but as a member of an object, which is left out.
 */
export function inspectValue(value: unknown): ValueShape {
  return inspect(value, '', 0)
}

function inspect(value: unknown, path: string, depth: number): ValueShape {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return 'plain'
    case 'number':
      if (Number.isFinite(value)) return 'plain'
      throw invalid(`${value}${placeOf(path)} is no number of JSON.`)
    case 'bigint':
      checkDigits(value, path)
      return 'special'
    case 'object':
      return value === null ? 'plain' : inspectObject(value, path, depth)
    default:
      throw invalid(
        `${typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`}${placeOf(path)} is no data.`,
      )
  }
}

function inspectObject(value: object, path: string, depth: number): ValueShape {
  if (value instanceof Uint8Array || value instanceof KvU64 || value instanceof KvNow) return 'special'
  if (depth >= kvLimits.valueDepthMax) {
    throw invalid(`it is nested deeper than ${kvLimits.valueDepthMax} levels, or contains itself.`)
  }
  let shape: ValueShape = 'plain'
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at += 1) {
      if (inspect(value[at], `${path}[${at}]`, depth + 1) === 'special') shape = 'special'
    }
    return shape
  }
  const prototype = Object.getPrototypeOf(value) as unknown
  if (prototype !== null && prototype !== Object.prototype) {
    const name = value.constructor?.name ?? 'a class'
    throw invalid(
      `an instance of ${name}${placeOf(path)} is no plain data. Convert it first, e.g. to a string.`,
    )
  }
  for (const [key, member] of Object.entries(value)) {
    if (key === typeMember) shape = 'special'
    if (member === undefined) continue
    if (inspect(member, path === '' ? key : `${path}.${key}`, depth + 1) === 'special') shape = 'special'
  }
  return shape
}

/** True for an object with members, as opposed to arrays and to the special values that are objects in JavaScript. */
export function isMembers(value: unknown): value is KvObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return !(value instanceof Uint8Array || value instanceof KvU64 || value instanceof KvNow)
}

/** @throws `KV_VALUE_INVALID` for a bigint with too many digits. */
export function checkDigits(value: bigint, path = ''): void {
  // One decimal digit takes less than 3.33 bits.
  const bits = BigInt(Math.ceil(kvLimits.bigintDigitsMax * 3.33))
  const magnitude = value < 0n ? -value : value
  if (magnitude >> bits !== 0n) {
    throw invalid(`a bigint${placeOf(path)} has more than ${kvLimits.bigintDigitsMax} digits.`)
  }
}

function placeOf(path: string): string {
  if (path === '') return ''
  return ` at ${path.length > kvLimits.shownCharacters ? `${path.slice(0, kvLimits.shownCharacters)}…` : path}`
}

function invalid(problem: string): Error {
  return kvValueInvalid({ problem })
}
