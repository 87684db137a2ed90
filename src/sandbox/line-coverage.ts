import type { LuaApi } from './lua-api.js'
import type { Pointer } from './lua-wasm.js'

/** How often each line ran: file inside the plugin's folder, then line, then count. */
export type CoveredLines = ReadonlyMap<string, ReadonlyMap<number, number>>

/** Fields of `lua_Debug` for 32-bit pointers. */
const offsets = { event: 0, source: 16, sourceBytes: 20, currentLine: 24 } as const

const lineEvent = 2
/** Makes `lua_getinfo` fill in the source. */
const sourceFields = 'S'

/** Counts which lines of one plugin's files run in one VM. */
export class LineCoverage {
  readonly #files: ReadonlyMap<string, string>
  readonly #counts = new Map<string, Map<number, number>>()
  #what: Pointer = 0

  /**
   * @param plugin Name of the plugin, which the names of its chunks start with.
   * @param files Its files; what else runs (libraries of the host, tests) is not counted.
   */
  constructor(plugin: string, files: ReadonlyMap<string, string>) {
    this.#files = new Map([...files.keys()].map((file) => [`@${plugin}/${file}`, file]))
  }

  /** To be called by the debug hook; true when the event was a new line, and not another one. */
  noteLine(lua: LuaApi, state: Pointer, activation: Pointer): boolean {
    if (lua.bytes.readInt32LE(activation + offsets.event) !== lineEvent) return false
    const line = lua.bytes.readInt32LE(activation + offsets.currentLine)
    if (!this.#prepareWhat(lua)) return true
    lua.raw.lua_getinfo(state, this.#what, activation)
    const start = lua.bytes.readUInt32LE(activation + offsets.source)
    const length = lua.bytes.readUInt32LE(activation + offsets.sourceBytes)
    const source = lua.bytes.toString('utf8', start, start + length)
    const file = this.#files.get(source)
    if (file !== undefined) this.#count(file, line)
    return true
  }

  /** Gives what has run since the last time; undefined when nothing has. */
  take(): CoveredLines | undefined {
    if (this.#counts.size === 0) return undefined
    const taken = new Map(this.#counts)
    this.#counts.clear()
    return taken
  }

  #count(file: string, line: number): void {
    const lines = this.#counts.get(file) ?? new Map<number, number>()
    if (lines.size === 0) this.#counts.set(file, lines)
    lines.set(line, (lines.get(line) ?? 0) + 1)
  }

  /** Puts the text for `lua_getinfo` into the VM's memory, once; false when there is no room. */
  #prepareWhat(lua: LuaApi): boolean {
    if (this.#what !== 0) return true
    this.#what = lua.raw.malloc(sourceFields.length + 1)
    if (this.#what !== 0) lua.bytes.write(`${sourceFields}\0`, this.#what, 'latin1')
    return this.#what !== 0
  }
}
