import { LuaApi, luaStatus } from './lua-api.js'
import { linesOfChunk } from './lua-chunk.js'
import { LuaInstances } from './lua-wasm.js'

const memoryBytesMax = 64 * 1024 * 1024

/** Lines that only close what was opened before; Lua counts some of them, nobody else does. */
const closingOnly = /^\s*(?:(?:end|else|until|repeat|do|then)\b|[\])},;])*\s*(?:--.*)?$/

/**
 * Lists the lines of Lua files on which something can run, by compiling them; nothing of them runs.
 *
 * @param files Text of each file by its path. A file that does not compile has no lines.
 */
export async function listExecutableLines(
  files: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const lua = new LuaApi(await new LuaInstances().create(memoryBytesMax))
  const state = lua.raw.luaL_newstate()
  lua.raw.luaL_openlibs(state)
  const all = new Map<string, readonly number[]>()
  for (const [file, text] of files) all.set(file, executableLines(lua, state, file, text))
  return all
}

function executableLines(lua: LuaApi, state: number, file: string, text: string): readonly number[] {
  const chunk = dump(lua, state, file, text)
  lua.raw.lua_settop(state, 0)
  if (chunk === undefined) return []
  const source = text.split('\n')
  const lines = [...linesOfChunk(chunk)].filter((line) => !closingOnly.test(source[line - 1] ?? ''))
  return lines.sort((a, b) => a - b)
}

/** Compiles a text and gives its bytecode; undefined when it does not compile. */
function dump(lua: LuaApi, state: number, file: string, text: string): Uint8Array | undefined {
  if (lua.load(state, dumpSource, 'host') !== luaStatus.ok) return undefined
  if (lua.load(state, text, file) !== luaStatus.ok) return undefined
  if (lua.raw.lua_pcallk(state, 1, 1, 0, 0, 0) !== luaStatus.ok) return undefined
  const value = lua.readString(state, -1)
  return typeof value === 'string' ? Buffer.from(value, 'utf8') : value
}

const dumpSource = 'return string.dump((...))'
