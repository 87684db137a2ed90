import { readFile } from 'node:fs/promises'

/** Lua sources of the prelude by file name without extension. */
export type PreludeFiles = ReadonlyMap<string, string>

/** Files that build one library each; core.lua gets them all. */
export const libraryNames = ['string', 'pattern', 'matcher', 'table', 'math', 'utf8'] as const

/** Reads the Lua part of the sandbox, which lies beside this file. */
export async function readPrelude(): Promise<PreludeFiles> {
  const entries = ['core', ...libraryNames].map(async (name) => {
    const text = await readFile(new URL(`./prelude/${name}.lua`, import.meta.url), 'utf8')
    return [name, text] as const
  })
  return new Map(await Promise.all(entries))
}
