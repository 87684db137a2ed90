import { messageOf } from '../../base/errors.js'
import { kvLimits, kvWhereLimits } from '../../base/limits/kv.js'
import { kvWhereInvalid } from '../errors.js'
import { isMembers, KvNow, KvU64 } from '../value.js'
import { fromWire } from '../wire.js'
import type { Scalar } from './compare.js'

/** A member of a filter: what stands there, and where that is. */
export interface Operand {
  readonly value: unknown
  /** Such as `$or[1].age.$gt`. */
  readonly place: string
}

/** Counts and facts of one filter while it is compiled. */
export interface Compilation {
  /** Milliseconds since 1970 that `KvNow` stands for. */
  readonly nowMs: number
  operators: number
  items: number
  /** Texts that are looked for inside of others. */
  parts: number
}

/** Makes the error for a place of a filter. */
export function whereInvalid(place: string, problem: string): Error {
  const shown =
    place.length > kvLimits.shownCharacters ? `${place.slice(0, kvLimits.shownCharacters)}…` : place
  return kvWhereInvalid({ place: shown === '' ? 'its top' : shown, problem: `${problem}.` })
}

/** Reads what values are compared with: anything but arrays and objects. Times become numbers. */
export function readScalar({ value, place }: Operand, { nowMs }: Compilation): Scalar {
  const read = isMembers(value) ? untag(value, place) : value
  if (read instanceof KvNow) return nowMs + read.offsetMs
  if (read instanceof KvU64) return read.value
  if (read === null || typeof read === 'boolean' || typeof read === 'bigint') return read
  if (typeof read === 'number' && !Number.isNaN(read)) return read
  if (read instanceof Uint8Array) return checkLength(read, read.byteLength, place)
  if (typeof read === 'string') return checkLength(read, read.length, place)
  throw whereInvalid(
    place,
    `it is compared with ${describe(read)}, and not with a text, number, boolean, bytes or null`,
  )
}

/** Reads what has an order: as `readScalar` without null. */
export function readOrdered(operand: Operand, compilation: Compilation): Scalar {
  const scalar = readScalar(operand, compilation)
  if (scalar === null) throw whereInvalid(operand.place, 'null is neither less nor greater than anything')
  return scalar
}

/** Reads a list of scalars. */
export function readScalars({ value, place }: Operand, compilation: Compilation): readonly Scalar[] {
  if (!Array.isArray(value)) throw whereInvalid(place, `it takes an array, and not ${describe(value)}`)
  compilation.items += value.length
  if (compilation.items > kvWhereLimits.itemsMax) {
    throw whereInvalid(place, `the lists of the filter have more than ${kvWhereLimits.itemsMax} items`)
  }
  return Array.from(value, (item, at) => readScalar({ value: item, place: `${place}[${at}]` }, compilation))
}

/** Reads a text that is looked for inside of others. */
export function readPart({ value, place }: Operand, compilation: Compilation): string {
  if (typeof value !== 'string') throw whereInvalid(place, `it takes a text, and not ${describe(value)}`)
  return checkPart(value, place, compilation)
}

/** @throws `KV_WHERE_INVALID` for a text that is too long to be looked for, and for one too many. */
export function checkPart(text: string, place: string, compilation: Compilation): string {
  const { partCharactersMax: max, partsMax } = kvWhereLimits
  compilation.parts += 1
  if (compilation.parts > partsMax) {
    throw whereInvalid(place, `the filter looks for more than ${partsMax} texts inside of others`)
  }
  if (text.length <= max) return text
  throw whereInvalid(place, `the text to look for has ${text.length} characters, and ${max} are allowed`)
}

export function readBoolean({ value, place }: Operand): boolean {
  if (typeof value !== 'boolean')
    throw whereInvalid(place, `it takes true or false, and not ${describe(value)}`)
  return value
}

/** Says what a wrong operand is. */
export function describe(value: unknown): string {
  if (value === null || value === undefined || Number.isNaN(value)) return String(value)
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object') return 'an object'
  return typeof value === 'string' ? 'a text' : `a ${typeof value}`
}

/** True for an object that stands for a special value, such as a bigint, in JSON. */
export function isTagged(value: unknown): value is object {
  return isMembers(value) && (Object.hasOwn(value, '__type') || Object.hasOwn(value, '$now'))
}

function untag(value: object, place: string): unknown {
  if (!isTagged(value)) return value
  try {
    return fromWire(value)
  } catch (error) {
    throw whereInvalid(place, messageOf(error))
  }
}

function checkLength<T>(scalar: T, length: number, place: string): T {
  const max = kvWhereLimits.textCharactersMax
  if (length <= max) return scalar
  throw whereInvalid(place, `it is compared with a text of ${length} characters, and ${max} are allowed`)
}
