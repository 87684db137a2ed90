import { type Command, InvalidArgumentError } from 'commander'
import type { CommandContext, ServerFlags } from '../context.js'

const help = `
A flag wins over the environment (MODULACMS__SERVER__PORT=9090), that over the configuration file, that over the
defaults. At its start the server prints where it listens, where the admin token is, which plugins run, and the
command that approves what waits for approval. Ctrl-C lets running requests finish and stops it.

Example:
  $ modulacms serve --port 9090 --data /var/lib/modulacms`

/** Adds the options of every command that runs the server. */
export function addServerFlags(command: Command): Command {
  return command
    .option('--config <file>', 'configuration file (default: ./config.json)')
    .option('--host <host>', 'address to listen on')
    .option('--port <port>', 'port to listen on; 0 takes a free one', parsePort)
    .option('--data <dir>', 'data directory')
    .option('--plugins <dir>', 'plugin directory')
}

/** Adds `serve`. */
export function addServeCommand(parent: Command, context: CommandContext): void {
  const command = parent
    .command('serve')
    .summary('run the server')
    .description('Run the server: load the plugins and answer requests until it is stopped.')
  addServerFlags(command)
    .addHelpText('after', help)
    .action(async (flags: ServerFlags) => {
      context.setExitCode(await context.runServer(flags))
    })
}

function parsePort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw new InvalidArgumentError('It must be a whole number from 0 to 65535.')
}
