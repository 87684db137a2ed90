import type { Command } from 'commander'
import type { GatewayProxyRule, GatewayStats } from '../../sdk/client/index.js'
import type { CommandContext } from '../context.js'
import { printable, printJson, printLine } from '../output.js'
import { finishServerCommand } from '../server-command.js'

/** Adds `gateway status`. */
export function addStatusCommand(parent: Command, context: CommandContext): void {
  const command = parent
    .command('status')
    .summary('show which parts are on, and their figures')
    .description('Show which parts of the gateway are on, and what they have counted since the start.')
  finishServerCommand({
    command,
    context,
    examples: ['gateway status', 'gateway status --json'],
    run: async ({ gateway }, options) => {
      const [stats, rules] = await Promise.all([gateway.stats(), gateway.proxy.list()])
      if (options.json) return printJson(context, { ...stats, proxy: { rulesCount: rules.length } })
      for (const [name, text] of linesOf(stats, rules)) {
        printLine(context, `${`${name}:`.padEnd(15)}${printable(text)}`)
      }
    },
  })
}

function linesOf(
  { rateLimit, cors, cache, shell, logs }: GatewayStats,
  rules: readonly GatewayProxyRule[],
): readonly (readonly [name: string, text: string])[] {
  const off = rules.filter(({ enabled }) => !enabled).length
  const classes = Object.entries(logs.byStatus).map(([name, count]) => `${count} ${name}`)
  return [
    ['rate limit', limitText(rateLimit)],
    ['other origins', cors.enabled ? countOf(cors.rulesCount, 'rule') : 'no rule'],
    ['proxy', `${countOf(rules.length, 'rule')}${off === 0 ? '' : `, ${off} of them off`}`],
    [
      'shell',
      shell.enabled ? `${shell.dir ?? 'of some hosts'}, ${countOf(shell.excludesCount, 'exclude')}` : 'none',
    ],
    ['cache', cacheText(cache)],
    [
      'last requests',
      logs.total === 0
        ? 'none'
        : `${logs.total}: ${classes.join(', ')}; ${logs.avgDuration.toFixed(1)} ms on average; ${logs.rateLimited} rate-limited`,
    ],
  ]
}

function limitText({ config, metrics }: GatewayStats['rateLimit']): string {
  if (config === null || metrics === null) return 'off'
  const { requests, window, keyBy } = config
  const { totalRequests, blockedRequests, activeBuckets } = metrics
  return `${requests} in ${window} by ${keyBy}; ${totalRequests} counted, ${blockedRequests} refused, ${countOf(activeBuckets, 'bucket')}`
}

function cacheText({ enabled, entries = 0, bytes = 0, hits = 0, misses = 0 }: GatewayStats['cache']): string {
  if (!enabled) return 'off'
  return `${entries} answers with ${bytes} bytes; ${hits} hits, ${misses} misses`
}

function countOf(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`
}
