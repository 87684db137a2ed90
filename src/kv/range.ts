import { kvCursorInvalid } from './errors.js'
import { after, decodeKey, encodeKey, encodePrefix, type KeyRange, type KvKey, prefixRange } from './key.js'
import type { KvSelector } from './kv.js'

/** The options that choose a range. */
export const selectorOptions = ['prefix', 'start', 'end']

/** Gives the range of a selector: what is below the prefix and from `start` to `end`. It may be empty. */
export function selectRange({ prefix = [], start, end }: KvSelector): KeyRange {
  const range = prefixRange(encodePrefix(prefix))
  return {
    start: start === undefined ? range.start : later(range.start, encodeKey(start)),
    end: end === undefined ? range.end : earlier(range.end, encodeKey(end)),
  }
}

/** The range of a key and everything below it. */
export function subtreeRange(prefix: KvKey): KeyRange {
  const encoded = encodePrefix(prefix)
  return { start: encoded, end: prefixRange(encoded).end }
}

/**
 * Leaves out of a range what a list has already shown.
 *
 * @param cursor Of a list over the same range; nothing is left out when it is missing, null or empty.
 * @throws `KV_CURSOR_INVALID` for a text that is not a key of this range.
 */
export function continueRange(
  range: KeyRange,
  cursor: string | null | undefined,
  isReverse: boolean,
): KeyRange {
  if (cursor === undefined || cursor === null || cursor === '') return range
  const key = readCursor(cursor)
  if (Buffer.compare(key, range.start) < 0 || Buffer.compare(key, range.end) >= 0) throw kvCursorInvalid()
  return isReverse ? { start: range.start, end: key } : { start: after(key), end: range.end }
}

/** Writes where a list stands. */
export function showCursor(key: Buffer): string {
  return key.toString('base64url')
}

/** Writes where a list stands whose rest is this range: the key that was looked at last. */
export function cursorOfRest({ start, end }: KeyRange, isReverse: boolean): string {
  return showCursor(isReverse ? end : start.subarray(0, -1))
}

/** @throws `KV_CURSOR_INVALID` for a text that is not exactly what `showCursor` makes of a key. */
function readCursor(cursor: unknown): Buffer {
  if (typeof cursor !== 'string') throw kvCursorInvalid()
  const bytes = Buffer.from(cursor, 'base64url')
  if (bytes.toString('base64url') !== cursor || !isEncodedKey(bytes)) throw kvCursorInvalid()
  return bytes
}

function isEncodedKey(bytes: Buffer): boolean {
  try {
    return encodeKey(decodeKey(bytes)).equals(bytes)
  } catch {
    return false
  }
}

function later(left: Buffer, right: Buffer): Buffer {
  return Buffer.compare(left, right) >= 0 ? left : right
}

function earlier(left: Buffer, right: Buffer): Buffer {
  return Buffer.compare(left, right) <= 0 ? left : right
}
