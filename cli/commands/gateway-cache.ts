import { type Command, Option } from 'commander'
import type { GatewayInvalidation } from '../../sdk/client/index.js'
import type { ServerOptions } from '../connection.js'
import type { CommandContext } from '../context.js'
import { finishServerCommand, printDone } from '../server-command.js'

interface ClearOptions extends ServerOptions {
  readonly key?: string
  readonly tag?: string
  readonly pattern?: string
}

/** Adds `gateway cache` with what can be done about it. */
export function addCacheCommand(parent: Command, context: CommandContext): void {
  const cache = parent
    .command('cache')
    .summary('take answers out of the response cache')
    .description('Take answers out of the response cache; `gateway status` shows what is in it.')
  const command = cache
    .command('clear')
    .description('Take out all answers, or only some.')
    .option('--key <key>', 'those of one URL, e.g. GET:/news?page=1 or /news')
    .addOption(
      new Option('--tag <tag>', 'those with this tag in their Cache-Tag').conflicts(['key', 'pattern']),
    )
    .addOption(new Option('--pattern <glob>', 'those whose path matches, e.g. /news/*').conflicts('key'))
  finishServerCommand<ClearOptions>({
    command,
    context,
    examples: ['gateway cache clear', "gateway cache clear --pattern '/news/*'"],
    run: async ({ gateway }, options) => {
      const invalidated = await gateway.invalidate(whatOf(options))
      const text =
        invalidated === 'all' ? 'the cache is empty' : `${invalidated} answers are out of the cache`
      printDone(context, options, { invalidated }, text)
    },
  })
}

function whatOf({ key, tag, pattern }: ClearOptions): GatewayInvalidation {
  if (key !== undefined) return { key }
  if (tag !== undefined) return { tag }
  return pattern === undefined ? {} : { pattern }
}
