import { kvLimits } from '../base/limits/kv.js'
import { kvValueInvalid, kvValueTooLarge } from './errors.js'
import type { KvKeyPart } from './key.js'
import { checkDigits, KvNow, type KvObject, KvU64, type KvValue, typeMember } from './value.js'

/**
 * How values and keys look in JSON. What JSON has stands for itself; the rest is an object with a tag:
 *
 * | value                         | JSON                                              |
 * |-------------------------------|---------------------------------------------------|
 * | bigint                        | `{"__type":"bigint","value":"<decimal>"}`         |
 * | bytes                         | `{"__type":"bytes","value":"<base64>"}`           |
 * | counter                       | `{"__type":"u64","value":"<decimal>"}`            |
 * | object with a member `__type` or shaped like a time | `{"__type":"object","value":{…}}` |
 * | the time of the write         | `{"$now":true,"$offset":<ms>}`                    |
 */
export type Wire = unknown

/** Bytes of JSON that are never stored, whatever tags are among them. */
const wireBytesMax = 4 * kvLimits.valueBytesMax

/** Writes a value as it stands in JSON. `nowMs` takes the place of times that are still to be set. */
export function toWire(value: KvValue, nowMs?: number): Wire {
  if (value === null || typeof value !== 'object') {
    return typeof value === 'bigint' ? tagged('bigint', String(value)) : value
  }
  if (value instanceof Uint8Array) {
    return tagged('bytes', Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64'))
  }
  if (value instanceof KvU64) return tagged('u64', String(value.value))
  if (value instanceof KvNow) return timeToWire(value, nowMs)
  if (Array.isArray(value)) return (value as readonly KvValue[]).map((item) => toWire(item, nowMs))
  const members = Object.entries(value as KvObject).filter(([, member]) => member !== undefined)
  const object = Object.fromEntries(members.map(([key, member]) => [key, toWire(member ?? null, nowMs)]))
  return typeMember in object || isTime(object) ? tagged('object', object) : object
}

/**
 * Reads a value from parsed JSON.
 *
 * @throws `KV_VALUE_INVALID` for a tag that does not exist or does not fit its value, and for what is nested too deep;
 *   `KV_VALUE_TOO_LARGE` for what is far too large to be stored, before work is put into it.
 */
export function fromWire(wire: Wire): KvValue {
  inspectWire(wire, 0, 0)
  return readWire(wire)
}

/** Writes the parts of a key as they stand in JSON. */
export function keyToWire(key: readonly KvKeyPart[]): Wire[] {
  return key.map((part) => {
    // JSON has no infinite numbers, which have their place in the order of keys.
    if (typeof part === 'number' && !Number.isFinite(part)) return tagged('number', String(part))
    return toWire(part)
  })
}

/**
 * Reads a key from parsed JSON. What kind of parts it has is checked where it is encoded.
 *
 * @throws `KV_VALUE_INVALID` for a tag that does not exist.
 */
export function keyFromWire(wire: readonly Wire[]): KvKeyPart[] {
  return wire.map((part) => {
    if (isTagged(part) && part.__type === 'number') return numberPart(part.value)
    return fromWire(part) as KvKeyPart
  })
}

function numberPart(text: unknown): number {
  if (text === 'Infinity') return Number.POSITIVE_INFINITY
  if (text === '-Infinity') return Number.NEGATIVE_INFINITY
  throw invalid('the tag "number" is for "Infinity" and "-Infinity" in keys.')
}

function timeToWire(time: KvNow, nowMs: number | undefined): Wire {
  if (nowMs !== undefined) return nowMs + time.offsetMs
  return { $now: true, ...(time.offsetMs === 0 ? {} : { $offset: time.offsetMs }) }
}

function readWire(wire: Wire): KvValue {
  if (wire === null || typeof wire !== 'object') return wire as KvValue
  if (Array.isArray(wire)) return wire.map(readWire)
  if (typeMember in wire) return readTagged(wire as { __type: unknown; value?: unknown })
  if (isTime(wire)) return new KvNow((wire as { $offset?: number }).$offset ?? 0)
  return readMembers(wire)
}

function readMembers(wire: object): KvObject {
  return Object.fromEntries(Object.entries(wire).map(([key, member]) => [key, readWire(member)]))
}

function readTagged({
  __type: type,
  value,
}: {
  readonly __type: unknown
  readonly value?: unknown
}): KvValue {
  if (type === 'object' && typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return readMembers(value)
  }
  if (typeof value === 'string') {
    if (type === 'bytes') return readBytes(value)
    if ((type === 'bigint' || type === 'u64') && /^-?\d+$/.test(value)) return readInteger(type, value)
  }
  throw invalid(
    `the object with the member "__type" is none of {"__type":"bigint"|"u64","value":"<decimal>"}, {"__type":"bytes","value":"<base64>"} and {"__type":"object","value":{…}}, which carries an object with a member of that name.`,
  )
}

function readInteger(type: 'bigint' | 'u64', text: string): KvValue {
  // Converting takes time that grows with the square of the digits.
  if (text.length > kvLimits.bigintDigitsMax + 1) {
    throw invalid(
      `a ${type} has ${text.length} characters, and ${kvLimits.bigintDigitsMax} digits are allowed.`,
    )
  }
  const integer = BigInt(text)
  checkDigits(integer)
  return type === 'u64' ? new KvU64(integer) : integer
}

function readBytes(text: string): Uint8Array {
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) throw invalid('the value of the tag "bytes" is not base64.')
  return new Uint8Array(Buffer.from(text, 'base64'))
}

/** True for exactly what stands for the time of the write. */
function isTime(object: object): boolean {
  const { $now: now, $offset: offset, ...others } = object as { $now?: unknown; $offset?: unknown }
  if (now !== true || Object.keys(others).length > 0) return false
  return offset === undefined || Number.isSafeInteger(offset)
}

function isTagged(wire: Wire): wire is { __type: unknown; value?: unknown } {
  return typeof wire === 'object' && wire !== null && !Array.isArray(wire) && typeMember in wire
}

/**
 * Looks whether it is worth reading. Tags take a level of their own, so that what has been stored can always be read
 * back, and they are larger than what is stored of them: bytes by a third, times by less than four times.
 *
 * @param counted Bytes of JSON that were counted before.
 * @returns Those and the ones of this part, at the least.
 */
function inspectWire(wire: Wire, depth: number, counted: number): number {
  if (counted > wireBytesMax) {
    throw kvValueTooLarge({ bytes: `more than ${wireBytesMax}`, bytesMax: kvLimits.valueBytesMax })
  }
  if (typeof wire === 'string') return counted + wire.length + 2
  if (wire === null || typeof wire !== 'object') return counted + 1
  if (depth > 2 * kvLimits.valueDepthMax)
    throw invalid(`it is nested deeper than ${kvLimits.valueDepthMax} levels.`)
  let bytes = counted + 2
  if (Array.isArray(wire)) for (const item of wire) bytes = 1 + inspectWire(item, depth + 1, bytes)
  else for (const key in wire) bytes = inspectMember(wire, key, depth, bytes)
  return bytes
}

function inspectMember(wire: object, key: string, depth: number, counted: number): number {
  const member = (wire as Readonly<Record<string, Wire>>)[key]
  return inspectWire(member, depth + 1, counted + key.length + 4)
}

function tagged(type: string, value: unknown): Wire {
  return { [typeMember]: type, value }
}

function invalid(problem: string): Error {
  return kvValueInvalid({ problem })
}
