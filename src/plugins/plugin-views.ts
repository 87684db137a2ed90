import { everyTable } from '../capabilities/hooks/events.js'
import { showKey } from '../kv/key.js'
import type { Generation } from '../sandbox/generation.js'
import type { ActivityRecord } from './activity.js'
import type {
  AuthPartListing,
  CoreAccessListing,
  GatewayAccessListing,
  HookListing,
  KvAccessListing,
  ListenerListing,
  PluginDetails,
  PluginSummary,
  RequestListing,
  RouteListing,
  SchemaDrift,
  StageListing,
} from './administration.js'
import { parseCoreKey, parseKvKey } from './grants/grant-keys.js'
import type { ServedGrant } from './grants/grant-table.js'
import { allHooks } from './hook-chain.js'
import { listenersOf } from './kv/listener-index.js'
import type { PluginEntry } from './plugin-entry.js'
import type { PluginState } from './plugin-state.js'

/** Gives the line of a plugin in the list. */
export function summarisePlugin(entry: PluginEntry, quarantined: boolean): PluginSummary {
  return {
    name: entry.name,
    version: entry.manifest?.version ?? '',
    description: entry.manifest?.description ?? '',
    state: entry.state,
    ...(entry.served.generation === undefined ? {} : { circuit_breaker_state: entry.breakerState }),
    quarantined,
  }
}

/** Gives everything that an operator can see of a plugin. */
export function describePlugin(
  entry: PluginEntry,
  quarantined: boolean,
  activity: ActivityRecord,
): PluginDetails {
  const { manifest, serving, failedReason } = entry
  const pool = serving?.status()
  const drift = driftOf(serving)
  const listeners = listListeners(entry)
  return {
    ...summarisePlugin(entry, quarantined),
    ...(manifest?.author === undefined ? {} : { author: manifest.author }),
    ...(manifest?.license === undefined ? {} : { license: manifest.license }),
    ...(failedReason === undefined ? {} : { failed_reason: failedReason }),
    ...describeBreaker(entry, activity),
    ...describeCalls(entry, activity),
    vms_available: pool?.vmsAvailable ?? 0,
    vms_total: pool?.vmsTotal ?? 0,
    ...(manifest === undefined || manifest.dependencies.length === 0
      ? {}
      : { dependencies: manifest.dependencies }),
    ...(drift.length === 0 ? {} : { schema_drift: drift }),
    ...(listeners.length === 0 ? {} : { listeners }),
    content_hash: serving === undefined ? '' : entry.contentHash,
    generation: serving?.id ?? 0,
  }
}

type BreakerFields = 'errors' | 'retry_after' | 'trips' | 'last_trip'

function describeBreaker(
  { served: { generation, breaker } }: PluginEntry,
  { trips, lastTripAt }: ActivityRecord,
): Pick<PluginDetails, `circuit_breaker_${BreakerFields}`> {
  const retryAfter = generation === undefined ? 0 : breaker.retryAfterSeconds
  return {
    ...(generation === undefined ? {} : { circuit_breaker_errors: breaker.failures }),
    ...(retryAfter === 0 ? {} : { circuit_breaker_retry_after: retryAfter }),
    circuit_breaker_trips: trips,
    ...(lastTripAt === undefined ? {} : { circuit_breaker_last_trip: lastTripAt }),
  }
}

function describeCalls(
  { served: { generation } }: PluginEntry,
  { budgetKills, lastError }: ActivityRecord,
): Pick<PluginDetails, 'pool_state' | 'calls_in_flight' | 'budget_kills' | 'last_error'> {
  const pool = generation?.status()
  return {
    ...(pool === undefined ? {} : { pool_state: pool.state }),
    calls_in_flight: pool?.callsInFlight ?? 0,
    budget_kills: budgetKills,
    ...(lastError === undefined ? {} : { last_error: lastError }),
  }
}

/** How tables differ from what the plugin defines, each difference once. */
function driftOf(generation: Generation | undefined): readonly SchemaDrift[] {
  const findings = generation?.findings.filter(({ kind }) => kind === 'schema_drift') ?? []
  const drifts = findings.map(({ data }) => data as SchemaDrift)
  return [...new Map(drifts.map((drift) => [JSON.stringify(drift), drift])).values()]
}

/** Lists the routes of a plugin with their approval. */
export function listRoutes(entry: PluginEntry): readonly RouteListing[] {
  return entry.served.routes.routes.map((route) => ({
    plugin: entry.name,
    method: route.method,
    path: route.path,
    public: route.public,
    ...(route.requires !== undefined && { requires: route.requires }),
    approved: route.approved,
    plugin_version: entry.manifest?.version ?? '',
  }))
}

/** Lists the hooks of a plugin with their approval, in the order of registration. */
export function listHooks({ name, served, manifest }: PluginEntry): readonly HookListing[] {
  return allHooks(served).map(({ event, table, priority, approved }) => ({
    plugin_name: name,
    event,
    table,
    priority,
    approved,
    is_wildcard: table === everyTable,
    plugin_version: manifest?.version ?? '',
  }))
}

/** Lists the domains that a plugin asks for. */
export function listRequests({ name, served, manifest }: PluginEntry): readonly RequestListing[] {
  return served.grants.of('domain').map(({ key, description, approved }) => ({
    plugin_name: name,
    domain: key,
    description,
    approved,
    plugin_version: manifest?.version ?? '',
  }))
}

/** Lists the core tables that a plugin asks for. */
export function listCoreAccess({ name, served, manifest }: PluginEntry): readonly CoreAccessListing[] {
  return served.grants.of('core').map(({ key, approved }) => ({
    plugin_name: name,
    ...parseCoreKey(key),
    approved,
    plugin_version: manifest?.version ?? '',
  }))
}

/** Lists the stages that a plugin asks for. */
export function listStages({ name, served, manifest }: PluginEntry): readonly StageListing[] {
  return served.grants.of('stage').map(({ key, description, approved }) => ({
    plugin_name: name,
    stage: key,
    description,
    approved,
    plugin_version: manifest?.version ?? '',
  }))
}

/** Lists the authenticators and authorizers of a plugin. */
export function listAuthParts({ name, served, manifest }: PluginEntry): readonly AuthPartListing[] {
  return served.grants.of('auth').map(({ key, description, approved }) => ({
    plugin_name: name,
    part: key,
    description,
    approved,
    plugin_version: manifest?.version ?? '',
  }))
}

/** Lists what a plugin asks to do with the gateway. */
export function listGatewayAccess({ name, served, manifest }: PluginEntry): readonly GatewayAccessListing[] {
  return served.grants.of('gateway').map(({ key, description, approved }) => ({
    plugin_name: name,
    access: key,
    description,
    approved,
    plugin_version: manifest?.version ?? '',
  }))
}

/** Lists the shared namespaces that a plugin asks for. */
export function listKvAccess({ name, served, manifest }: PluginEntry): readonly KvAccessListing[] {
  return served.grants.of('kv').map(({ key, approved }) => ({
    plugin_name: name,
    ...parseKvKey(key),
    approved,
    plugin_version: manifest?.version ?? '',
  }))
}

/** Lists the functions of a plugin that runs for messages and changes of the key-value store. */
function listListeners({ name, serving, served: { grants } }: PluginEntry): readonly ListenerListing[] {
  if (serving === undefined) return []
  return listenersOf(name, serving.inspection.registrations, grants).map(
    ({ queue, concurrency, isApproved: approved, changes }) => ({
      queue,
      concurrency,
      approved,
      ...(changes && {
        namespace: changes.namespace,
        prefix: showKey(changes.prefix),
        events: changes.events,
      }),
    }),
  )
}

/** What a plugin asks for that is not approved. */
export interface WaitingPlugin {
  readonly plugin: string
  /** They answer 404. */
  readonly routes: readonly RouteListing[]
  /** Hooks and stages that do not run; domains, core tables, namespaces and the gateway that are out of reach. */
  readonly grants: readonly ServedGrant[]
}

/** What an operator wants to know when the host has started. */
export interface StatusReport {
  readonly running: readonly { readonly name: string; readonly version: string; readonly routes: number }[]
  readonly failed: readonly { readonly name: string; readonly reason: string }[]
  /** Names of the plugins that an admin has disabled. */
  readonly stopped: readonly string[]
  /** What running plugins ask for and may not use until it is approved, by plugin. */
  readonly waiting: readonly WaitingPlugin[]
  /** Sentences on what no plugin's state tells: folders of one name, an unreadable plugin directory. */
  readonly problems: readonly string[]
}

/** Sums up all plugins. */
export function reportStatus(entries: readonly PluginEntry[], problems: readonly string[]): StatusReport {
  const inState = (state: PluginState) => entries.filter((entry) => entry.state === state)
  const running = inState('running')
  return {
    running: running.map((entry) => ({
      name: entry.name,
      version: entry.manifest?.version ?? '',
      routes: entry.served.routes.routes.length,
    })),
    failed: inState('failed').map(({ name, failedReason }) => ({ name, reason: failedReason ?? '' })),
    stopped: inState('stopped').map(({ name }) => name),
    waiting: running
      .map((entry) => ({
        plugin: entry.name,
        routes: listRoutes(entry).filter((route) => !route.approved),
        grants: entry.served.grants.grants.filter((grant) => !grant.approved),
      }))
      .filter(({ routes, grants }) => routes.length + grants.length > 0),
    problems,
  }
}
