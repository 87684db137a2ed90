import { readFileSync } from 'node:fs'

/** Lua sources of the prelude by file name without extension. */
export type PreludeFiles = ReadonlyMap<string, string>

/** Files that build one library each; core.lua gets them all. */
export const libraryNames = ['string', 'pattern', 'matcher', 'table', 'math', 'utf8'] as const

/** Reads the Lua part of the sandbox, which lies beside this file. The host reads it once for all its threads. */
export function readPrelude(): PreludeFiles {
  const entries = ['core', ...libraryNames].map((name) => {
    const text = readFileSync(new URL(`./prelude/${name}.lua`, import.meta.url), 'utf8')
    return [name, text] as const
  })
  return new Map(entries)
}
