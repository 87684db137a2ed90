import { vmLimits } from '../base/limits/sandbox.js'
import { Crossing } from './crossing.js'
import { numberJson, quoteJson } from './json-text.js'
import { type LuaApi, luaType } from './lua-api.js'
import { LuaRaise } from './lua-value.js'
import type { Pointer } from './lua-wasm.js'
import { type Entries, objectKeys, readEntries, typeNames } from './table-reader.js'
import { arrayTag, isNull, type TagTable } from './tags.js'

/**
 * Writes the Lua value at `index` as JSON text, straight from the stack. Object keys are sorted, so that the same
 * table gives the same text. An empty table is `{}` unless it is marked as an array.
 *
 * @throws LuaRaise for NaN, infinities, functions, cycles, broken UTF-8 and what exceeds the crossing limits.
 */
export function encodeJson(
  lua: LuaApi,
  tags: TagTable,
  state: Pointer,
  index: number,
  bytesMax: number = vmLimits.marshalBytesMax,
): string {
  const crossing = new Crossing(bytesMax)
  const ancestors: Pointer[] = []

  function encode(at: number, depth: number): string {
    const type = lua.raw.lua_type(state, at)
    if (type === luaType.string) return encodeString(lua, state, at, crossing)
    if (type === luaType.number) return encodeNumber(lua.readNumber(state, at), crossing)
    if (type === luaType.boolean) return lua.raw.lua_toboolean(state, at) === 0 ? 'false' : 'true'
    if (type === luaType.table) return encodeTable(at, depth)
    if (type <= luaType.nil || isNull(lua, state, at)) return 'null'
    throw new LuaRaise(`a ${typeNames[type]} cannot be encoded${crossing.where()}`)
  }

  function encodeTable(at: number, depth: number): string {
    const walk = { crossing, depth, ancestors }
    const entries = readEntries(lua, state, at, walk, (value) => encode(value, depth + 1))
    if (entries.isSequence) return `[${entries.values.join(',')}]`
    if (entries.keys.length === 0) return tags.of(state, at) === arrayTag ? '[]' : '{}'
    return encodeObject(entries, crossing)
  }

  return encode(lua.raw.lua_absindex(state, index), 0)
}

const quoteMarks = 2

function encodeObject(entries: Entries<string>, crossing: Crossing): string {
  const keys = objectKeys(entries.keys, crossing)
  const members = keys.map((key, at) => ({ key, value: entries.values[at] as string }))
  members.sort((a, b) => (a.key < b.key ? -1 : 1))
  return `{${members.map(({ key, value }) => `${quoteJson(key)}:${value}`).join(',')}}`
}

function encodeString(lua: LuaApi, state: Pointer, index: number, crossing: Crossing): string {
  crossing.countBytes(lua.stringBytes(state, index))
  const text = lua.readString(state, index)
  if (typeof text !== 'string') throw new LuaRaise(`string is not valid UTF-8${crossing.where()}`)
  const quoted = quoteJson(text)
  // Escapes make the text longer than what was read.
  crossing.countBytes(Math.max(0, quoted.length - text.length - quoteMarks))
  return quoted
}

function encodeNumber(value: number | bigint, crossing: Crossing): string {
  const text = numberJson(value)
  if (text === undefined) throw new LuaRaise(`${value} cannot be encoded as JSON${crossing.where()}`)
  return text
}
