import { type LuaApi, luaType } from './lua-api.js'
import type { Pointer } from './lua-wasm.js'

/** Tag of tables that are sequences even when they are empty: query results, `json.array{}`. */
export const arrayTag = 'array'

/**
 * Metatables that only the host can set. A table that carries one is recognised by the address of the metatable,
 * which Lua code can neither read nor set, so it cannot be forged.
 */
export class TagTable {
  readonly #lua: LuaApi
  readonly #refs = new Map<string, number>()
  readonly #names = new Map<Pointer, string>()

  constructor(lua: LuaApi) {
    this.#lua = lua
  }

  /** Sets the metatable of `tag` on the table on top of the stack. */
  mark(state: Pointer, tag: string): void {
    this.pushMetatable(state, tag)
    this.#lua.raw.lua_setmetatable(state, -2)
  }

  /** Pushes the metatable of `tag`, for the Lua part of a module to add metamethods to; plugins never see it. */
  pushMetatable(state: Pointer, tag: string): void {
    this.#lua.pushRef(state, this.#refs.get(tag) ?? this.#create(state, tag))
  }

  /** The tag of the table at `index`; undefined when it has no metatable or one of the plugin's own. */
  of(state: Pointer, index: number): string | undefined {
    const { raw } = this.#lua
    if (raw.lua_getmetatable(state, index) === 0) return undefined
    const tag = this.#names.get(raw.lua_topointer(state, -1))
    this.#lua.pop(state, 1)
    return tag
  }

  #create(state: Pointer, tag: string): number {
    const { raw } = this.#lua
    raw.lua_createtable(state, 0, 1)
    this.#lua.pushText(state, '__metatable')
    this.#lua.pushText(state, 'protected')
    raw.lua_rawset(state, -3)
    this.#names.set(raw.lua_topointer(state, -1), tag)
    const ref = this.#lua.ref(state)
    this.#refs.set(tag, ref)
    return ref
  }
}

/** True when the value at `index` is `json.null`. */
export function isNull(lua: LuaApi, state: Pointer, index: number): boolean {
  return lua.raw.lua_type(state, index) === luaType.lightUserdata
}
