import { ClientError, type KvEntry, type KvValue, type KvWhere } from '../../sdk/client/index.js'
import { fromWire, keyToWire, toWire, type Wire } from '../../sdk/client/kv/wire.js'
import { CliError } from '../cli-error.js'
import type { CliContext } from '../context.js'
import { exitCodes } from '../exit-codes.js'
import { printable } from '../output.js'

/** Characters of a value that a line of a table shows. */
const shownCharacters = 100

/** Characters that a value on standard input can have; a server takes far less. */
const inputCharactersMax = 16 * 1024 * 1024

/** How values are written on the command line, for the help. */
export const valueHelp = `
A value is JSON, with bigints, bytes and counters as {"__type":"bigint","value":"5"}, {"__type":"bytes","value":"<base64>"}
and {"__type":"u64","value":"5"}, and the time of the write as {"$now":true}. --text takes it as a text, as it stands.
A single - reads it from standard input.`

/**
 * Reads a value from the command line, or from standard input for `-`.
 *
 * @throws CliError `KV_VALUE_INVALID`.
 */
export async function readValue(context: CliContext, word: string, isText: boolean): Promise<KvValue> {
  const text = word === '-' ? await readInput(context) : word
  return isText ? text : parseValue(text)
}

/** Reads a filter from the command line. @throws CliError `KV_WHERE_INVALID`. */
export function parseWhere(text: string): KvWhere {
  const where = parseJson(text)
  if (typeof where === 'object' && where !== null && !Array.isArray(where)) return where as KvWhere
  throw new CliError(
    exitCodes.usage,
    'KV_WHERE_INVALID',
    `the filter ${text} is no JSON object; write one like '{"age":{"$gte":18}}'`,
  )
}

/** Reads a value as `readValue` does, without standard input. */
export function parseValue(text: string): KvValue {
  const wire = parseJson(text)
  if (wire === undefined) {
    throw wrongValue(`it is not JSON; put texts in quotes ('"hello"'), or pass --text`)
  }
  try {
    return fromWire(wire)
  } catch (thrown) {
    throw thrown instanceof ClientError ? wrongValue('it has an unknown "__type"') : thrown
  }
}

/** Writes an entry as it stands in JSON. */
export function entryToJson({ key, value, versionstamp }: KvEntry): Wire {
  return { key: keyToWire(key), value: toWire(value), versionstamp }
}

/** Writes a value in one line that is safe to show, cut where it is long. */
export function showValue(value: KvValue): string {
  const text = printable(JSON.stringify(toWire(value)))
  return text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function readInput(context: CliContext): Promise<string> {
  let text = ''
  for await (const piece of context.terminal.input()) {
    text += piece
    if (text.length > inputCharactersMax) throw wrongValue('standard input has more than any store takes')
  }
  return text
}

function wrongValue(problem: string): CliError {
  return new CliError(exitCodes.usage, 'KV_VALUE_INVALID', `this is no value: ${problem}`)
}
