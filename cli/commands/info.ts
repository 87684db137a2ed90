import type { Command } from 'commander'
import type {
  ApprovalKind,
  AuthPartListing,
  Client,
  CoreListing,
  DomainListing,
  GatewayAccessListing,
  HookListing,
  KvAccessListing,
  Listener,
  Migration,
  PluginDetails,
  RouteListing,
  StageListing,
} from '../../sdk/client/index.js'
import { approveCommand, kindsOfItems } from '../approval-items.js'
import { addServerOptions, connect, type ServerOptions } from '../connection.js'
import type { CommandContext } from '../context.js'
import { describeMigration } from '../migration-lines.js'
import { printable, printJson, printLine } from '../output.js'
import { describeGuard } from '../route-guard.js'

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
      'Show the state of a plugin, why it failed, its breaker, its VMs, and what it asks for with its approval.',
    )
  addServerOptions(command)
    .addHelpText('after', help)
    .action((name: string, options: ServerOptions) => info(context, name, options))
}

async function info(context: CommandContext, name: string, options: ServerOptions): Promise<void> {
  const { client } = await connect(context, options)
  const details = await client.plugins.get(name)
  const [asked, { migrations }] = await Promise.all([readAsked(client, name), client.migrations.list(name)])
  if (options.json) return printJson(context, { ...details, ...asked, migrations })
  for (const [key, value] of linesOf(details))
    printLine(context, `${`${key}:`.padEnd(15)}${printable(value)}`)
  printMigrations(context, migrations)
  printAsked(context, details, asked)
}

function printMigrations(context: CommandContext, migrations: readonly Migration[]): void {
  if (migrations.length > 0) printLine(context, 'migrations:')
  for (const migration of migrations) printLine(context, printable(`  ${describeMigration(migration)}`))
}

/** What the plugin asks for, without its name in each entry. */
interface Asked {
  readonly routes: readonly Omit<RouteListing, 'plugin'>[]
  readonly hooks: readonly Omit<HookListing, 'plugin_name'>[]
  readonly domains: readonly Omit<DomainListing, 'plugin_name'>[]
  readonly core: readonly Omit<CoreListing, 'plugin_name'>[]
  readonly kv: readonly Omit<KvAccessListing, 'plugin_name'>[]
  readonly stages: readonly Omit<StageListing, 'plugin_name'>[]
  readonly auth: readonly Omit<AuthPartListing, 'plugin_name'>[]
  readonly gateway: readonly Omit<GatewayAccessListing, 'plugin_name'>[]
}

async function readAsked(client: Client, name: string): Promise<Asked> {
  const { routes, hooks, requests, core, kvAccess, stages, authParts, gatewayAccess } = client
  const [allRoutes, allHooks, allDomains, allCore, allKv, allStages, allAuth, allGateway] = await Promise.all(
    [
      routes.list(),
      hooks.list(),
      requests.list(),
      core.list(),
      kvAccess.list(),
      stages.list(),
      authParts.list(),
      gatewayAccess.list(),
    ],
  )
  return {
    routes: allRoutes.filter(({ plugin }) => plugin === name).map(({ plugin: _plugin, ...route }) => route),
    hooks: allHooks.filter(isOf(name)).map(({ plugin_name: _plugin, ...hook }) => hook),
    domains: allDomains.filter(isOf(name)).map(({ plugin_name: _plugin, ...domain }) => domain),
    core: allCore.filter(isOf(name)).map(({ plugin_name: _plugin, ...access }) => access),
    kv: allKv.filter(isOf(name)).map(({ plugin_name: _plugin, ...access }) => access),
    stages: allStages.filter(isOf(name)).map(({ plugin_name: _plugin, ...stage }) => stage),
    auth: allAuth.filter(isOf(name)).map(({ plugin_name: _plugin, ...part }) => part),
    gateway: allGateway.filter(isOf(name)).map(({ plugin_name: _plugin, ...access }) => access),
  }
}

function isOf(name: string) {
  return (listing: { readonly plugin_name: string }) => listing.plugin_name === name
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
    [
      'hot reload',
      details.hot_reload === 'paused'
        ? `paused after slow loads; \`modulacms plugin reload ${details.name}\` ends the pause`
        : details.hot_reload,
    ],
    ...(details.listeners ?? []).map((listener): [string, string] => [
      'listener',
      describeListener(listener),
    ]),
    ['generation', details.generation === 0 ? undefined : String(details.generation)],
    ['content hash', details.content_hash || undefined],
    ...(details.schema_drift ?? []).map(({ table, kind, column }): [string, string] => [
      'schema drift',
      `${table}: ${kind} column ${column}`,
    ]),
  ]
  return lines.filter((line): line is [string, string] => line[1] !== undefined)
}

/** e.g. `queue mail, 4 at once`; `changes of shared:config ["users"] (set, delete) in $changes-..., 1 at once`. */
function describeListener({
  queue,
  concurrency,
  approved,
  namespace,
  prefix,
  events = [],
}: Listener): string {
  const source =
    namespace === undefined
      ? `queue ${queue}`
      : `changes of ${namespace} ${prefix} (${events.join(', ')}) in ${queue}`
  return `${source}, ${concurrency} at once${approved ? '' : ', not approved'}`
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

/** One line of what a plugin asks for. */
interface AskedLine {
  readonly kind: ApprovalKind
  readonly approved: boolean
  readonly text: string
}

function printAsked(context: CommandContext, { name }: PluginDetails, asked: Asked): void {
  const lines = askedLines(asked)
  if (asked.routes.length === 0) printLine(context, 'routes:        none')
  for (const { kind, many } of kindsOfItems) {
    const own = lines.filter((line) => line.kind === kind)
    if (own.length > 0) printLine(context, `${many}:`)
    for (const { approved, text } of own) {
      printLine(context, printable(`  ${approved ? 'approved' : 'waiting '}  ${text}`))
    }
  }
  const waiting = lines.filter(({ approved }) => !approved)
  if (waiting.length > 0) {
    printLine(context, `approve those that wait with: ${approveCommand(name, waiting)}`)
  }
}

function askedLines({
  routes,
  hooks,
  domains,
  core,
  kv,
  stages,
  auth,
  gateway,
}: Asked): readonly AskedLine[] {
  return [
    ...routes.map((route) => {
      const text = `${route.method.padEnd(6)} ${route.path}${describeGuard(route)}`
      return { kind: 'route' as const, approved: route.approved, text }
    }),
    ...hooks.map(({ approved, event, table, priority }) => {
      return { kind: 'hook' as const, approved, text: `${event}:${table}  (priority ${priority})` }
    }),
    ...domains.map(({ approved, domain }) => ({ kind: 'domain' as const, approved, text: domain })),
    ...core.map(({ approved, table, access }) => {
      return { kind: 'core' as const, approved, text: `${table}:${access}` }
    }),
    ...kv.map(({ approved, namespace, access }) => {
      return { kind: 'kv' as const, approved, text: `${namespace}:${access}` }
    }),
    ...stages.map(({ approved, stage }) => ({ kind: 'stage' as const, approved, text: stage })),
    ...auth.map(({ approved, part }) => ({ kind: 'auth' as const, approved, text: part })),
    ...gateway.map(({ approved, access }) => ({ kind: 'gateway' as const, approved, text: access })),
  ]
}
