import type { Command } from 'commander'
import type { CommandContext } from '../context.js'
import { formatExitCodes } from '../exit-codes.js'
import { addAuthMatchCommand } from './auth-match.js'
import { addAuthStatusCommand } from './auth-status.js'

const help = (): string => `
The commands talk to a running server, which they find through --url or the configuration, with the admin token of its
data directory. The rules stand in auth.http of its configuration.

Example:
  $ modulacms auth status
  $ modulacms auth match POST /api/v1/plugins/shop/orders

${formatExitCodes()}`

/** Adds `auth` with its commands. */
export function addAuthCommand(parent: Command, context: CommandContext): void {
  const auth = parent
    .command('auth')
    .summary('look at who may do what')
    .description('Look at the rules on who may send which requests to a server.')
    .addHelpText('after', help())
  addAuthStatusCommand(auth, context)
  addAuthMatchCommand(auth, context)
}
