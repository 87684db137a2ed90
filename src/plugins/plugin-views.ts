import type { Generation } from '../sandbox/generation.js'
import type { ActivityRecord } from './activity.js'
import type { PluginDetails, PluginSummary, RouteListing, SchemaDrift } from './administration.js'
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
    approved: route.approved,
    plugin_version: entry.manifest?.version ?? '',
  }))
}

/** What an operator wants to know when the host has started. */
export interface StatusReport {
  readonly running: readonly { readonly name: string; readonly version: string; readonly routes: number }[]
  readonly failed: readonly { readonly name: string; readonly reason: string }[]
  /** Names of the plugins that an admin has disabled. */
  readonly stopped: readonly string[]
  /** Routes of running plugins that answer 404 until they are approved, by plugin. */
  readonly waiting: readonly { readonly plugin: string; readonly routes: readonly RouteListing[] }[]
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
      .map((entry) => ({ plugin: entry.name, routes: listRoutes(entry).filter((route) => !route.approved) }))
      .filter(({ routes }) => routes.length > 0),
    problems,
  }
}
