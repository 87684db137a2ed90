import type { Command } from 'commander'
import type { CommandContext } from '../context.js'
import { formatExitCodes } from '../exit-codes.js'
import { addCacheCommand } from './gateway-cache.js'
import { addCorsCommand } from './gateway-cors.js'
import { addExcludesCommand } from './gateway-excludes.js'
import { addLimitsCommand } from './gateway-limits.js'
import { addLogsCommand } from './gateway-logs.js'
import { addPipelineCommand } from './gateway-pipeline.js'
import { addProxyCommand } from './gateway-proxy.js'
import { addStatusCommand } from './gateway-status.js'

const help = (): string => `
The commands talk to a running server, which they find through --url or the configuration, with the admin token of its
data directory. What they change holds at once and after restarts, except that buckets and kept answers are in memory.

Example:
  $ modulacms gateway status
  $ modulacms gateway logs --status-range 5 --limit 20
  $ modulacms gateway proxy add '^/shop/(.*)$' http://127.0.0.1:3000 --rewrite '/$1'

${formatExitCodes()}`

/** Adds `gateway` with its commands. */
export function addGatewayCommand(parent: Command, context: CommandContext): void {
  const gateway = parent
    .command('gateway')
    .summary('look at what stands in front of all requests, and change it')
    .description('Look at what stands in front of all requests to a server, and change its rules.')
    .addHelpText('after', help())
  addStatusCommand(gateway, context)
  addPipelineCommand(gateway, context)
  addLogsCommand(gateway, context)
  addLimitsCommand(gateway, context)
  addExcludesCommand(gateway, context)
  addCorsCommand(gateway, context)
  addProxyCommand(gateway, context)
  addCacheCommand(gateway, context)
}
