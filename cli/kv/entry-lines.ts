import type { KvKey, KvValue } from '../../sdk/client/index.js'
import { fromWire, keyFromWire, keyToWire, toWire } from '../../sdk/client/kv/wire.js'
import { CliError } from '../cli-error.js'
import { exitCodes } from '../exit-codes.js'
import { printable } from '../output.js'

/** Characters that one line may have: more than any entry, and few enough to be held. */
const lineCharactersMax = 4 * 1024 * 1024

/** An entry of a file, with the number of its line. */
export interface EntryLine {
  readonly key: KvKey
  readonly value: KvValue
  readonly line: number
  /** Characters of the line. */
  readonly characters: number
}

/** Writes an entry as a line. */
export function formatEntryLine({ key, value }: { readonly key: KvKey; readonly value: KvValue }): string {
  return `${printable(JSON.stringify({ key: keyToWire(key), value: toWire(value) }))}\n`
}

/**
 * Reads entries line by line, out of text that comes in pieces; empty lines are passed over.
 *
 * @throws CliError `KV_LINE_INVALID`, which names the line.
 */
export async function* readEntryLines(pieces: AsyncIterable<string>): AsyncGenerator<EntryLine> {
  let line = 0
  for await (const text of splitLines(pieces)) {
    line += 1
    if (text.length > lineCharactersMax)
      throw wrongLine(line, `it has more than ${lineCharactersMax} characters`)
    if (text.trim() !== '') yield { ...parseEntry(text, line), line, characters: text.length }
  }
}

async function* splitLines(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = ''
  for await (const piece of pieces) {
    const lines = piece.split('\n')
    const last = lines.pop() ?? ''
    for (const line of lines) {
      yield rest + line
      rest = ''
    }
    rest += last
    // Whoever reads it refuses it for its length; reading on would only fill the memory.
    if (rest.length > lineCharactersMax) break
  }
  if (rest !== '') yield rest
}

function parseEntry(text: string, line: number): { readonly key: KvKey; readonly value: KvValue } {
  let members: { readonly key?: unknown; readonly value?: unknown }
  try {
    members = Object(JSON.parse(text))
  } catch {
    throw wrongLine(line, 'it is not JSON')
  }
  if (!Array.isArray(members.key) || members.key.length === 0 || members.value === undefined) {
    throw wrongLine(line, 'it has no "key" (an array of parts) or no "value"')
  }
  try {
    return { key: keyFromWire(members.key), value: fromWire(members.value) }
  } catch {
    throw wrongLine(line, 'its key or its value has a "__type" that does not exist')
  }
}

function wrongLine(line: number, problem: string): CliError {
  return new CliError(exitCodes.failure, 'KV_LINE_INVALID', `line ${line} is no entry: ${problem}`)
}
