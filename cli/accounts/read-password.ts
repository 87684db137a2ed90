import { CliError } from '../cli-error.js'
import type { CliContext } from '../context.js'
import { exitCodes } from '../exit-codes.js'

/** Longer texts are no passwords, and standard input may be anything. */
const inputCharactersMax = 4096

/**
 * Asks for a new password: a person twice, at the terminal; else the first line of standard input. Passwords are never
 * words of the command line, which other users of the machine and the history of the shell see.
 *
 * @throws CliError `PASSWORD_UNREADABLE` when there is none, or the two differ.
 */
export async function readPassword(context: CliContext, whose: string): Promise<string> {
  const { terminal } = context
  if (!terminal.interactive) return firstLine(terminal.input())
  const password = await terminal.askSecret(`New password of ${whose}: `)
  if (password === '') throw unreadable('it is empty')
  if ((await terminal.askSecret('Again: ')) !== password) throw unreadable('the two are not the same')
  return password
}

async function firstLine(input: AsyncIterable<string>): Promise<string> {
  let text = ''
  for await (const piece of input) {
    text += piece
    if (text.includes('\n') || text.length > inputCharactersMax) break
  }
  const line = text.split(/\r?\n/, 1)[0] ?? ''
  if (line === '') throw unreadable('standard input has none; write it there as one line')
  if (line.length > inputCharactersMax) throw unreadable('the line is too long')
  return line
}

function unreadable(reason: string): CliError {
  return new CliError(
    exitCodes.usage,
    'PASSWORD_UNREADABLE',
    `nothing was changed: no password was read, ${reason}`,
  )
}
