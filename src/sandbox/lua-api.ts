import { isUtf8 } from 'node:buffer'
import { vmLimits } from '../base/limits/sandbox.js'
import { LuaRaise } from './lua-value.js'
import type { LuaExports, LuaInstance, Pointer } from './lua-wasm.js'

/** Numbers of `lua.h`. */
export const luaType = {
  nil: 0,
  boolean: 1,
  lightUserdata: 2,
  number: 3,
  string: 4,
  table: 5,
  function: 6,
  userdata: 7,
  thread: 8,
} as const

export const luaStatus = {
  ok: 0,
  yield: 1,
  runtimeError: 2,
  syntaxError: 3,
  memoryError: 4,
  handlerError: 5,
} as const

/** Pseudo-index of the registry. */
export const registryIndex = -1_001_000

const scratchBytes = 16 * 1024
const shortStringMax = 48

/**
 * The raw C API of one instance, with strings. Every function of `exports` is a field of its own, which is what
 * makes the calls fast. Nothing here is safe by itself: callers check types, stack space and sizes first.
 */
export class LuaApi {
  readonly raw: LuaExports
  readonly instance: LuaInstance
  readonly scratch: Pointer
  readonly #lengthPointer: Pointer
  #bytes: Buffer
  #words: Uint32Array

  constructor(instance: LuaInstance) {
    this.instance = instance
    this.raw = { ...instance.exports }
    this.scratch = this.raw.malloc(scratchBytes)
    this.#lengthPointer = this.raw.malloc(8)
    this.#bytes = Buffer.from(this.raw.memory.buffer)
    this.#words = new Uint32Array(this.raw.memory.buffer)
  }

  /** The linear memory; asked for anew at each use because growing it replaces it. */
  get bytes(): Buffer {
    if (this.#bytes.length === 0) this.#refresh()
    return this.#bytes
  }

  #refresh(): void {
    this.#bytes = Buffer.from(this.raw.memory.buffer)
    this.#words = new Uint32Array(this.raw.memory.buffer)
  }

  /** Pushes text as UTF-8. Lone surrogates become U+FFFD. */
  pushText(state: Pointer, text: string): void {
    if (this.#pushShortAscii(state, text)) return
    const { length } = text
    this.#pushEncoded(state, text, length * 3 <= scratchBytes ? length * 3 : Buffer.byteLength(text), 'utf8')
  }

  /** Pushes the bytes that a Latin-1 text stands for, one per code unit. */
  pushLatin1(state: Pointer, text: string): void {
    if (!this.#pushShortAscii(state, text)) this.#pushEncoded(state, text, text.length, 'latin1')
  }

  /** Most strings are short and plain: writing them by hand is faster than an encoder. */
  #pushShortAscii(state: Pointer, text: string): boolean {
    const { length } = text
    if (length > shortStringMax) return false
    const { bytes, scratch } = this
    for (let index = 0; index < length; index += 1) {
      const unit = text.charCodeAt(index)
      if (unit >= 0x80) return false
      bytes[scratch + index] = unit
    }
    this.raw.lua_pushlstring(state, scratch, length)
    return true
  }

  #pushEncoded(state: Pointer, text: string, bytesMax: number, encoding: 'utf8' | 'latin1'): void {
    this.#withBuffer(bytesMax, (pointer) => {
      const written = this.bytes.write(text, pointer, bytesMax, encoding)
      this.raw.lua_pushlstring(state, pointer, written)
    })
  }

  pushBytes(state: Pointer, value: Uint8Array): void {
    this.#withBuffer(value.length, (pointer) => {
      this.bytes.set(value, pointer)
      this.raw.lua_pushlstring(state, pointer, value.length)
    })
  }

  /** Lends memory inside the instance. `use` may leave by a Lua error: the block is freed all the same. */
  #withBuffer(bytes: number, use: (pointer: Pointer) => void): void {
    if (bytes <= scratchBytes) {
      use(this.scratch)
      return
    }
    const pointer = this.raw.malloc(bytes)
    if (pointer === 0) throw new LuaMemoryError()
    try {
      use(pointer)
    } finally {
      this.raw.free(pointer)
    }
  }

  /** Pushes a number: integral values within 2^53 as integers, all others as floats. */
  pushNumber(state: Pointer, value: number): void {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) this.raw.lua_pushinteger(state, BigInt(value))
    else this.raw.lua_pushnumber(state, value)
  }

  /** Where a Lua string lies; valid until Lua runs again. The value at `index` must be a string. */
  #locate(state: Pointer, index: number): readonly [Pointer, number] {
    const pointer = this.raw.lua_tolstring(state, index, this.#lengthPointer)
    if (this.#words.length === 0) this.#refresh()
    return [pointer, this.#words[this.#lengthPointer >> 2] ?? 0]
  }

  /** Byte length of the string at `index`. */
  stringBytes(state: Pointer, index: number): number {
    return this.#locate(state, index)[1]
  }

  /**
   * Reads a string: text where the bytes are UTF-8, else the bytes themselves.
   *
   * @throws LuaRaise when it is larger than what may cross: the host's own memory has no cap per plugin.
   */
  readString(state: Pointer, index: number): string | Buffer {
    const [pointer, length] = this.#locate(state, index)
    if (length > vmLimits.marshalBytesMax) {
      throw new LuaRaise(`string too large: ${length} bytes; the limit is ${vmLimits.marshalBytesMax}`)
    }
    const { bytes } = this
    if (length <= shortStringMax) {
      let text = ''
      let at = 0
      for (; at < length; at += 1) {
        const byte = bytes[pointer + at] as number
        if (byte >= 0x80) break
        text += String.fromCharCode(byte)
      }
      if (at === length) return text
    }
    const slice = bytes.subarray(pointer, pointer + length)
    return isUtf8(slice) ? slice.toString('utf8') : Buffer.from(slice)
  }

  /** Reads a string as text for people: broken UTF-8 becomes U+FFFD, and at most `bytesMax` bytes are read. */
  readTextLossy(state: Pointer, index: number, bytesMax: number): string {
    const [pointer, length] = this.#locate(state, index)
    const text = this.bytes.toString('utf8', pointer, pointer + Math.min(length, bytesMax))
    return length > bytesMax ? `${text}…` : text
  }

  /** Reads a number: bigint for integers beyond 2^53. */
  readNumber(state: Pointer, index: number): number | bigint {
    if (this.raw.lua_isinteger(state, index) === 0) return this.raw.lua_tonumberx(state, index, 0)
    const value = this.raw.lua_tointegerx(state, index, 0)
    const rounded = Number(value)
    return Number.isSafeInteger(rounded) ? rounded : value
  }

  pop(state: Pointer, count: number): void {
    this.raw.lua_settop(state, -count - 1)
  }

  /** Takes the value on top into the registry and gives its reference. */
  ref(state: Pointer): number {
    return this.raw.luaL_ref(state, registryIndex)
  }

  /** Gives a reference back. */
  unref(state: Pointer, ref: number): void {
    this.raw.luaL_unref(state, registryIndex, ref)
  }

  pushRef(state: Pointer, ref: number): void {
    this.raw.lua_rawgeti(state, registryIndex, BigInt(ref))
  }

  /** Compiles source text (never bytecode) and leaves the function, or the error message, on the stack. */
  load(state: Pointer, source: string, chunkName: string): number {
    const code = Buffer.from(source, 'utf8')
    const name = Buffer.from(`@${chunkName}\0t\0`, 'utf8')
    const pointer = this.raw.malloc(code.length + name.length)
    if (pointer === 0) throw new LuaMemoryError()
    try {
      this.bytes.set(code, pointer)
      this.bytes.set(name, pointer + code.length)
      const namePointer = pointer + code.length
      return this.raw.luaL_loadbufferx(
        state,
        pointer,
        code.length,
        namePointer,
        namePointer + name.length - 2,
      )
    } finally {
      this.raw.free(pointer)
    }
  }
}

/** The instance has no memory left for a value of the host. */
export class LuaMemoryError extends Error {
  constructor() {
    super('not enough memory')
    this.name = 'LuaMemoryError'
  }
}
