import { ClientError, type KvKey, type KvKeyPart } from '../../sdk/client/index.js'
import { keyFromWire, keyText } from '../../sdk/client/kv/wire.js'
import { CliError } from '../cli-error.js'
import { exitCodes } from '../exit-codes.js'

/** How keys are written on the command line, for the help. */
export const keyHelp = `
A key is written as a path, in which whole numbers are numbers: users/42 is ["users",42]. %2F stands for a slash inside
of a part. Every key can be written as a JSON array: '["users","42"]', with bigints and bytes as
{"__type":"bigint","value":"5"} and {"__type":"bytes","value":"<base64>"}.`

/**
 * Reads a key, or the beginning of keys, from the command line.
 *
 * @throws CliError `KV_KEY_INVALID`.
 */
export function parsePrefix(word: string): KvKey {
  return word.startsWith('[')
    ? parseArray(word)
    : word
        .split('/')
        .filter((part) => part !== '')
        .map(parsePart)
}

/** As `parsePrefix`, for a key that must have parts. */
export function parseKey(word: string): KvKey {
  const key = parsePrefix(word)
  if (key.length > 0) return key
  throw wrongKey(word, 'it has no parts')
}

/** Writes a key as `parseKey` reads it. */
export function showKey(key: KvKey): string {
  return keyText(key)
}

function parseArray(word: string): KvKey {
  try {
    return keyFromWire(JSON.parse(word))
  } catch (thrown) {
    const isTag = thrown instanceof ClientError
    throw wrongKey(word, isTag ? 'it has an unknown tag' : 'it is not JSON; put it in single quotes')
  }
}

function parsePart(text: string): KvKeyPart {
  if (/^-?\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text)
  try {
    return decodeURIComponent(text)
  } catch {
    throw wrongKey(text, 'a percent sign stands before two hexadecimal digits; %25 is the sign itself')
  }
}

function wrongKey(word: string, problem: string): CliError {
  return new CliError(exitCodes.usage, 'KV_KEY_INVALID', `"${word}" is no key: ${problem}`)
}
