import type { Command } from 'commander'
import type { PluginDetails, RouteListing } from '../../sdk/client/index.js'
import { addServerOptions, connect, type ServerOptions } from '../connection.js'
import type { CommandContext } from '../context.js'
import { printable, printJson, printLine } from '../output.js'

const help = `
Example:
  $ modulacms plugin info task_tracker`

/** Adds `plugin info`. */
export function addInfoCommand(parent: Command, context: CommandContext): void {
  const command = parent
    .command('info')
    .argument('<name>', 'name of the plugin')
    .summary('show what the server knows of a plugin')
    .description(
      'Show the state of a plugin, why it failed, its breaker, its VMs and its routes with their approval.',
    )
  addServerOptions(command)
    .addHelpText('after', help)
    .action((name: string, options: ServerOptions) => info(context, name, options))
}

async function info(context: CommandContext, name: string, options: ServerOptions): Promise<void> {
  const { client } = await connect(context, options)
  const details = await client.plugins.get(name)
  const routes = (await client.routes.list()).filter(({ plugin }) => plugin === name)
  if (options.json) {
    const shown = routes.map(({ plugin: _plugin, ...route }) => route)
    return printJson(context, { ...details, routes: shown })
  }
  for (const [key, value] of linesOf(details))
    printLine(context, `${`${key}:`.padEnd(15)}${printable(value)}`)
  printRoutes(context, details, routes)
}

function linesOf(details: PluginDetails): readonly (readonly [string, string])[] {
  const { circuit_breaker_state: breaker, circuit_breaker_errors: failures = 0 } = details
  const lines: [string, string | undefined][] = [
    ['name', details.name],
    ['version', details.version],
    ['description', details.description],
    ['author', details.author],
    ['license', details.license],
    ['state', details.state],
    ['failed reason', details.failed_reason],
    ['breaker', breaker && `${breaker}, ${failures} consecutive failures`],
    ...linesOfBreaker(details),
    ['VMs', `${details.vms_available} of ${details.vms_total} idle`],
    ['pool', details.pool_state && `${details.pool_state}, ${details.calls_in_flight} calls in flight`],
    ['budget kills', killsOf(details)],
    ['last error', details.last_error && `${details.last_error.type} at ${details.last_error.at}`],
    ['quarantined', details.quarantined ? `yes; \`modulacms plugin enable ${details.name}\` lifts it` : 'no'],
    ['dependencies', details.dependencies?.join(', ') || undefined],
    ['generation', details.generation === 0 ? undefined : String(details.generation)],
    ['content hash', details.content_hash || undefined],
    ...(details.schema_drift ?? []).map(({ table, kind, column }): [string, string] => [
      'schema drift',
      `${table}: ${kind} column ${column}`,
    ]),
  ]
  return lines.filter((line): line is [string, string] => line[1] !== undefined)
}

function linesOfBreaker(details: PluginDetails): readonly [string, string | undefined][] {
  const {
    name,
    circuit_breaker_retry_after: retryAfter,
    circuit_breaker_last_trip: lastTrip,
    circuit_breaker_trips: trips,
  } = details
  return [
    [
      'next probe',
      retryAfter === undefined
        ? undefined
        : `in ${retryAfter} s; \`modulacms plugin reset-breaker ${name}\` closes the breaker now`,
    ],
    ['breaker trips', lastTrip && `${trips}, the last at ${lastTrip}`],
  ]
}

/** e.g. `TIMEOUT 3, MEMORY 1`; undefined when no call was stopped. */
function killsOf({ budget_kills: kills }: PluginDetails): string | undefined {
  const parts = Object.entries(kills).map(([code, count]) => `${code} ${count}`)
  return parts.length === 0 ? undefined : parts.join(', ')
}

function printRoutes(
  context: CommandContext,
  { name }: PluginDetails,
  routes: readonly RouteListing[],
): void {
  if (routes.length === 0) {
    printLine(context, 'routes:        none')
    return
  }
  printLine(context, 'routes:')
  for (const { approved, method, path, public: isPublic } of routes) {
    const line = `  ${approved ? 'approved' : 'waiting '}  ${method.padEnd(6)} ${path}${isPublic ? '  (public)' : ''}`
    printLine(context, printable(line))
  }
  if (routes.some(({ approved }) => !approved)) {
    printLine(
      context,
      `approve those that wait with: modulacms plugin approve ${printable(name)} --all-routes`,
    )
  }
}
