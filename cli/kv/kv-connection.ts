import type { Command } from 'commander'
import { Kv } from '../../sdk/client/index.js'
import { addServerOptions, findServer, type ServerOptions } from '../connection.js'
import type { CliContext } from '../context.js'

/** Options of every command of `kv`. */
export interface KvCommandOptions extends ServerOptions {
  readonly namespace?: string
}

/** Adds the options of `KvCommandOptions` to a command. */
export function addKvOptions(command: Command): Command {
  return addServerOptions(
    command.option(
      '-n, --namespace <name>',
      'shared:<name>, <name> for a shared one, or plugin:<name> (default: shared:default)',
    ),
  )
}

/** Finds the server and makes a client of one namespace; errors as `findServer`. */
export async function connectKv(context: CliContext, options: KvCommandOptions): Promise<Kv> {
  const { url, token } = await findServer(context, options)
  return new Kv(url, { token, namespace: options.namespace, fetch: context.fetch })
}
