import type { CallFailureCode } from './generation.js'

/**
 * Thrown through Lua to end a call: no pcall, coroutine or metamethod can catch it, because Emscripten's wrappers
 * pass on whatever is not a number. The VM is retired afterwards.
 */
export class Kill extends Error {
  readonly code: CallFailureCode

  constructor(code: CallFailureCode, message: string) {
    super(message)
    this.name = 'Kill'
    this.code = code
  }
}
