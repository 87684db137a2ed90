import { CliError } from './cli-error.js'
import type { CliContext } from './context.js'
import { exitCodes } from './exit-codes.js'

/**
 * Lets a person decide. Silence is no consent: without `yes` and without a person to ask the command ends.
 *
 * @returns False when the person said no.
 * @throws CliError `NO_CONFIRMATION` when nobody can be asked.
 */
export async function confirm(context: CliContext, question: string, yes: boolean): Promise<boolean> {
  if (yes) return true
  if (!context.terminal.interactive) {
    throw new CliError(
      exitCodes.usage,
      'NO_CONFIRMATION',
      'nothing was changed: this needs a confirmation, and there is no terminal to ask on; pass --yes to confirm',
    )
  }
  const answer = await context.terminal.ask(`${question} [y/N] `)
  return /^\s*y(es)?\s*$/i.test(answer)
}
