import { kvLuaLimits } from '../../base/limits/kv.js'
import { vmLimits } from '../../base/limits/sandbox.js'
import type { KvKey, KvKeyPart } from '../../kv/key.js'
import { decodeValue } from '../../kv/stored-value.js'
import { KvNow, type KvObject, KvU64, type KvValue } from '../../kv/value.js'
import { fromWire, keyFromWire, type Wire } from '../../kv/wire.js'
import { DecodedJson, type LuaObject, type LuaValue, Tagged } from '../../sandbox/lua-value.js'
import { KvFailure } from './failure.js'

/** Tags of what `kv.bytes`, `kv.u64`, `kv.bigint` and `kv.now` make. */
export const valueTags = { bytes: 'kv.bytes', u64: 'kv.u64', bigint: 'kv.bigint', now: 'kv.now' } as const

const int64Max = 2n ** 63n - 1n
const int64Min = -(2n ** 63n)
const safeMax = BigInt(Number.MAX_SAFE_INTEGER)

/**
 * Makes what Lua gets of a stored value. Bytes are a string, integers of 64 bits an integer, larger ones a table of
 * `kv.u64` or `kv.bigint`. Nulls inside objects are left out, those in arrays stay, as `json.decode` has it.
 *
 * @throws KvFailure for what is nested deeper than may cross.
 */
function valueToLua(value: KvValue): LuaValue {
  return new DecodedJson(convert(value, 0))
}

/** The same for the value as a store keeps it. */
export function storedToLua(stored: Parameters<typeof decodeValue>[0]): LuaValue {
  return valueToLua(decodeValue(stored))
}

/** Makes a table with these fields; those that are undefined are nil. */
export function toTable(fields: Readonly<Record<string, LuaValue>>): LuaObject {
  return Object.assign(Object.create(null) as LuaObject, fields)
}

/** Makes the list of parts that Lua gets of a key: bytes are a table of `kv.bytes` there. */
export function keyToLua(key: KvKey): LuaValue[] {
  return key.map(partToLua)
}

/** Makes what a handler gets of a message or a change, from the JSON of its call. */
export function eventToLua(json: unknown): LuaObject {
  const { key, value, ...others } = json as { key?: readonly Wire[]; value: Wire } & LuaObject
  const event = Object.assign(Object.create(null) as LuaObject, others)
  if (key !== undefined) event.key = keyToLua(keyFromWire(key))
  if (event.type !== 'delete') event.value = valueToLua(fromWire(value))
  return event
}

function partToLua(part: KvKeyPart): LuaValue {
  if (part instanceof Uint8Array) return new Tagged(valueTags.bytes, { value: part })
  return typeof part === 'bigint' ? integerToLua(part, valueTags.bigint) : part
}

function convert(value: KvValue, depth: number): LuaValue {
  if (typeof value === 'bigint') return integerToLua(value, valueTags.bigint)
  if (value === null || typeof value !== 'object') return value
  if (value instanceof Uint8Array) return value
  if (value instanceof KvU64) return integerToLua(value.value, valueTags.u64)
  if (value instanceof KvNow) throw new Error('a stored value has no time that is still to be set')
  if (depth >= kvLuaLimits.valueDepthMax) {
    throw new KvFailure(
      `a stored value is nested deeper than ${kvLuaLimits.valueDepthMax} levels, which Lua cannot be given (the limit of what crosses is ${vmLimits.marshalDepthMax})`,
    )
  }
  if (Array.isArray(value)) return (value as readonly KvValue[]).map((item) => convert(item, depth + 1))
  const object = Object.create(null) as LuaObject
  for (const [key, member] of Object.entries(value as KvObject)) {
    if (member !== undefined) object[key] = convert(member, depth + 1)
  }
  return object
}

/** Never rounds: an integer that Lua has no number for stays text, with the type that it has in the store. */
function integerToLua(value: bigint, tag: string): LuaValue {
  if (value >= -safeMax && value <= safeMax) return Number(value)
  if (value >= int64Min && value <= int64Max) return value
  return new Tagged(tag, { value: String(value) })
}
