import { kvLimits, kvLuaLimits } from '../../base/limits/kv.js'
import { encodeKey, encodePrefix, type KvKey, type KvKeyPart } from '../../kv/key.js'
import { KvNow, type KvObject, KvU64, type KvValue, u64Max } from '../../kv/value.js'
import { type LuaObject, LuaRaise, type LuaValue, Tagged } from '../../sandbox/lua-value.js'
import { valueTags } from './lua-values.js'

/**
 * Reads a key: a list of strings, numbers, booleans and tables of `kv.bytes`. Integers beyond 2^53 are bigints.
 *
 * @throws LuaRaise, or `KV_KEY_INVALID`, which name the part.
 */
export function readKey(value: LuaValue, what = 'the key'): KvKey {
  const parts = readParts(value, what)
  // What is wrong with a part is said before anything is done with the key.
  encodeKey(parts)
  return parts
}

/** Reads what keys begin with; no parts, and nothing at all, are the beginning of every key. */
export function readPrefix(value: LuaValue, what = 'the prefix'): KvKey {
  const parts = value === undefined ? [] : readParts(value, what)
  encodePrefix(parts)
  return parts
}

/** Reads a list of keys; errors as `readKey`. */
export function readKeys(value: LuaValue, what: string): readonly KvKey[] {
  return readList(value, what, 'keys such as {{"users", 1}, {"users", 2}}').map((key, at) =>
    readKey(key, `key ${at + 1}`),
  )
}

function readParts(value: LuaValue, what: string): KvKeyPart[] {
  return readList(value, what, 'parts such as {"users", 42}').map((part, at) => readPart(part, at, what))
}

/** An empty table has no keys that would tell a list from an object. */
function readList(value: LuaValue, what: string, expected: string): readonly LuaValue[] {
  if (Array.isArray(value)) return value
  if (isObject(value) && Object.keys(value).length === 0) return []
  throw new LuaRaise(`${what} must be a list of ${expected}, not ${describe(value)}`)
}

function readPart(part: LuaValue, at: number, what: string): KvKeyPart {
  if (typeof part === 'string' || typeof part === 'number' || typeof part === 'boolean') return part
  if (typeof part === 'bigint') return part
  if (part instanceof Uint8Array) {
    throw new LuaRaise(
      `part ${at + 1} of ${what} is a string that is not valid UTF-8: wrap it in kv.bytes(...)`,
    )
  }
  if (part instanceof Tagged) {
    const value = readTagged(part)
    if (value instanceof Uint8Array || typeof value === 'bigint') return value
  }
  throw new LuaRaise(
    `part ${at + 1} of ${what} is ${describe(part)}; parts are strings, numbers, booleans and kv.bytes(...)`,
  )
}

/**
 * Reads a value to be stored.
 *
 * @throws LuaRaise for nil, which would store nothing, for tables of other modules, and for what is nested deeper than
 *   could be read back.
 */
export function readValue(value: LuaValue): KvValue {
  if (value === undefined) {
    throw new LuaRaise('the value is nil: use kv.delete to remove an entry, or json.null to store null')
  }
  return convert(value, 0)
}

/** Reads a filter; what lists operators take may be empty tables. */
export function readWhere(value: LuaValue): Readonly<Record<string, unknown>> | undefined {
  if (value === undefined) return undefined
  if (!isObject(value)) {
    throw new LuaRaise(`where must be a table such as { age = { ["$gte"] = 18 } }, not ${describe(value)}`)
  }
  return withLists(convert(value, 0)) as Readonly<Record<string, unknown>>
}

const listOperators: readonly string[] = ['$in', '$nin', '$and', '$or', '$between']

/** Lua has one empty table: where an operator takes a list, it is an empty list. */
function withLists(value: KvValue): KvValue {
  if (Array.isArray(value)) return (value as readonly KvValue[]).map(withLists)
  if (!isPlain(value)) return value
  const object = Object.create(null) as Record<string, KvValue>
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) continue
    const isEmpty = isPlain(member) && Object.keys(member).length === 0
    object[key] = isEmpty && listOperators.includes(key) ? [] : withLists(member)
  }
  return object
}

function isPlain(value: KvValue | undefined): value is KvObject {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === null
}

function convert(value: LuaValue, depth: number): KvValue {
  if (value === undefined || value === null) return null
  if (typeof value !== 'object') return value
  if (value instanceof Uint8Array) return value
  if (value instanceof Tagged) return readTagged(value)
  if (depth >= kvLuaLimits.valueDepthMax) {
    throw new LuaRaise(`the value is nested deeper than ${kvLuaLimits.valueDepthMax} levels`)
  }
  if (Array.isArray(value)) return value.map((item) => convert(item, depth + 1))
  if (!isObject(value)) throw new LuaRaise('the value is made by the host and cannot be stored')
  const object = Object.create(null) as Record<string, KvValue>
  for (const key of Object.keys(value)) object[key] = convert(value[key], depth + 1)
  return object
}

/** Lua can change the fields of these tables, so what they hold is checked like any argument. */
function readTagged({ tag, fields }: Tagged): KvValue {
  switch (tag) {
    case valueTags.bytes:
      if (typeof fields.value === 'string') return Buffer.from(fields.value, 'utf8')
      if (fields.value instanceof Uint8Array) return fields.value
      throw new LuaRaise('the field value of a table of kv.bytes must stay a string')
    case valueTags.u64:
      return new KvU64(readDecimal(fields.value, 'kv.u64'))
    case valueTags.bigint:
      return readDecimal(fields.value, 'kv.bigint')
    case valueTags.now:
      return new KvNow(fields.offset_ms as number)
    default:
      throw new LuaRaise(`a table of ${tag} cannot be stored`)
  }
}

const decimal = new RegExp(`^-?\\d{1,${kvLimits.bigintDigitsMax}}$`)

/**
 * Reads an integer that is given as a number or as decimal text.
 *
 * @throws LuaRaise.
 */
export function readDecimal(value: LuaValue, what: string): bigint {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  const digits = kvLimits.bigintDigitsMax
  // Converting takes time that grows with the square of the digits.
  if (typeof value === 'string' && value.length <= digits + 1 && decimal.test(value)) return BigInt(value)
  throw new LuaRaise(
    `${what}: expected an integer, or its decimal digits as a string (${digits} at most), got ${describe(value)}`,
  )
}

/** Reads the operand of `kv.u64`; errors as `readDecimal`. */
export function readU64(value: LuaValue): bigint {
  const integer = readDecimal(value, 'kv.u64')
  if (integer >= 0n && integer <= u64Max) return integer
  throw new LuaRaise(
    `kv.u64: ${String(integer).slice(0, kvLimits.shownCharacters)} is not from 0 to ${u64Max}`,
  )
}

function isObject(value: LuaValue): value is LuaObject {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === null
}

/** Names the type of an argument as Lua's own messages do. */
export function describe(value: LuaValue): string {
  if (value === undefined) return 'nil'
  if (value === null) return 'null'
  if (value instanceof Tagged) return `a table of ${value.tag}`
  if (typeof value === 'string' || value instanceof Uint8Array) return 'a string'
  if (typeof value === 'number' || typeof value === 'bigint') return 'a number'
  return typeof value === 'boolean' ? 'a boolean' : 'a table with other keys'
}
