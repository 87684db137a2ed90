import type { Operation } from './host-binding.js'
import type { LuaApi } from './lua-api.js'
import { LuaMemoryError } from './lua-api.js'
import { LuaRaise } from './lua-value.js'
import type { Pointer } from './lua-wasm.js'

/** Stack level of the plugin's line: the host function is 0, the prelude's wrapper 1. */
const callerLevel = 2

const positionBytesMax = 256

/** Position of a line of the prelude, whose chunks are named `host`. */
export const hostPosition = /^host:\d+: /

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
      if (!isHostFault(thrown)) throw thrown
      if (!(thrown instanceof LuaMemoryError)) this.#noteFailure(thrown)
      message = failureText(thrown)
    }
    this.#lua.raw.lua_settop(state, 0)
    this.#pushPosition(state)
    this.#lua.pushText(state, message)
    this.#lua.raw.lua_concat(state, 2)
    return this.#lua.raw.lua_error(state)
  }

  /** After a tail call the plugin's line is gone: a line of the prelude in its place would tell an author nothing. */
  #pushPosition(state: Pointer): void {
    this.#lua.raw.luaL_where(state, callerLevel)
    if (!hostPosition.test(this.#lua.readTextLossy(state, -1, positionBytesMax))) return
    this.#lua.pop(state, 1)
    this.#lua.pushText(state, '')
  }
}

/** What a plugin is told of a failure: misuse, and Lua's own "not enough memory"; of a fault of the host nothing. */
export function failureText(thrown: unknown): string {
  if (thrown instanceof LuaRaise || thrown instanceof LuaMemoryError) return thrown.message
  return 'internal error of the host; its log has the details'
}

/** True for ordinary exceptions of host code: not a kill, not a longjmp (a number), not a fault of the module. */
function isHostFault(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false
  return thrown.name !== 'Kill' && thrown.name !== 'RuntimeError' && thrown.name !== 'RangeError'
}
