import type { Command } from 'commander'
import { addServerOptions, type ServerOptions } from '../connection.js'
import type { CommandContext } from '../context.js'
import { connectKv } from '../kv/kv-connection.js'
import { printable, printJson, printLine, printNote } from '../output.js'

const help = `
Examples:
  $ modulacms kv namespaces
  $ modulacms kv namespaces --json`

/** Adds `kv namespaces`. */
export function addNamespacesCommand(parent: Command, context: CommandContext): void {
  const command = parent
    .command('namespaces')
    .summary('list the namespaces')
    .description('List the namespaces that something was written to.')
  addServerOptions(command)
    .addHelpText('after', help)
    .action((options: ServerOptions) => list(context, options))
}

async function list(context: CommandContext, options: ServerOptions): Promise<void> {
  const names = await (await connectKv(context, options)).namespaces()
  if (options.json) printJson(context, names)
  else if (names.length === 0) printNote(context, 'nothing was written to any namespace')
  else for (const name of names) printLine(context, printable(name))
}
