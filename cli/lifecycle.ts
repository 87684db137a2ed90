import type { Command } from 'commander'
import { type Client, ClientError } from '../sdk/client/index.js'
import { CliError } from './cli-error.js'
import { addServerOptions, connect, type ServerOptions } from './connection.js'
import type { CommandContext } from './context.js'
import { exitCodes } from './exit-codes.js'
import { paint, printable, printJson, printLine } from './output.js'

/** A command that changes the life of one plugin. */
export interface LifecycleCommand {
  readonly verb: 'reload' | 'enable' | 'disable'
  readonly summary: string
  readonly description: string
  /** Past participle for the success line. */
  readonly done: string
}

/** Adds one such command to `plugin`. */
export function addLifecycleCommand(
  parent: Command,
  context: CommandContext,
  command: LifecycleCommand,
): void {
  const { verb, summary, description } = command
  const added = parent
    .command(verb)
    .argument('<name>', 'name of the plugin')
    .summary(summary)
    .description(description)
  addServerOptions(added)
    .addHelpText('after', `\nExample:\n  $ modulacms plugin ${verb} task_tracker`)
    .action((name: string, options: ServerOptions) => run(context, command, name, options))
}

async function run(
  context: CommandContext,
  { verb, done }: LifecycleCommand,
  name: string,
  options: ServerOptions,
): Promise<void> {
  const { client } = await connect(context, options)
  try {
    const answer = await client.plugins[verb](name)
    if (options.json) return printJson(context, answer)
  } catch (thrown) {
    throw await withReason(client, name, thrown)
  }
  printLine(context, `${paint(context, 'green', 'ok:')} ${printable(name)} is ${done}`)
}

/** Looks up why a load failed: the answer to the request itself does not carry the plugin's own text. */
async function withReason(client: Client, name: string, thrown: unknown): Promise<unknown> {
  if (!(thrown instanceof ClientError) || thrown.code !== 'PLUGIN_LOAD_FAILED') return thrown
  const details = await client.plugins.get(name).catch(() => undefined)
  const reason = details?.failed_reason ?? `the server's log tells why, request id ${thrown.requestId}`
  const rest = details?.state === 'running' ? '\nthe version before keeps serving' : ''
  return new CliError(exitCodes.failure, thrown.code, `${name} could not be loaded: ${reason}${rest}`)
}
