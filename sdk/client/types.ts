/** State of a plugin: `running` serves, `failed` has a `failed_reason`, `stopped` was disabled. */
export type PluginState = 'discovered' | 'loading' | 'running' | 'failed' | 'stopped'

/** State of a plugin's circuit breaker: `open` refuses calls until it lets one probe through. */
export type BreakerState = 'closed' | 'open' | 'half-open'

/** One line of the plugin list. */
export interface PluginSummary {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly state: PluginState
  readonly circuit_breaker_state?: BreakerState
  /** True when the plugin had to be terminated once and runs in a thread of its own. */
  readonly quarantined: boolean
}

/** A column that the plugin's definition and the real table do not share. */
export interface SchemaDrift {
  readonly table: string
  readonly kind: 'missing' | 'extra'
  readonly column: string
}

/** Everything that the server tells about one plugin. */
export interface PluginDetails extends PluginSummary {
  readonly author?: string
  readonly license?: string
  /** Why the plugin, or its last reload, failed; absent when nothing did. */
  readonly failed_reason?: string
  readonly circuit_breaker_errors?: number
  readonly vms_available: number
  readonly vms_total: number
  readonly dependencies?: readonly string[]
  readonly schema_drift?: readonly SchemaDrift[]
  /** SHA-256 of the running source; empty when nothing runs. */
  readonly content_hash: string
  /** Number of the generation that serves; 0 when none does. */
  readonly generation: number
}

/** Names one route of one plugin. */
export interface RouteReference {
  readonly plugin: string
  /** Upper case, e.g. `GET`. */
  readonly method: string
  /** Path below `/api/v1/plugins/<plugin>`, as the plugin registered it. */
  readonly path: string
}

/** One route with its approval. */
export interface RouteListing extends RouteReference {
  /** True when the route answers without a credential once it is approved. */
  readonly public: boolean
  readonly approved: boolean
  readonly plugin_version: string
}

/** Answer to `reload`. */
export interface ReloadResult {
  readonly ok: true
  readonly plugin: string
}

/** Answer to `enable` and `disable`. */
export interface StateResult extends ReloadResult {
  readonly state: PluginState
}

/** Tables that no plugin of this server owns; nothing was dropped. */
export interface CleanupPreview {
  readonly orphaned_tables: readonly string[]
  readonly count: number
  readonly action: 'dry_run'
}

/** Tables that were dropped. */
export interface CleanupResult {
  readonly dropped: readonly string[]
  readonly count: number
}

/** What `/api/v1/health` says; `status` is `ok` when everything is well. */
export interface Health {
  readonly status: string
  readonly [check: string]: unknown
}

/** The circuit breaker of one plugin towards one domain that its requests go to. */
export interface RequestBreaker {
  readonly plugin: string
  readonly domain: string
  readonly state: BreakerState
  /** Consecutive failures. */
  readonly failures: number
  /** Time until a probe may pass; 0 while requests pass. */
  readonly retry_after_seconds: number
}
