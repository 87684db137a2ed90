import { kvLimits } from '../base/limits/kv.js'
import { kvOverflow, kvTypeMismatch, kvValueInvalid } from './errors.js'
import { decodeKey, showKey } from './key.js'
import { decodeValue, encodeValue, type StoredValue, valueKinds } from './stored-value.js'
import { KvU64, type KvValue, u64Max } from './value.js'

/** Operations on integers; the type of the entry is kept, and results are exact or refused. */
export type IntegerOperation = 'sum' | 'min' | 'max'

export type ListOperation = 'append' | 'prepend'

type Integer = number | bigint | KvU64

type Stored = Pick<StoredValue, 'kind' | 'data'>

/**
 * Makes the operand of an operation on integers.
 *
 * @throws `KV_VALUE_INVALID` for what is no integer, or a number that is not exact.
 */
export function encodeOperand(operation: IntegerOperation, operand: unknown): StoredValue {
  const isInteger = typeof operand === 'number' ? Number.isSafeInteger(operand) : typeof operand === 'bigint'
  if (!isInteger && !(operand instanceof KvU64)) {
    const shown = String(typeof operand === 'object' ? typeof operand : operand)
    const problem = `"${operation}" needs an integer, and numbers are exact only up to 2^53-1; it got ${shown.slice(0, kvLimits.shownCharacters)}. Give larger integers as bigints or 64-bit counters.`
    throw kvValueInvalid({ problem })
  }
  return encodeValue(operand as Integer, 0)
}

/**
 * Makes the operand of an operation on arrays.
 *
 * @throws `KV_VALUE_INVALID` for what is no array.
 */
export function encodeItems(operation: ListOperation, items: unknown, nowMs: number): StoredValue {
  if (!Array.isArray(items)) {
    throw kvValueInvalid({ problem: `"${operation}" needs an array of items, not ${typeof items}.` })
  }
  return encodeValue(items as KvValue[], nowMs)
}

/**
 * Applies an operation to a stored integer.
 *
 * @param current Undefined where there is no entry: the result is then the operand.
 * @throws `KV_TYPE_MISMATCH`, `KV_OVERFLOW`.
 */
export function combineIntegers(
  operation: IntegerOperation,
  key: Buffer,
  current: Stored | undefined,
  operand: StoredValue,
): StoredValue {
  if (current === undefined) return operand
  const before = decodeValue(current)
  const type = integerType(before)
  if (type === undefined) throw mismatch(operation, 'an integer', key, current)
  const result = calculate(
    operation,
    integerOf(before as Integer),
    integerOf(decodeValue(operand) as Integer),
  )
  const [least, most] = ranges[type]
  if (type !== 'bigint' && (result < least || result > most)) {
    const range = `${least} to ${most}`
    throw kvOverflow({ operation, key: showKey(decodeKey(key)), result: String(result), type, range })
  }
  if (type === 'number') return encodeValue(Number(result), 0)
  return encodeValue(type === 'u64' ? new KvU64(result) : result, 0)
}

/**
 * Joins arrays.
 *
 * @throws `KV_TYPE_MISMATCH`, or `KV_VALUE_TOO_LARGE` for the result.
 */
export function combineLists(
  operation: ListOperation,
  key: Buffer,
  current: Stored | undefined,
  items: StoredValue,
): StoredValue {
  if (current === undefined) return items
  const before = decodeValue(current)
  if (!Array.isArray(before)) throw mismatch(operation, 'an array', key, current)
  const added = decodeValue(items) as KvValue[]
  return encodeValue(operation === 'append' ? [...before, ...added] : [...added, ...before], 0)
}

const safe = BigInt(Number.MAX_SAFE_INTEGER)
const ranges = { number: [-safe, safe], u64: [0n, u64Max], bigint: [0n, 0n] } as const

function integerType(value: KvValue): keyof typeof ranges | undefined {
  if (value instanceof KvU64) return 'u64'
  if (typeof value === 'bigint') return 'bigint'
  return Number.isSafeInteger(value) ? 'number' : undefined
}

function integerOf(value: Integer): bigint {
  return value instanceof KvU64 ? value.value : BigInt(value)
}

function calculate(operation: IntegerOperation, before: bigint, operand: bigint): bigint {
  if (operation === 'sum') return before + operand
  const isLess = operand < before
  return isLess === (operation === 'min') ? operand : before
}

function mismatch(operation: string, expected: string, key: Buffer, current: Stored): Error {
  return kvTypeMismatch({ operation, expected, key: showKey(decodeKey(key)), found: nameOf(current) })
}

function nameOf({ kind, data }: Stored): string {
  if (kind === valueKinds.bytes) return 'bytes'
  if (kind === valueKinds.bigint) return 'a bigint'
  if (kind === valueKinds.u64) return 'a 64-bit counter'
  const value = decodeValue({ kind, data })
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
