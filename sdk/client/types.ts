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
  /** Seconds until a breaker that refuses calls lets a probe through. */
  readonly circuit_breaker_retry_after?: number
  /** Times that the breaker opened since the server started. */
  readonly circuit_breaker_trips: number
  /** When it last did, as RFC 3339. */
  readonly circuit_breaker_last_trip?: string
  /** Of the last generation; absent when there was none. */
  readonly pool_state?: 'open' | 'draining' | 'closed'
  /** Calls that have been handed over and not answered. */
  readonly calls_in_flight: number
  /** Calls that were stopped since the server started, by what they used up, e.g. `TIMEOUT`. */
  readonly budget_kills: Readonly<Record<string, number>>
  /** The last call or load that failed since the server started: error code and time (RFC 3339). */
  readonly last_error?: { readonly type: string; readonly at: string }
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

/** Answer to `resetBreaker`. */
export interface BreakerResult extends ReloadResult {
  readonly circuit_breaker_state: 'closed'
}

/** One metric of the server with its numbers. */
export interface Metric {
  readonly name: string
  /** `counter`, `gauge`, `histogram` or `summary`. */
  readonly type: string
  readonly help: string
  /** Upper bounds of the buckets of a histogram. */
  readonly bounds?: readonly number[]
  readonly samples: readonly {
    readonly labels: Readonly<Record<string, string>>
    /** For a histogram how many values were observed. */
    readonly value: number
    /** Sum of the values of a histogram. */
    readonly sum?: number
    /** How many values of a histogram were at most the bound at the same place. */
    readonly counts?: readonly number[]
  }[]
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
