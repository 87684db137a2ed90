import type { PoolState } from '../sandbox/generation.js'
import type { BreakerState } from './breaker.js'
import type { PluginState } from './plugin-state.js'

/** One line of the plugin list. */
export interface PluginSummary {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly state: PluginState
  readonly circuit_breaker_state?: BreakerState
  /** True when the plugin runs in an executor of its own because it had to be terminated once. */
  readonly quarantined: boolean
}

export interface SchemaDrift {
  readonly table: string
  readonly kind: 'missing' | 'extra'
  readonly column: string
}

/** Everything an operator can see of one plugin. Field names are those of the admin API. */
export interface PluginDetails extends PluginSummary {
  readonly author?: string
  readonly license?: string
  readonly failed_reason?: string
  readonly circuit_breaker_errors?: number
  /** Seconds until an open breaker lets a probe through; absent while it lets calls through. */
  readonly circuit_breaker_retry_after?: number
  /** Times that the breaker opened since the host started. */
  readonly circuit_breaker_trips: number
  /** RFC 3339. */
  readonly circuit_breaker_last_trip?: string
  /** State of the pool of the last generation; absent when there was none. */
  readonly pool_state?: PoolState
  readonly calls_in_flight: number
  /** Calls that were stopped by their budget since the host started, by code. */
  readonly budget_kills: Readonly<Record<string, number>>
  /** The last call or load that failed since the host started. */
  readonly last_error?: { readonly type: string; readonly at: string }
  readonly vms_available: number
  readonly vms_total: number
  readonly dependencies?: readonly string[]
  readonly schema_drift?: readonly SchemaDrift[]
  /** SHA-256 of the source that runs; empty when nothing runs. */
  readonly content_hash: string
  /** Number of the generation that serves; 0 when none does. */
  readonly generation: number
}

/** One route with its approval. */
export interface RouteListing {
  readonly plugin: string
  readonly method: string
  readonly path: string
  readonly public: boolean
  readonly approved: boolean
  readonly plugin_version: string
}

export interface RouteReference {
  readonly plugin: string
  readonly method: string
  readonly path: string
}

/** Result of approving or revoking a list: what failed is named, the rest is applied. */
export interface ApprovalResult {
  readonly errors: readonly string[]
}

/**
 * What admins can do with plugins. `actor` is the user name that is recorded. Unknown plugins reject with
 * `PLUGIN_NOT_FOUND` (404), a failed reload or enable with `PLUGIN_LOAD_FAILED` (500, with the reason).
 */
export interface PluginAdministration {
  list(): readonly PluginSummary[]
  get(plugin: string): PluginDetails | undefined
  reload(plugin: string, actor: string): Promise<void>
  /** Resets the breaker, lifts the quarantine, loads the plugin and remembers that it is enabled. */
  enable(plugin: string, actor: string): Promise<void>
  /** Closes the circuit breaker and forgets the failures that it has counted; nothing is loaded again. */
  resetBreaker(plugin: string, actor: string): Promise<void>
  /** Runs on_shutdown, stops serving and remembers that it is disabled, also across restarts. */
  disable(plugin: string, actor: string): Promise<void>
  /** Physical tables that belong to no plugin that is known to this host. */
  orphanedTables(): Promise<readonly string[]>
  /** Drops those of the given tables that are orphaned at this moment; resolves to the dropped ones. */
  dropOrphanedTables(tables: readonly string[], actor: string): Promise<readonly string[]>
  routes(): readonly RouteListing[]
  approveRoutes(routes: readonly RouteReference[], actor: string): Promise<ApprovalResult>
  revokeRoutes(routes: readonly RouteReference[], actor: string): Promise<ApprovalResult>
}
