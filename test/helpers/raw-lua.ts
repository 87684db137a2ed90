import { readFileSync } from 'node:fs'
import { LuaWasm } from 'wasmoon'

/** What the instruction hook throws: not a number, so that nothing in Lua can catch it. */
export class InstructionsUsedUp extends Error {}

const preludeNames = ['pattern', 'matcher', 'string', 'table', 'math', 'utf8'] as const

/** The few functions of the C API that running a chunk takes. */
interface RawModule {
  readonly HEAPU8: Uint8Array
  readonly HEAPU32: Uint32Array
  _malloc(bytes: number): number
  _free(pointer: number): void
  _luaL_newstate(): number
  _luaL_openlibs(state: number): void
  _luaL_loadbufferx(state: number, text: number, bytes: number, name: number, mode: number): number
  _lua_pcallk(state: number, args: number, results: number, handler: number, ctx: number, k: number): number
  _lua_sethook(state: number, hook: number, mask: number, count: number): void
  _lua_settop(state: number, index: number): void
  _lua_tolstring(state: number, index: number, length: number): number
  addFunction(fn: () => void, signature: string): number
}

/** One Lua state below wasmoon's high-level API, with all native libraries: chunks in, one string out. */
export class RawLua {
  readonly #module: RawModule
  readonly #state: number
  readonly #length: number
  #instructionsLeft = Number.POSITIVE_INFINITY

  private constructor(module: RawModule) {
    this.#module = module
    this.#state = module._luaL_newstate()
    module._luaL_openlibs(this.#state)
    this.#length = module._malloc(8)
    const hook = module.addFunction(() => {
      this.#instructionsLeft -= 1000
      if (this.#instructionsLeft < 0) throw new InstructionsUsedUp()
    }, 'vii')
    module._lua_sethook(this.#state, hook, 8, 1000)
  }

  static async create(): Promise<RawLua> {
    return new RawLua((await LuaWasm.initialize()).module as unknown as RawModule)
  }

  /** A state whose globals `string`, `table`, `math` and `utf8` are the prelude's; the native ones are in `raw`. */
  static async withPrelude(): Promise<RawLua> {
    const lua = await RawLua.create()
    lua.run('libraries = {}')
    for (const name of preludeNames) {
      const path = new URL(`../../src/sandbox/prelude/${name}.lua`, import.meta.url)
      lua.run(`libraries.${name} = (function() ${readFileSync(path, 'utf8')}\nend)()`, name)
    }
    lua.run(preludeSetup)
    return lua
  }

  /**
   * Runs a chunk and gives its first result as text, byte for byte as Latin-1.
   *
   * @throws Error with the Lua message; InstructionsUsedUp past the limit, after which the state is of no use.
   */
  run(source: string, chunkName = 'test', instructionsMax = Number.POSITIVE_INFINITY): string {
    this.#instructionsLeft = instructionsMax
    const status = this.#load(source, chunkName)
    if (status !== 0) throw new Error(this.#text())
    if (this.#module._lua_pcallk(this.#state, 0, 1, 0, 0, 0) !== 0) throw new Error(this.#text())
    return this.#text()
  }

  /** Compiles source text without running it; gives the syntax error, if any. */
  syntaxError(source: string, chunkName = 'test'): string | undefined {
    const status = this.#load(source, chunkName)
    const text = this.#text()
    return status === 0 ? undefined : text
  }

  #load(source: string, chunkName: string): number {
    const module = this.#module
    const code = Buffer.from(source, 'latin1')
    const name = Buffer.from(`@${chunkName}\0t\0`)
    const pointer = module._malloc(code.length + name.length)
    module.HEAPU8.set(code, pointer)
    module.HEAPU8.set(name, pointer + code.length)
    const namePointer = pointer + code.length
    const mode = namePointer + name.length - 2
    const status = module._luaL_loadbufferx(this.#state, pointer, code.length, namePointer, mode)
    module._free(pointer)
    return status
  }

  #text(): string {
    const module = this.#module
    const pointer = module._lua_tolstring(this.#state, -1, this.#length)
    const length = pointer === 0 ? 0 : (module.HEAPU32[this.#length >> 2] ?? 0)
    const text = Buffer.from(module.HEAPU8.subarray(pointer, pointer + length)).toString('latin1')
    module._lua_settop(this.#state, 0)
    return text
  }
}

/** Text as a Lua string literal; each UTF-16 unit up to 255 is one byte. */
export function luaQuote(text: string): string {
  const escaped = Array.from(text, (unit) => `\\${String(unit.charCodeAt(0)).padStart(3, '0')}`)
  return `"${escaped.join('')}"`
}

const preludeSetup = `
raw = {
  string = string, table = table, math = math, utf8 = utf8, coroutine = coroutine, type = type, error = error,
  pcall = pcall, xpcall = xpcall, select = select, next = next, ipairs = ipairs, pairs = pairs, tonumber = tonumber,
  rawget = rawget, rawset = rawset, rawlen = rawlen, rawequal = rawequal, setmetatable = setmetatable,
  getmetatable = debug.getmetatable, libraries = libraries,
  tostring = function(value)
    local kind = type(value)
    local metatable = debug.getmetatable(value)
    if kind == 'table' and metatable and metatable.__tostring then return tostring(value) end
    if kind == 'table' or kind == 'function' or kind == 'thread' or kind == 'userdata' then return kind end
    return tostring(value)
  end,
  limits = { stringBytesMax = 16777216, tableElementsMax = 10000000, patternStepsMax = 2000000 },
}
seeds = { 11, 22 }
host = { seed = function() seeds[1] = seeds[1] + 1; return seeds[1], seeds[2] end }
string = libraries.string(raw, host)
table = libraries.table(raw, host)
math = libraries.math(raw, host)
utf8 = libraries.utf8(raw, host)
patterns = libraries.pattern(raw, host)
matcher = libraries.matcher(raw, patterns)
debug.getmetatable('').__index = string
-- All values and their types as one text.
function show(...)
  local parts = {}
  for at = 1, select('#', ...) do
    local value = select(at, ...)
    parts[at] = type(value) .. ':' .. tostring(value)
  end
  return raw.table.concat(parts, '|')
end
function attempt(f, ...) return show(pcall(f, ...)) end
`
