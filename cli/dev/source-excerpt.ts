import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from 'node:fs'
import { join, resolve, sep } from 'node:path'

/** A place in the code of a plugin, as Lua's messages name it. */
export interface SourcePlace {
  /** Name of the plugin, or of its folder. */
  readonly plugin: string
  /** Path inside the plugin's folder. */
  readonly file: string
  readonly line: number
}

/** Some lines of a file around one. */
export interface SourceExcerpt {
  readonly place: SourcePlace
  /** Number of the first line. */
  readonly firstLine: number
  readonly lines: readonly string[]
}

const fileBytesMax = 1024 * 1024
const messageCharactersMax = 16 * 1024
const linesAround = 1

/** `folder/init.lua:12:`, `folder/lib/words.lua:3:`; no dots but those of the ending, so that no path leads elsewhere. */
const placePattern = /(?<![\w./-])([\w-]{1,128})\/((?:[\w-]{1,64}\/){0,16}[\w-]{1,64}\.lua):(\d{1,7}):/

/** Finds the first place in code that a message names; undefined when it names none. */
export function findPlace(message: string): SourcePlace | undefined {
  const found = placePattern.exec(message.slice(0, messageCharactersMax))
  if (found === null) return undefined
  const [, plugin = '', file = '', line = ''] = found
  return { plugin, file, line: Number(line) }
}

/**
 * Reads the lines around a place. Follows no link inside the plugin's folder, as messages are made of texts of plugins.
 *
 * @param directory The plugin directory.
 * @param folder Folder of the plugin in it.
 * @returns Undefined when there is no such line, or the file cannot be read.
 */
export function readExcerpt(
  directory: string,
  folder: string,
  place: SourcePlace,
): SourceExcerpt | undefined {
  try {
    const root = realpathSync(resolve(directory, folder))
    const path = join(root, place.file)
    if (realpathSync(path) !== `${root}${sep}${place.file.replaceAll('/', sep)}`) return undefined
    const lines = readText(path)?.split(/\r?\n/)
    if (lines === undefined || place.line < 1 || place.line > lines.length) return undefined
    const first = Math.max(1, place.line - linesAround)
    return { place, firstLine: first, lines: lines.slice(first - 1, place.line + linesAround) }
  } catch {
    return undefined
  }
}

function readText(path: string): string | undefined {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const stats = fstatSync(file)
    if (!stats.isFile() || stats.size > fileBytesMax) return undefined
    const bytes = Buffer.alloc(stats.size)
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.byteLength, 0))
  } finally {
    closeSync(file)
  }
}
