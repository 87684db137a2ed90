import type { Command } from 'commander'
import { addServerOptions, connect, type ServerOptions } from '../connection.js'
import type { CommandContext } from '../context.js'
import { paint, printable, printJson, printLine } from '../output.js'

const help = `
Example:
  $ modulacms plugin reset-breaker task_tracker`

/** Adds `plugin reset-breaker`. */
export function addResetBreakerCommand(parent: Command, context: CommandContext): void {
  const command = parent
    .command('reset-breaker')
    .argument('<name>', 'name of the plugin')
    .summary("close a plugin's circuit breaker")
    .description(
      "Close a plugin's circuit breaker and forget its failures, so that calls reach it at once. Nothing is loaded again and a quarantine stays; `modulacms plugin enable` does both.",
    )
  addServerOptions(command)
    .addHelpText('after', help)
    .action((name: string, options: ServerOptions) => resetBreaker(context, name, options))
}

async function resetBreaker(context: CommandContext, name: string, options: ServerOptions): Promise<void> {
  const { client } = await connect(context, options)
  const answer = await client.plugins.resetBreaker(name)
  if (options.json) return printJson(context, answer)
  printLine(context, `${paint(context, 'green', 'ok:')} the breaker of ${printable(name)} is closed`)
}
