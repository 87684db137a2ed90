import type { Command } from 'commander'
import type { CommandContext, ServerFlags } from '../context.js'
import { createDevSession } from '../dev/dev-session.js'
import { addServerFlags } from './serve.js'

const help = `
As serve, for writing plugins: a saved file is live at once, and the log is for reading. A plugin that cannot be
loaded goes on serving as it was; the log shows the line of code that is wrong. Settings come from the same places as
those of serve, but plugins are on, hot reload is on, and the rate limit is out of the way.

Example:
  $ modulacms dev --plugins ./my-plugins --approve`

interface DevFlags extends ServerFlags {
  readonly approve?: boolean
}

/** Adds `dev`. */
export function addDevCommand(parent: Command, context: CommandContext): void {
  const command = parent
    .command('dev')
    .summary('run the server for writing plugins')
    .description('Run the server with reload on every save and a readable log.')
  addServerFlags(command)
    .option('--approve', 'approve everything that plugins ask for; on loopback addresses only')
    .addHelpText('after', help)
    .action(async ({ approve = false, ...flags }: DevFlags) => {
      context.setExitCode(await context.runServer(flags, createDevSession(context, { approve })))
    })
}
