import type { Crossing } from './crossing.js'
import { type LuaApi, luaType } from './lua-api.js'
import { LuaRaise } from './lua-value.js'
import type { Pointer } from './lua-wasm.js'

/** A key of a table as it crosses: integers beyond 2^53 are bigint. */
export type Key = string | number | bigint

/** Keys and read values of one table, in the order of `next`. */
export interface Entries<Value> {
  readonly keys: Key[]
  readonly values: Value[]
  /** True when the keys are exactly 1..n with n >= 1; `values` is then in that order. */
  readonly isSequence: boolean
}

/**
 * Walks the table at the absolute `index` with raw access only: no metamethod of the plugin runs. `ancestors`
 * holds the addresses of the tables around it, to find cycles.
 */
export function readEntries<Value>(
  lua: LuaApi,
  state: Pointer,
  index: number,
  walk: { readonly crossing: Crossing; readonly depth: number; readonly ancestors: Pointer[] },
  readValue: (index: number) => Value,
): Entries<Value> {
  const { raw } = lua
  const { crossing, depth, ancestors } = walk
  crossing.enter(depth)
  if (raw.lua_checkstack(state, 8) === 0) throw new LuaRaise('table nested too deep for the Lua stack')
  const address = raw.lua_topointer(state, index)
  if (ancestors.includes(address)) throw new LuaRaise(`table contains itself (a cycle)${crossing.where()}`)
  ancestors.push(address)
  const keys: Key[] = []
  const values: Value[] = []
  let isSequence = true
  raw.lua_pushnil(state)
  while (raw.lua_next(state, index) !== 0) {
    const top = raw.lua_gettop(state)
    const key = readKey(lua, state, top - 1, crossing)
    crossing.at(depth, typeof key === 'bigint' ? String(key) : key)
    crossing.countNode()
    keys.push(key)
    if (isSequence && key !== keys.length) isSequence = false
    values.push(readValue(top))
    raw.lua_settop(state, top - 1)
  }
  ancestors.pop()
  if (keys.length === 0) return { keys, values, isSequence: false }
  return isSequence ? { keys, values, isSequence } : arrange(keys, values)
}

function readKey(lua: LuaApi, state: Pointer, index: number, crossing: Crossing): Key {
  const type = lua.raw.lua_type(state, index)
  if (type === luaType.string) {
    const key = lua.readString(state, index)
    if (typeof key !== 'string') throw new LuaRaise(`table key is not valid UTF-8${crossing.where()}`)
    crossing.countBytes(key.length)
    return key
  }
  if (type !== luaType.number) {
    throw new LuaRaise(`table key must be a string or a number, not a ${typeNames[type]}${crossing.where()}`)
  }
  return lua.readNumber(state, index)
}

/** Lua's own names of its types, by number. */
export const typeNames: readonly string[] = [
  'nil',
  'boolean',
  'userdata',
  'number',
  'string',
  'table',
  'function',
  'userdata',
  'thread',
]

/** `next` gives the integer keys of the hash part in any order: sorts them when they are a sequence after all. */
function arrange<Value>(keys: Key[], values: Value[]): Entries<Value> {
  const ordered: Value[] = []
  const seen = new Uint8Array(keys.length)
  for (const [at, key] of keys.entries()) {
    const position = typeof key === 'number' && Number.isInteger(key) ? key - 1 : -1
    if (position < 0 || position >= keys.length || seen[position] === 1) {
      return { keys, values, isSequence: false }
    }
    seen[position] = 1
    ordered[position] = values[at] as Value
  }
  return { keys, values: ordered, isSequence: true }
}

/** Turns keys into texts for an object; two keys that would become one are an error, never merged. */
export function objectKeys(keys: readonly Key[], crossing: Crossing): string[] {
  const texts = keys.map(String)
  if (keys.some((key) => typeof key !== 'string') && new Set(texts).size !== texts.length) {
    throw new LuaRaise(`two keys of the table become the same text${crossing.where()}`)
  }
  return texts
}
