import { type Command, InvalidArgumentError } from 'commander'
import type { GatewayLogEntry } from '../../sdk/client/index.js'
import type { ServerOptions } from '../connection.js'
import type { CommandContext } from '../context.js'
import { parseCount } from '../kv/numbers.js'
import { finishServerCommand, printListing, showTime } from '../server-command.js'

interface LogsOptions extends ServerOptions {
  readonly limit: number
  readonly ip?: string
  readonly path?: string
  readonly status?: number
  readonly statusRange?: number
  readonly rateLimited?: boolean
}

/** Adds `gateway logs`. */
export function addLogsCommand(parent: Command, context: CommandContext): void {
  const command = parent
    .command('logs')
    .summary('list the last requests')
    .description(
      'List the last requests, the newest first. The server keeps as many as gateway.log.size says.',
    )
    .option('-l, --limit <count>', 'requests at most', parseCount, 50)
    .option('--ip <address>', 'only those of a client')
    .option('--path <part>', 'only those with this in their path')
    .option('--status <status>', 'only those with this status', parseCount)
    .option('--status-range <digit>', 'only those whose status begins with this digit, e.g. 5', parseClass)
    .option('--rate-limited', 'only those that the rate limit refused')
  finishServerCommand<LogsOptions>({
    command,
    context,
    examples: ['gateway logs --status-range 5', 'gateway logs --rate-limited --ip 192.0.2.7 --json'],
    run: async ({ gateway }, options) => {
      const { limit, ip, path, status, statusRange, rateLimited } = options
      const items = await gateway.logs({ limit, ip, path, status, statusRange, rateLimited })
      printListing(context, options, {
        items,
        heading: ['TIME', 'STATUS', 'MS', 'CLIENT', 'METHOD', 'PATH'],
        row: toRow,
        empty: 'there is no such request in the log',
      })
    },
  })
}

function toRow({ timestamp, status, duration, ip, method, path }: GatewayLogEntry): readonly string[] {
  return [showTime(timestamp), String(status), duration.toFixed(1), ip, method, path]
}

function parseClass(text: string): number {
  if (/^[1-9]$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be one digit, e.g. 4.')
}
