import { decodeBase64, encodeBase64 } from './base64.js'
import { oddAnswer, refused } from './refusal.js'
import { type KvKey, type KvKeyPart, KvNow, type KvObject, KvU64, type KvValue } from './value.js'

/**
 * How values and keys look in JSON. What JSON has stands for itself; the rest is an object with a tag:
 * `{"__type":"bigint"|"u64","value":"<decimal>"}`, `{"__type":"bytes","value":"<base64>"}`, in keys
 * `{"__type":"number","value":"Infinity"|"-Infinity"}`, for an object that looks like a tag or a time
 * `{"__type":"object","value":{…}}`, and for the time of the write `{"$now":true,"$offset":<ms>}`.
 */
export type Wire = unknown

const typeMember = '__type'

/** Deeper than any server stores: it only keeps a value that contains itself from having no end. */
const depthMax = 500

/**
 * Writes a value as it stands in JSON.
 *
 * @throws ClientError `KV_VALUE_INVALID`, which names the place, for what JSON would drop or change in silence.
 */
export function toWire(value: KvValue): Wire {
  return writeValue(value, '', 0)
}

/** Reads a value from parsed JSON. @throws ClientError `INVALID_RESPONSE` for a tag that does not exist. */
export function fromWire(wire: Wire): KvValue {
  if (wire === null || typeof wire !== 'object') return wire as KvValue
  if (Array.isArray(wire)) return wire.map(fromWire)
  if (typeMember in wire) return readTagged(wire)
  if (isTime(wire)) return new KvNow((wire as { $offset?: number }).$offset ?? 0)
  return readMembers(wire)
}

/** Writes the parts of a key as they stand in JSON. @throws ClientError `KV_KEY_INVALID`, which names the part. */
export function keyToWire(key: KvKey): Wire[] {
  if (!Array.isArray(key)) throw badKey(`it is ${describe(key)}, not an array of parts`)
  return key.map(partToWire)
}

/** As `keyToWire`, for a key that must have parts. */
export function wholeKeyToWire(key: KvKey): Wire[] {
  const wire = keyToWire(key)
  if (wire.length === 0) throw badKey('it is empty; give it at least one part')
  return wire
}

/** Reads a key from parsed JSON. @throws ClientError `INVALID_RESPONSE` for what is no key. */
export function keyFromWire(wire: Wire): KvKeyPart[] {
  if (!Array.isArray(wire)) throw oddAnswer('has a key that is no array')
  return wire.map((part: Wire) => {
    if (isTagged(part) && part.__type === 'number') return Number(part.value)
    return fromWire(part) as KvKeyPart
  })
}

/** Writes a key as text, for addresses. */
export function keyText(key: KvKey): string {
  return JSON.stringify(keyToWire(key))
}

/** Writes a filter: as it stands, but for bigints, bytes and counters inside it, and times. */
export function whereToWire(where: Readonly<Record<string, unknown>>): Wire {
  return writeFilter(where, 0)
}

function writeFilter(part: unknown, depth: number): Wire {
  if (depth > depthMax) throw badValue(`the filter is nested deeper than ${depthMax} levels`)
  if (Array.isArray(part)) return part.map((item) => writeFilter(item, depth + 1))
  if (!isPlainObject(part)) return part === undefined ? undefined : writeValue(part as KvValue, '', depth)
  const members = Object.entries(part)
  return Object.fromEntries(members.map(([key, member]) => [key, writeFilter(member, depth + 1)]))
}

function partToWire(part: KvKeyPart, at: number): Wire {
  switch (typeof part) {
    case 'string':
    case 'boolean':
      return part
    case 'number':
      if (Number.isNaN(part)) throw badKey(`part ${at + 1} is NaN, which has no place in an order`)
      return Number.isFinite(part) ? part : tagged('number', String(part))
    case 'bigint':
      return tagged('bigint', String(part))
    default:
      if (part instanceof Uint8Array) return tagged('bytes', encodeBase64(part))
      throw badKey(
        `part ${at + 1} is ${describe(part)}; parts are strings, numbers, bigints, booleans and bytes`,
      )
  }
}

function writeValue(value: KvValue, path: string, depth: number): Wire {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      if (Number.isFinite(value)) return value
      throw badValue(`${value}${placeOf(path)} is no number of JSON`)
    case 'bigint':
      return tagged('bigint', String(value))
    case 'object':
      return value === null ? null : writeObject(value, path, depth)
    default:
      throw badValue(`${describe(value)}${placeOf(path)} is no data`)
  }
}

function writeObject(value: NonNullable<KvValue & object>, path: string, depth: number): Wire {
  if (value instanceof Uint8Array) return tagged('bytes', encodeBase64(value))
  if (value instanceof KvU64) return tagged('u64', String(value.value))
  if (value instanceof KvNow) {
    return { $now: true, ...(value.offsetMs === 0 ? {} : { $offset: value.offsetMs }) }
  }
  if (depth >= depthMax) throw badValue(`it is nested deeper than ${depthMax} levels, or it contains itself`)
  if (Array.isArray(value)) {
    const items = value as readonly KvValue[]
    // Holes are found by counting: `map` passes over them.
    return Array.from(items, (item, at) => writeValue(item, `${path}[${at}]`, depth + 1))
  }
  if (!isPlainObject(value)) {
    const name = (value as object).constructor?.name ?? 'a class'
    throw badValue(
      `an instance of ${name}${placeOf(path)} is no plain data; convert it first, e.g. to a string`,
    )
  }
  const members = Object.entries(value as KvObject).filter(([, member]) => member !== undefined)
  const object = Object.fromEntries(
    members.map(([key, member]) => [
      key,
      writeValue(member as KvValue, path === '' ? key : `${path}.${key}`, depth + 1),
    ]),
  )
  return typeMember in object || isTime(object) ? tagged('object', object) : object
}

function readTagged(wire: object): KvValue {
  const { __type: type, value } = wire as { readonly __type: unknown; readonly value?: unknown }
  if (type === 'object' && typeof value === 'object' && value !== null) return readMembers(value)
  if (typeof value === 'string') {
    if (type === 'bytes') return decodeBase64(value)
    if (type === 'bigint') return BigInt(value)
    if (type === 'u64') return new KvU64(BigInt(value))
  }
  throw oddAnswer(`has a value of the unknown type ${JSON.stringify(type)}`)
}

function readMembers(wire: object): KvObject {
  return Object.fromEntries(Object.entries(wire).map(([key, member]) => [key, fromWire(member)]))
}

/** True for exactly what stands for the time of the write. */
function isTime(object: object): boolean {
  const { $now: now, $offset: offset, ...others } = object as { $now?: unknown; $offset?: unknown }
  if (now !== true || Object.keys(others).length > 0) return false
  return offset === undefined || Number.isSafeInteger(offset)
}

function isTagged(wire: Wire): wire is { readonly __type: unknown; readonly value?: unknown } {
  return typeof wire === 'object' && wire !== null && !Array.isArray(wire) && typeMember in wire
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype = Object.getPrototypeOf(value) as unknown
  return prototype === null || prototype === Object.prototype
}

function tagged(type: string, value: unknown): Wire {
  return { [typeMember]: type, value }
}

function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return value === undefined ? 'undefined' : `a value of the type ${typeof value}`
}

function placeOf(path: string): string {
  return path === '' ? '' : ` at ${path.slice(0, 100)}`
}

function badKey(problem: string): Error {
  return refused('KV_KEY_INVALID', `the key cannot be used: ${problem}`)
}

function badValue(problem: string): Error {
  return refused('KV_VALUE_INVALID', `the value cannot be stored: ${problem}`)
}
