import { type Command, Option } from 'commander'
import type { GatewayBucket } from '../../sdk/client/index.js'
import { CliError } from '../cli-error.js'
import { confirm } from '../confirm.js'
import type { ServerOptions } from '../connection.js'
import type { CommandContext } from '../context.js'
import { exitCodes } from '../exit-codes.js'
import { parseCount } from '../kv/numbers.js'
import { finishServerCommand, printDone, printListing, showTime } from '../server-command.js'

interface ListOptions extends ServerOptions {
  readonly limit: number
  readonly sort: 'tokens' | 'lastActivity'
}

/** Adds `gateway limits` with what can be done about them. */
export function addLimitsCommand(parent: Command, context: CommandContext): void {
  const limits = parent
    .command('limits')
    .summary('look at the clients that the rate limit counts')
    .description('Look at the clients that the rate limit counts, and give them their requests back.')
  addList(limits, context)
  addReset(limits, context)
  addClear(limits, context)
}

function addList(parent: Command, context: CommandContext): void {
  const command = parent
    .command('list')
    .description('List clients that have used some of their requests.')
    .option('-l, --limit <count>', 'clients at most', parseCount, 100)
    .addOption(
      new Option('--sort <order>', 'those with the fewest tokens first, or the latest ones')
        .choices(['tokens', 'lastActivity'])
        .default('tokens'),
    )
  finishServerCommand<ListOptions>({
    command,
    context,
    examples: ['gateway limits list --limit 10'],
    run: async ({ gateway }, options) => {
      const { limit, sort: sortBy } = options
      printListing(context, options, {
        items: await gateway.limits.list({ limit, sortBy }),
        heading: ['CLIENT', 'TOKENS', 'RETRY AFTER', 'LAST REQUEST'],
        row: toRow,
        empty: 'all clients have all their requests',
      })
    },
  })
}

function toRow({ key, tokens, retryAfter, lastActivity }: GatewayBucket): readonly string[] {
  return [key, tokens.toFixed(1), `${retryAfter} s`, showTime(lastActivity)]
}

function addReset(parent: Command, context: CommandContext): void {
  const command = parent
    .command('reset')
    .argument('<client>', 'as `list` shows it, e.g. ip:192.0.2.7')
    .description('Give a client all its requests back.')
  finishServerCommand({
    command,
    context,
    examples: ['gateway limits reset tenant:acme'],
    run: async ({ gateway }, options, [key = '']) => {
      const deleted = await gateway.limits.reset(key)
      const text = deleted
        ? `${key} has all its requests again`
        : `nothing to do: ${key} has all its requests`
      printDone(context, options, { deleted, key }, text)
    },
  })
}

function addClear(parent: Command, context: CommandContext): void {
  const command = parent
    .command('clear')
    .description('Give all clients all their requests back.')
    .option('-y, --yes', 'do not ask')
  finishServerCommand<ServerOptions & { readonly yes?: boolean }>({
    command,
    context,
    examples: ['gateway limits clear --yes'],
    run: async ({ gateway }, options) => {
      if (!(await confirm(context, 'Give all clients all their requests back?', options.yes ?? false))) {
        throw new CliError(exitCodes.failure, 'DECLINED', 'nothing was changed')
      }
      const cleared = await gateway.limits.clear()
      printDone(context, options, { cleared }, `${cleared} clients have all their requests again`)
    },
  })
}
