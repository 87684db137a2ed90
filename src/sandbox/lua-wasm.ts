import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { LuaWasm } from 'wasmoon'
import { vmLimits } from '../base/limits/sandbox.js'
import { Turns } from '../base/turns.js'
import { withInitialPages } from './wasm-memory.js'

/** Pointer into the linear memory of one instance. */
export type Pointer = number

/** The parts of the WebAssembly namespace that are used here; Node's own types leave it out. */
interface WasmNamespace {
  compile(bytes: Uint8Array): Promise<object>
  instantiate: (module: object, imports: object) => Promise<unknown>
}

interface WasmInstance {
  readonly exports: object
}

interface WasmMemory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

const pageBytes = 64 * 1024
/** The memory grows by this part of its size at least. */
const growthStep = 8

/** The raw C API of Lua 5.4 as the WebAssembly module exports it. 64-bit integers are BigInt. */
export interface LuaExports {
  readonly memory: WasmMemory
  malloc(bytes: number): Pointer
  free(pointer: Pointer): void
  luaL_newstate(): Pointer
  luaL_openlibs(state: Pointer): void
  luaL_loadbufferx(state: Pointer, text: Pointer, bytes: number, name: Pointer, mode: Pointer): number
  luaL_ref(state: Pointer, table: number): number
  luaL_unref(state: Pointer, table: number, ref: number): void
  luaL_where(state: Pointer, level: number): void
  lua_absindex(state: Pointer, index: number): number
  lua_checkstack(state: Pointer, slots: number): number
  lua_concat(state: Pointer, count: number): void
  lua_createtable(state: Pointer, arraySize: number, hashSize: number): void
  lua_error(state: Pointer): number
  lua_getinfo(state: Pointer, what: Pointer, activation: Pointer): number
  lua_getmetatable(state: Pointer, index: number): number
  lua_gettop(state: Pointer): number
  lua_isinteger(state: Pointer, index: number): number
  lua_newthread(state: Pointer): Pointer
  lua_next(state: Pointer, index: number): number
  lua_pcallk(
    state: Pointer,
    args: number,
    results: number,
    handler: number,
    context: number,
    k: number,
  ): number
  lua_pushboolean(state: Pointer, value: number): void
  lua_pushcclosure(state: Pointer, fn: number, upvalues: number): void
  lua_pushinteger(state: Pointer, value: bigint): void
  lua_pushlightuserdata(state: Pointer, value: Pointer): void
  lua_pushlstring(state: Pointer, text: Pointer, bytes: number): Pointer
  lua_pushnil(state: Pointer): void
  lua_pushnumber(state: Pointer, value: number): void
  lua_pushvalue(state: Pointer, index: number): void
  lua_rawget(state: Pointer, index: number): number
  lua_rawgeti(state: Pointer, index: number, key: bigint): number
  lua_rotate(state: Pointer, index: number, count: number): void
  lua_rawset(state: Pointer, index: number): void
  lua_rawseti(state: Pointer, index: number, key: bigint): void
  lua_resume(state: Pointer, from: Pointer, args: number, resultCount: Pointer): number
  lua_sethook(state: Pointer, hook: number, mask: number, count: number): void
  lua_setmetatable(state: Pointer, index: number): number
  lua_settop(state: Pointer, index: number): void
  lua_setupvalue(state: Pointer, index: number, upvalue: number): Pointer
  lua_toboolean(state: Pointer, index: number): number
  lua_tointegerx(state: Pointer, index: number, isNumber: Pointer): bigint
  lua_tolstring(state: Pointer, index: number, bytes: Pointer): Pointer
  lua_tonumberx(state: Pointer, index: number, isNumber: Pointer): number
  lua_topointer(state: Pointer, index: number): Pointer
  lua_type(state: Pointer, index: number): number
}

/** One Lua world: its own linear memory, shared with no other. */
export interface LuaInstance {
  readonly exports: LuaExports
  /** Makes a JavaScript function callable from Lua; `signature` is Emscripten's, e.g. `ii`, `vii`. */
  addFunction(fn: (...args: number[]) => number | undefined, signature: string): number
  /** How often the memory cap has refused to grow the heap. */
  readonly refusals: number
}

type Imports = Record<string, Record<string, (...args: number[]) => number>>

interface MemoryGate {
  /** Bytes of linear memory that may exist; nothing is refused while it is Infinity. */
  bytesMax: number
  refusals: number
}

/**
 * Makes Lua instances. The module is compiled once per thread; each instance has a memory cap that costs nothing
 * while it is not reached: growth of the linear memory is refused, so that the allocator returns NULL and Lua
 * raises "not enough memory".
 */
export class LuaInstances {
  #module: Promise<object> | undefined
  /** The glue code is told of the compiled module through a global function, so instances are made one by one. */
  readonly #turns = new Turns()

  /** Compiles the module ahead of the first instance. */
  async warm(): Promise<void> {
    this.#module ??= compile()
    await this.#module
  }

  /** @param memoryBytesMax Heap that Lua may use, in bytes. */
  async create(memoryBytesMax: number): Promise<LuaInstance> {
    return this.#turns.take(() => this.#instantiate(memoryBytesMax))
  }

  async #instantiate(memoryBytesMax: number): Promise<LuaInstance> {
    this.#module ??= compile()
    const module = await this.#module
    const gate: MemoryGate = { bytesMax: Number.POSITIVE_INFINITY, refusals: 0 }
    const wasm = wasmNamespace()
    const { instantiate } = wasm
    let instance: WasmInstance | undefined
    wasm.instantiate = async (_bytes, imports) => {
      guardImports(imports as Imports, gate, () => (instance?.exports as LuaExports | undefined)?.memory)
      instance = (await instantiate(module, imports)) as WasmInstance
      return { module, instance }
    }
    try {
      const { module: glue } = await LuaWasm.initialize()
      const made = instance as WasmInstance | undefined
      if (made === undefined) throw new Error('the Lua module was instantiated past the memory cap')
      const exports = made.exports as LuaExports
      capMemory(exports, gate, memoryBytesMax)
      return {
        exports,
        addFunction: (fn, signature) => glue.addFunction(fn, signature) as number,
        get refusals() {
          return gate.refusals
        },
      }
    } finally {
      wasm.instantiate = instantiate
    }
  }
}

function wasmNamespace(): WasmNamespace {
  return (globalThis as unknown as { WebAssembly: WasmNamespace }).WebAssembly
}

async function compile(): Promise<object> {
  const entry = createRequire(import.meta.url).resolve('wasmoon')
  const wasm = await readFile(join(dirname(entry), 'glue.wasm'))
  return wasmNamespace().compile(withInitialPages(wasm, vmLimits.initialPages))
}

/** Puts the cap between the allocator and the memory, and takes the terminal away from the C library. */
function guardImports(imports: Imports, gate: MemoryGate, memory: () => WasmMemory | undefined): void {
  for (const group of Object.values(imports)) {
    if (group.emscripten_resize_heap !== undefined) {
      group.emscripten_resize_heap = (bytes = 0) => (grow(memory(), bytes >>> 0, gate) ? 1 : 0)
    }
    if (group.fd_write !== undefined) {
      group.fd_write = (_file, vectors = 0, count = 0, written = 0) => {
        discard(memory(), vectors, count, written)
        return 0
      }
    }
  }
}

/**
 * Grows the memory to what the allocator asks for, with some room for what it asks for next, never beyond the cap.
 * The glue code's own growth is not used: it takes up to a fifth more than it was asked for.
 */
function grow(memory: WasmMemory | undefined, bytes: number, gate: MemoryGate): boolean {
  if (memory === undefined) return false
  const present = memory.buffer.byteLength
  const wanted = Math.min(gate.bytesMax, Math.max(bytes, present + present / growthStep))
  const pages = Math.ceil((wanted - present) / pageBytes)
  if (bytes > present + pages * pageBytes || bytes > gate.bytesMax) {
    gate.refusals += 1
    return false
  }
  memory.grow(pages)
  return true
}

/** Answers a write of the C library as if every byte had been written. */
function discard(memory: WasmMemory | undefined, vectors: Pointer, count: number, written: Pointer): void {
  if (memory === undefined) return
  const words = new Uint32Array(memory.buffer)
  let bytes = 0
  for (let vector = 0; vector < count; vector += 1) bytes += words[(vectors >> 2) + vector * 2 + 1] ?? 0
  words[written >> 2] = bytes
}

/**
 * The linear memory starts larger than a small cap allows: the surplus is taken away by one block that is never
 * touched, so it costs address space only.
 */
function capMemory(exports: LuaExports, gate: MemoryGate, memoryBytesMax: number): void {
  const probe = exports.malloc(16)
  const heapBytes = exports.memory.buffer.byteLength - probe
  exports.free(probe)
  if (memoryBytesMax < heapBytes) exports.malloc(heapBytes - memoryBytesMax)
  gate.bytesMax = Math.max(exports.memory.buffer.byteLength, probe + memoryBytesMax)
}
