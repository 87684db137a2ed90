import { KvU64, type KvValue } from '../value.js'

/** What a value can be compared with. */
export type Scalar = null | boolean | number | string | bigint | Uint8Array

/** Takes counters as the integers that they are. */
export function plain(value: KvValue): KvValue {
  return value instanceof KvU64 ? value.value : value
}

/** True for the same value: numbers, bigints and counters are equal when they are the same number, exactly. */
export function isEqual(value: KvValue, operand: Scalar): boolean {
  const found = plain(value)
  if (found === operand) return true
  if (isNumeric(found) && isNumeric(operand)) {
    // Between a number and a bigint this compares what they stand for, without rounding.
    return typeof found !== typeof operand && order(found, operand) === 0
  }
  return found instanceof Uint8Array && operand instanceof Uint8Array && orderBytes(found, operand) === 0
}

/**
 * Compares a value with an operand.
 *
 * @returns Below 0, 0 or above 0; undefined for what has no order: null, arrays, objects, and different types. Numbers,
 *   bigints and counters are one type. Texts compare by their characters, false is less than true.
 */
export function compare(value: KvValue, operand: Scalar): number | undefined {
  const found = plain(value)
  if (isNumeric(found) && isNumeric(operand)) return order(found, operand)
  if (typeof found === 'string' && typeof operand === 'string') return orderTexts(found, operand)
  if (typeof found === 'boolean' && typeof operand === 'boolean') return Number(found) - Number(operand)
  if (found instanceof Uint8Array && operand instanceof Uint8Array) return orderBytes(found, operand)
  return undefined
}

/** Texts with the same fold differ at most in case. Capitals, as their form does not depend on the letters around. */
export function fold(text: string): string {
  return text.toUpperCase()
}

function isNumeric(value: KvValue): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

function order(one: number | bigint, other: number | bigint): number {
  return one < other ? -1 : one > other ? 1 : 0
}

function orderBytes(one: Uint8Array, other: Uint8Array): number {
  return Buffer.compare(one, other)
}

/** Orders as the bytes of UTF-8 do; JavaScript itself has the characters above U+FFFF before some below. */
function orderTexts(one: string, other: string): number {
  const length = Math.min(one.length, other.length)
  for (let at = 0; at < length; at += 1) {
    const left = one.charCodeAt(at)
    const right = other.charCodeAt(at)
    if (left !== right) return rank(left) - rank(right)
  }
  return one.length - other.length
}

/** Halves of surrogate pairs come after all other units. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}
