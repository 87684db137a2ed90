import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { type Client, createClient } from '../sdk/client/index.js'
import { CliError } from './cli-error.js'
import type { CliContext } from './context.js'
import { exitCodes } from './exit-codes.js'
import { loadSettings } from './settings.js'

/** Options of every command that talks to a server. */
export interface ServerOptions {
  readonly url?: string
  readonly token?: string
  readonly config?: string
  readonly data?: string
  readonly json?: boolean
}

/** A client together with the address that it talks to. */
export interface Connection {
  readonly client: Client
  readonly url: string
}

/** Adds the options of `ServerOptions` to a command. */
export function addServerOptions(command: Command): Command {
  return command
    .option('--url <url>', 'address of the server (else MODULACMS_URL, else from the configuration)')
    .option('--token <token>', 'admin token (else MODULACMS_ADMIN_TOKEN, else the file <data>/admin-token)')
    .option('--config <file>', 'configuration file (default: ./config.json)')
    .option('--data <dir>', 'data directory of the server')
    .option('--json', 'print the result as JSON')
}

/** Finds the server and makes a client of its admin API; errors as `findServer`. */
export async function connect(context: CliContext, options: ServerOptions): Promise<Connection> {
  const { url, token } = await findServer(context, options)
  return { client: createClient({ url, token, fetch: context.fetch }), url: url.replace(/\/+$/, '') }
}

/**
 * Finds the server and its token. The configuration is read only for what options and environment leave open.
 *
 * @throws CliError when there is no token to be found.
 */
export async function findServer(
  context: CliContext,
  options: ServerOptions,
): Promise<{ readonly url: string; readonly token: string }> {
  const { environment } = context
  const chosenUrl = options.url ?? (environment.MODULACMS_URL || undefined)
  const url = chosenUrl ?? loadSettings(context, options).url
  const token =
    options.token ?? (environment.MODULACMS_ADMIN_TOKEN || (await readTokenFile(context, options, chosenUrl)))
  return { url, token }
}

async function readTokenFile(
  context: CliContext,
  options: ServerOptions,
  chosenUrl: string | undefined,
): Promise<string> {
  // The token of the server on this machine must not be shown to another one.
  if (chosenUrl !== undefined && !isLoopback(chosenUrl)) {
    throw new CliError(
      exitCodes.usage,
      'TOKEN_MISSING',
      `the server at ${chosenUrl} needs its own admin token: set MODULACMS_ADMIN_TOKEN or pass --token`,
    )
  }
  const path = join(loadSettings(context, options).dataDirectory, 'admin-token')
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (thrown) {
    throw toTokenError(path, thrown)
  }
}

function isLoopback(url: string): boolean {
  if (!URL.canParse(url)) return true
  const { hostname } = new URL(url)
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
}

function toTokenError(path: string, thrown: unknown): CliError {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new CliError(
      exitCodes.serverNotRunning,
      'SERVER_NOT_RUNNING',
      `there is no admin token at ${path}, so no server was started with this data directory; start one with \`modulacms serve\`, or name another with --data, --config or --token`,
    )
  }
  return new CliError(
    exitCodes.unauthorized,
    'TOKEN_UNREADABLE',
    `the admin token at ${path} cannot be read (${String(code)}); run this as the user who runs the server, or pass --token`,
  )
}
