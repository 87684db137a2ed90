import { kvLimits } from '../base/limits/kv.js'
import { kvKeyInvalid } from './errors.js'

/** One part of a key. Their types order as bytes < string < number < bigint < boolean. */
export type KvKeyPart = Uint8Array | string | number | bigint | boolean

/** Where a value is: one part or more, from the general to the special, e.g. `['users', 42, 'name']`. */
export type KvKey = readonly KvKeyPart[]

const tags = { bytes: 1, string: 2, number: 3, bigint: 4, boolean: 5 } as const

/** Follows a zero byte that belongs to a text, so that a zero byte alone ends it. */
const escapeByte = 0xff

/** The length byte of bigints: 0x80 and above for positive ones, below for negative ones. */
const bigintZero = 0x80

/** Room for the longest key, escapes included, that is checked only once it is written. */
const scratch = Buffer.allocUnsafe(16 * 1024)
const doubles = new DataView(new ArrayBuffer(8))

/**
 * Encodes a key so that the bytes of two keys compare as the keys do, part by part, and so that the bytes of a key
 * begin with those of another only where its parts do: texts end with a byte of their own.
 *
 * @param key At least one part; `kvLimits` bounds their number and size. `-0` is `0`.
 * @throws `KV_KEY_INVALID`, which names the part.
 */
export function encodeKey(key: KvKey): Buffer {
  if (Array.isArray(key) && key.length === 0) throw invalid('it is empty. Give it at least one part.')
  return encodePrefix(key)
}

/** Encodes what keys begin with; errors as `encodeKey`. No parts at all are the beginning of every key. */
export function encodePrefix(prefix: KvKey): Buffer {
  if (!Array.isArray(prefix)) throw invalid(`it is ${describe(prefix)}, not an array of parts.`)
  if (prefix.length > kvLimits.keyPartsMax) {
    throw invalid(`it has ${prefix.length} parts, and ${kvLimits.keyPartsMax} are allowed.`)
  }
  let end = 0
  for (const [at, part] of prefix.entries()) {
    if (end > kvLimits.keyBytesMax) break
    end = writePart(part, at, end)
  }
  if (end > kvLimits.keyBytesMax) {
    throw invalid(`it takes more than ${kvLimits.keyBytesMax} bytes. Shorten its parts.`)
  }
  return Buffer.from(scratch.subarray(0, end))
}

/** Encoded keys from `start` (inclusive) to `end` (exclusive). */
export interface KeyRange {
  readonly start: Buffer
  readonly end: Buffer
}

/** The range of the keys that begin with a prefix and have more parts; the prefix itself is not in it. */
export function prefixRange(prefix: Buffer): KeyRange {
  return { start: Buffer.concat([prefix, lowest]), end: Buffer.concat([prefix, highest]) }
}

/** The range with nothing but one key. */
export function keyRange(key: Buffer): KeyRange {
  return { start: key, end: after(key) }
}

/** The least bytes that are greater than those of a key. */
export function after(key: Buffer): Buffer {
  return Buffer.concat([key, lowest])
}

/** Below every tag, and so below every key that goes on. */
const lowest = Buffer.from([0])
/** Above every tag, and so above every key that goes on. */
const highest = Buffer.from([0xff])

/**
 * Decodes what `encodeKey` made.
 *
 * @throws `KV_KEY_INVALID` for bytes that it cannot have made.
 */
export function decodeKey(bytes: Uint8Array): KvKeyPart[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const parts: KvKeyPart[] = []
  let at = 0
  while (at < buffer.length) {
    const [part, next] = readPart(buffer, at)
    parts.push(part)
    at = next
  }
  return parts
}

/** Writes a key for the reader of a message, cut where it is long. */
export function showKey(key: KvKey): string {
  const text = `[${key.map(showPart).join(',')}]`
  return text.length > kvLimits.shownCharacters ? `${text.slice(0, kvLimits.shownCharacters)}…` : text
}

function showPart(part: KvKeyPart): string {
  if (typeof part === 'string') return JSON.stringify(part)
  if (part instanceof Uint8Array) return `bytes(${Buffer.from(part).toString('hex')})`
  return typeof part === 'bigint' ? `${part}n` : String(part)
}

function writePart(part: unknown, at: number, start: number): number {
  switch (typeof part) {
    case 'string':
      return writeString(part, at, start)
    case 'number':
      return writeNumber(part, at, start)
    case 'bigint':
      return writeBigint(part, at, start)
    case 'boolean':
      scratch[start] = tags.boolean
      scratch[start + 1] = part ? 1 : 0
      return start + 2
    default:
      if (part instanceof Uint8Array) return writeBytes(part, at, start)
      throw invalid(
        `part ${at + 1} is ${describe(part)}. Parts are strings, numbers, bigints, booleans and bytes.`,
      )
  }
}

function writeString(part: string, at: number, start: number): number {
  if (part.length > kvLimits.keyPartBytesMax) throw partTooLong(at, part.length, 'characters')
  scratch[start] = tags.string
  if (!part.isWellFormed())
    throw invalid(`part ${at + 1} is not valid Unicode: it has half a surrogate pair.`)
  const bytes = scratch.write(part, start + 1, 'utf8')
  if (bytes > kvLimits.keyPartBytesMax) throw partTooLong(at, bytes, 'bytes of UTF-8')
  return closeText(start + 1, start + 1 + bytes)
}

function writeBytes(part: Uint8Array, at: number, start: number): number {
  if (part.length > kvLimits.keyPartBytesMax) throw partTooLong(at, part.length, 'bytes')
  scratch[start] = tags.bytes
  scratch.set(part, start + 1)
  return closeText(start + 1, start + 1 + part.length)
}

/** Escapes the zero bytes of a text that has been written, and ends it. */
function closeText(start: number, end: number): number {
  let close = end
  for (let at = scratch.indexOf(0, start); at >= 0 && at < close; at = scratch.indexOf(0, at + 2)) {
    scratch.copyWithin(at + 2, at + 1, close)
    scratch[at + 1] = escapeByte
    close += 1
  }
  scratch[close] = 0
  return close + 1
}

function writeNumber(part: number, at: number, start: number): number {
  if (Number.isNaN(part)) throw invalid(`part ${at + 1} is NaN, which has no place in an order.`)
  scratch[start] = tags.number
  // Adding 0 makes 0 of -0: they are equal, and so one key.
  doubles.setFloat64(0, part + 0)
  const flip = part < 0 ? 0xff : 0
  for (let byte = 0; byte < 8; byte += 1) scratch[start + 1 + byte] = doubles.getUint8(byte) ^ flip
  if (flip === 0) scratch[start + 1] = (scratch[start + 1] ?? 0) ^ 0x80
  return start + 9
}

function writeBigint(part: bigint, at: number, start: number): number {
  const isNegative = part < 0n
  // Counting digits of a huge number is cheaper than writing them out.
  const magnitude = isNegative ? -part : part
  if (magnitude >> BigInt(kvLimits.keyBigintBytesMax * 8) !== 0n) {
    throw invalid(`part ${at + 1} is a bigint of more than ${kvLimits.keyBigintBytesMax} bytes.`)
  }
  const hex = magnitude === 0n ? '' : magnitude.toString(16)
  const length = (hex.length + 1) >> 1
  scratch[start] = tags.bigint
  scratch[start + 1] = isNegative ? bigintZero - 1 - length : bigintZero + length
  scratch.write(hex.padStart(length * 2, '0'), start + 2, 'hex')
  const end = start + 2 + length
  if (isNegative) for (let byte = start + 2; byte < end; byte += 1) scratch[byte] = ~(scratch[byte] ?? 0)
  return end
}

function readPart(buffer: Buffer, at: number): [part: KvKeyPart, next: number] {
  switch (buffer[at]) {
    case tags.bytes: {
      const [bytes, next] = readText(buffer, at + 1)
      return [new Uint8Array(bytes), next]
    }
    case tags.string: {
      const [bytes, next] = readText(buffer, at + 1)
      return [bytes.toString('utf8'), next]
    }
    case tags.number:
      return [readNumber(buffer, at + 1), at + 9]
    case tags.bigint:
      return readBigint(buffer, at + 1)
    case tags.boolean:
      if (at + 1 < buffer.length) return [buffer[at + 1] === 1, at + 2]
  }
  throw notEncoded()
}

function readText(buffer: Buffer, start: number): [Buffer, number] {
  let end = buffer.indexOf(0, start)
  const pieces: Buffer[] = []
  let from = start
  while (end >= 0 && buffer[end + 1] === escapeByte) {
    pieces.push(buffer.subarray(from, end + 1))
    from = end + 2
    end = buffer.indexOf(0, from)
  }
  if (end < 0) throw notEncoded()
  pieces.push(buffer.subarray(from, end))
  return [Buffer.concat(pieces), end + 1]
}

function readNumber(buffer: Buffer, start: number): number {
  if (start + 8 > buffer.length) throw notEncoded()
  const isNegative = (buffer[start] ?? 0) < 0x80
  for (let byte = 0; byte < 8; byte += 1) {
    const stored = buffer[start + byte] ?? 0
    const flip = isNegative ? 0xff : byte === 0 ? 0x80 : 0
    doubles.setUint8(byte, stored ^ flip)
  }
  return doubles.getFloat64(0)
}

function readBigint(buffer: Buffer, start: number): [bigint, number] {
  const head = buffer[start]
  if (head === undefined) throw notEncoded()
  const isNegative = head < bigintZero
  const length = isNegative ? bigintZero - 1 - head : head - bigintZero
  const end = start + 1 + length
  if (end > buffer.length) throw notEncoded()
  const bytes = Buffer.from(buffer.subarray(start + 1, end))
  if (isNegative) for (const [at, byte] of bytes.entries()) bytes[at] = ~byte
  const magnitude = length === 0 ? 0n : BigInt(`0x${bytes.toString('hex')}`)
  return [isNegative ? -magnitude : magnitude, end]
}

function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'undefined' ? 'undefined' : `of the type ${typeof value}`
}

function partTooLong(at: number, count: number, unit: string): Error {
  return invalid(`part ${at + 1} has ${count} ${unit}, and ${kvLimits.keyPartBytesMax} bytes are allowed.`)
}

function notEncoded(): Error {
  return invalid('these bytes are not an encoded key.')
}

function invalid(problem: string): Error {
  return kvKeyInvalid({ problem })
}
