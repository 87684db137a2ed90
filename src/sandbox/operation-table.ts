import type { Operation } from './host-binding.js'
import type { LuaApi } from './lua-api.js'
import { LuaMemoryError } from './lua-api.js'
import { LuaRaise } from './lua-value.js'
import type { Pointer } from './lua-wasm.js'

/** Stack level of the plugin's line: the host function is 0, the prelude's wrapper 1. */
const callerLevel = 2

/**
 * The one C function through which Lua reaches the host: `host(operation, ...)`. What an operation throws becomes a
 * Lua error with the position of the caller; kills and longjmps of Lua itself pass through untouched.
 */
export class OperationTable {
  readonly #lua: LuaApi
  readonly #operations: Operation[] = []
  readonly #pointer: number
  readonly #noteFailure: (error: unknown) => void

  /** @param noteFailure Hears of every failure before it becomes a Lua error. */
  constructor(lua: LuaApi, noteFailure: (error: unknown) => void) {
    this.#lua = lua
    this.#noteFailure = noteFailure
    this.#pointer = lua.instance.addFunction((state) => this.#call(state as Pointer), 'ii')
  }

  /** Adds an operation and gives its number. */
  add(operation: Operation): number {
    return this.#operations.push(operation) - 1
  }

  pushHost(state: Pointer): void {
    this.#lua.raw.lua_pushcclosure(state, this.#pointer, 0)
  }

  #call(state: Pointer): number {
    const number = this.#lua.raw.lua_tonumberx(state, 1, 0)
    let message: string
    try {
      const operation = this.#operations[number]
      if (operation !== undefined) return operation(state)
      message = 'unknown host operation'
    } catch (thrown) {
      // A LuaRaise is for the plugin; a LuaMemoryError is Lua's own "not enough memory".
      if (!(thrown instanceof LuaRaise || thrown instanceof LuaMemoryError)) {
        if (!isHostFault(thrown)) throw thrown
        this.#noteFailure(thrown)
        message = 'internal error of the host; its log has the details'
      } else {
        this.#noteFailure(thrown)
        message = thrown.message
      }
    }
    this.#lua.raw.lua_settop(state, 0)
    this.#lua.raw.luaL_where(state, callerLevel)
    this.#lua.pushText(state, message)
    this.#lua.raw.lua_concat(state, 2)
    return this.#lua.raw.lua_error(state)
  }
}

/** True for ordinary exceptions of host code: not a kill, not a longjmp (a number), not a fault of the module. */
function isHostFault(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false
  return thrown.name !== 'Kill' && thrown.name !== 'RuntimeError' && thrown.name !== 'RangeError'
}
