import { Crossing } from './crossing.js'
import type { LuaApi } from './lua-api.js'
import { DecodedJson, FunctionRef, LuaRaise, type LuaValue, Rows, Tagged } from './lua-value.js'
import type { Pointer } from './lua-wasm.js'
import { arrayTag, type TagTable } from './tags.js'

const int64Max = 2n ** 63n - 1n
const int64Min = -(2n ** 63n)

/** Pushes TypeScript values as Lua values, by the table in `lua-value.ts`. */
export class ValueWriter {
  readonly #lua: LuaApi
  readonly #tags: TagTable

  constructor(lua: LuaApi, tags: TagTable) {
    this.#lua = lua
    this.#tags = tags
  }

  /**
   * Pushes one value. Must run inside a protected call: Lua may raise "not enough memory".
   *
   * @throws LuaRaise when the value is nested too deep, too large or not one that Lua can hold.
   */
  push(state: Pointer, value: LuaValue): void {
    if (typeof value === 'object' && value !== null) this.#pushObject(state, value, new Crossing(), 0)
    else this.#pushScalar(state, value)
  }

  #pushScalar(state: Pointer, value: LuaValue): void {
    const { raw } = this.#lua
    switch (typeof value) {
      case 'undefined':
        raw.lua_pushnil(state)
        break
      case 'boolean':
        raw.lua_pushboolean(state, value ? 1 : 0)
        break
      case 'number':
        this.#lua.pushNumber(state, value)
        break
      case 'string':
        this.#lua.pushText(state, value)
        break
      case 'bigint':
        if (value > int64Max || value < int64Min) throw new LuaRaise(`integer ${value} does not fit 64 bits`)
        raw.lua_pushinteger(state, value)
        break
      case 'object':
        raw.lua_pushlightuserdata(state, 0)
        break
      default:
        throw new LuaRaise(`a ${typeof value} of the host cannot be passed to Lua`)
    }
  }

  #push(state: Pointer, value: LuaValue, crossing: Crossing, depth: number): void {
    crossing.countNode()
    if (typeof value === 'string') crossing.countBytes(value.length)
    if (typeof value === 'object' && value !== null) this.#pushObject(state, value, crossing, depth)
    else this.#pushScalar(state, value)
  }

  #pushObject(state: Pointer, value: object, crossing: Crossing, depth: number): void {
    if (value instanceof Uint8Array) {
      crossing.countBytes(value.length)
      this.#lua.pushBytes(state, value)
    } else if (value instanceof FunctionRef) {
      this.#lua.pushRef(state, value.ref)
    } else if (value instanceof DecodedJson) {
      const kept = crossing.keepNullMembers
      crossing.keepNullMembers = false
      this.#push(state, value.value, crossing, depth)
      crossing.keepNullMembers = kept
    } else if (value instanceof Rows) {
      this.#pushRows(state, value, crossing)
    } else if (Array.isArray(value)) {
      this.#pushArray(state, value as readonly LuaValue[], crossing, depth)
    } else if (value instanceof Tagged) {
      this.#pushFields(state, value.fields, crossing, depth)
      this.#tags.mark(state, value.tag)
    } else {
      this.#pushFields(state, value as Readonly<Record<string, LuaValue>>, crossing, depth)
    }
  }

  #enter(state: Pointer, crossing: Crossing, depth: number): void {
    crossing.enter(depth)
    if (this.#lua.raw.lua_checkstack(state, 8) === 0)
      throw new LuaRaise('value nested too deep for the Lua stack')
  }

  #pushArray(state: Pointer, values: readonly LuaValue[], crossing: Crossing, depth: number): void {
    this.#enter(state, crossing, depth)
    const { raw } = this.#lua
    raw.lua_createtable(state, values.length, 0)
    for (let at = 0; at < values.length; at += 1) {
      // A hole would end the sequence early, so an absent value in an array is null.
      this.#push(state, values[at] ?? null, crossing, depth + 1)
      raw.lua_rawseti(state, -2, BigInt(at + 1))
    }
    if (values.length === 0) this.#tags.mark(state, arrayTag)
  }

  #pushFields(
    state: Pointer,
    fields: Readonly<Record<string, LuaValue>>,
    crossing: Crossing,
    depth: number,
  ): void {
    this.#enter(state, crossing, depth)
    const { raw } = this.#lua
    const keys = Object.keys(fields)
    raw.lua_createtable(state, 0, keys.length)
    for (const key of keys) {
      const value = fields[key]
      if (value === undefined || (value === null && !crossing.keepNullMembers)) continue
      this.#lua.pushText(state, key)
      this.#push(state, value, crossing, depth + 1)
      raw.lua_rawset(state, -3)
    }
  }

  /** Rows share their column names: those are pushed once and copied by stack index. */
  #pushRows(state: Pointer, { columns, rows }: Rows, crossing: Crossing): void {
    const { raw } = this.#lua
    if (raw.lua_checkstack(state, columns.length + 8) === 0) throw new LuaRaise('too many columns')
    const base = raw.lua_gettop(state)
    for (const column of columns) this.#lua.pushText(state, column)
    raw.lua_createtable(state, rows.length, 0)
    for (const [at, row] of rows.entries()) {
      raw.lua_createtable(state, 0, columns.length)
      for (let column = 0; column < columns.length; column += 1) {
        const value = row[column] as LuaValue
        if (value === null || value === undefined) continue
        raw.lua_pushvalue(state, base + column + 1)
        this.#push(state, value, crossing, 1)
        raw.lua_rawset(state, -3)
      }
      raw.lua_rawseti(state, -2, BigInt(at + 1))
    }
    this.#tags.mark(state, arrayTag)
    raw.lua_rotate(state, base + 1, 1)
    raw.lua_settop(state, base + 1)
  }
}
