import { Crossing } from './crossing.js'
import { type LuaApi, luaType } from './lua-api.js'
import { FunctionRef, type LuaObject, LuaRaise, type LuaValue, Tagged } from './lua-value.js'
import type { Pointer } from './lua-wasm.js'
import { objectKeys, readEntries, typeNames } from './table-reader.js'
import { arrayTag, isNull, type TagTable } from './tags.js'

/** Reads Lua values into TypeScript, by the table in `lua-value.ts`. */
export class ValueReader {
  readonly #lua: LuaApi
  readonly #tags: TagTable

  constructor(lua: LuaApi, tags: TagTable) {
    this.#lua = lua
    this.#tags = tags
  }

  /**
   * Reads the value at `index`.
   *
   * @throws LuaRaise when it, or something inside it, cannot cross; the message names the place.
   */
  read(state: Pointer, index: number): LuaValue {
    const { raw } = this.#lua
    switch (raw.lua_type(state, index)) {
      case luaType.string:
        return this.#lua.readString(state, index)
      case luaType.table:
        return this.#readTable(state, raw.lua_absindex(state, index), new Crossing(), 0, [])
      default:
        return this.#readScalar(state, index, undefined)
    }
  }

  /** Takes the function at `index` into the registry; whoever gets it frees it with the VM. */
  readFunction(state: Pointer, index: number): FunctionRef {
    this.#lua.raw.lua_pushvalue(state, index)
    return new FunctionRef(this.#lua.ref(state))
  }

  #readScalar(state: Pointer, index: number, crossing: Crossing | undefined): LuaValue {
    const { raw } = this.#lua
    const type = raw.lua_type(state, index)
    if (type <= luaType.nil) return undefined
    if (type === luaType.boolean) return raw.lua_toboolean(state, index) !== 0
    if (type === luaType.number) return this.#lua.readNumber(state, index)
    if (isNull(this.#lua, state, index)) return null
    throw new LuaRaise(`a ${typeNames[type]} cannot be passed to the host${crossing?.where() ?? ''}`)
  }

  #readTable(
    state: Pointer,
    index: number,
    crossing: Crossing,
    depth: number,
    ancestors: Pointer[],
  ): LuaValue {
    const tag = this.#tags.of(state, index)
    const walk = { crossing, depth, ancestors }
    const entries = readEntries(this.#lua, state, index, walk, (at) => {
      const type = this.#lua.raw.lua_type(state, at)
      if (type === luaType.table) return this.#readTable(state, at, crossing, depth + 1, ancestors)
      if (type !== luaType.string) return this.#readScalar(state, at, crossing)
      crossing.countBytes(this.#lua.stringBytes(state, at))
      return this.#lua.readString(state, at)
    })
    if (entries.isSequence && (tag === undefined || tag === arrayTag)) return entries.values
    if (tag === arrayTag && entries.keys.length === 0) return []
    const object = toObject(objectKeys(entries.keys, crossing), entries.values)
    return tag === undefined || tag === arrayTag ? object : new Tagged(tag, object)
  }
}

function toObject(keys: readonly string[], values: readonly LuaValue[]): LuaObject {
  const object = Object.create(null) as LuaObject
  for (const [at, key] of keys.entries()) object[key] = values[at]
  return object
}
