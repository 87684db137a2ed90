import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { InvalidArgumentError } from 'commander'
import { messageOf } from '../../src/base/errors.js'
import { CliError } from '../cli-error.js'
import type { CliContext } from '../context.js'
import { exitCodes } from '../exit-codes.js'

/** Characters that a document can have; a server takes far less. */
const inputCharactersMax = 1024 * 1024

/**
 * Reads a JSON object from a file, or from standard input for `-`.
 *
 * @throws CliError `DOCUMENT_INVALID`.
 */
export async function readDocument(context: CliContext, word: string): Promise<Record<string, unknown>> {
  const text = word === '-' ? await readInput(context) : await readText(context, word)
  const document = parse(word, text)
  if (typeof document === 'object' && document !== null && !Array.isArray(document)) {
    return document as Record<string, unknown>
  }
  throw wrong(word, 'it is no JSON object')
}

async function readText({ workingDirectory }: CliContext, file: string): Promise<string> {
  try {
    return await readFile(resolve(workingDirectory, file), 'utf8')
  } catch (thrown) {
    throw wrong(file, messageOf(thrown))
  }
}

async function readInput(context: CliContext): Promise<string> {
  let text = ''
  for await (const piece of context.terminal.input()) {
    text += piece
    if (text.length > inputCharactersMax) throw wrong('-', 'it has more than any server takes')
  }
  return text
}

function parse(word: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (thrown) {
    throw wrong(word, messageOf(thrown))
  }
}

function wrong(word: string, problem: string): CliError {
  const name = word === '-' ? 'standard input' : word
  return new CliError(exitCodes.usage, 'DOCUMENT_INVALID', `${name} cannot be used: ${problem}`)
}

/** Reads the number of a version. @throws InvalidArgumentError */
export function parseVersion(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Give a whole number, as `policy show` has it.')
}
