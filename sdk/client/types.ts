import type { RouteRequirement } from './route-types.js'

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
  /** Its functions for messages and changes of the key-value store; absent when it has none. */
  readonly listeners?: readonly Listener[]
  /** Whether changes of its files are loaded; absent when nothing is watched, `paused` after slow loads. */
  readonly hot_reload?: 'watching' | 'paused'
  /** SHA-256 of the running source; empty when nothing runs. */
  readonly content_hash: string
  /** Number of the generation that serves; 0 when none does. */
  readonly generation: number
}

/** A function of a plugin for messages or changes of the key-value store. */
export interface Listener {
  /** Of the plugin's own namespace, where messages or changes wait; dead letters name it too. */
  readonly queue: string
  /** Calls at once. */
  readonly concurrency: number
  /** False for changes of a shared namespace that it may not read. */
  readonly approved: boolean
  /** Of changes: whose, e.g. `shared:config`. */
  readonly namespace?: string
  /** Of changes: below which key. */
  readonly prefix?: string
  /** Of changes: `set`, `delete`. */
  readonly events?: readonly string[]
}

/** Names the hooks of one plugin for one event and table. */
export interface HookReference {
  readonly plugin: string
  /** E.g. `before_create`. */
  readonly event: string
  /** As the plugin registered it; `*` stands for all tables. */
  readonly table: string
  /** As in `RouteReference`. */
  readonly content_hash?: string | undefined
}

/** One hook with its approval; those of one plugin, event and table share it. */
export interface HookListing {
  readonly plugin_name: string
  readonly event: string
  readonly table: string
  /** The lower, the earlier. */
  readonly priority: number
  readonly approved: boolean
  /** True when it is for all tables. */
  readonly is_wildcard: boolean
  readonly plugin_version: string
}

/** Names one domain that a plugin wants to send requests to. */
export interface DomainReference {
  readonly plugin: string
  readonly domain: string
  /** As in `RouteReference`. */
  readonly content_hash?: string | undefined
}

/** One domain with its approval. */
export interface DomainListing {
  readonly plugin_name: string
  readonly domain: string
  /** What the plugin says it is for. */
  readonly description: string
  readonly approved: boolean
  readonly plugin_version: string
}

/** Names one access to a core table. */
export interface CoreReference {
  readonly plugin: string
  readonly table: string
  readonly access: 'read' | 'write'
  /** As in `RouteReference`. */
  readonly content_hash?: string | undefined
}

/** One access to a core table with its approval. */
export interface CoreListing {
  readonly plugin_name: string
  readonly table: string
  readonly access: 'read' | 'write'
  readonly approved: boolean
  readonly plugin_version: string
}

/** Names one access to a shared namespace of the key-value store. */
export interface KvAccessReference {
  readonly plugin: string
  /** Without `shared:`. */
  readonly namespace: string
  readonly access: 'read' | 'write'
  /** As in `RouteReference`. */
  readonly content_hash?: string | undefined
}

/** One access to a shared namespace with its approval. */
export interface KvAccessListing {
  readonly plugin_name: string
  readonly namespace: string
  readonly access: 'read' | 'write'
  readonly approved: boolean
  readonly plugin_version: string
}

/** Names the stages of a plugin that share one approval. */
export interface StageReference {
  readonly plugin: string
  /** As the list gives it. */
  readonly stage: string
  /** As in `RouteReference`. */
  readonly content_hash?: string | undefined
}

/** One stage in front of all requests with its approval. */
export interface StageListing {
  readonly plugin_name: string
  readonly stage: string
  /** What it does, and what the plugin says it is for. */
  readonly description: string
  readonly approved: boolean
  readonly plugin_version: string
}

/** Names one authenticator or authorizer. */
export interface AuthPartReference {
  readonly plugin: string
  /** As the list gives it. */
  readonly part: string
  /** As in `RouteReference`. */
  readonly content_hash?: string | undefined
}

/** One authenticator or authorizer with its approval. */
export interface AuthPartListing {
  readonly plugin_name: string
  readonly part: string
  /** What it sees and decides. */
  readonly description: string
  readonly approved: boolean
  readonly plugin_version: string
}

/** Something that plugins read or change of the gateway. */
export type GatewayAccess = 'log:read' | 'stats:read' | 'shell:write'

/** Names one access to the gateway. */
export interface GatewayAccessReference {
  readonly plugin: string
  readonly access: GatewayAccess
  /** As in `RouteReference`. */
  readonly content_hash?: string | undefined
}

/** One access to the gateway with its approval. */
export interface GatewayAccessListing {
  readonly plugin_name: string
  readonly access: GatewayAccess
  /** What it can do. */
  readonly description: string
  readonly approved: boolean
  readonly plugin_version: string
}

/** Kind of something that plugins ask for. */
export type ApprovalKind = 'route' | 'hook' | 'domain' | 'core' | 'kv' | 'stage' | 'gateway' | 'auth'

/** Who approved something for which version. */
export interface FormerApproval {
  readonly plugin_version: string
  /** RFC 3339. */
  readonly approved_at: string
  readonly approved_by: string
}

/** Something that a plugin asks for. */
export interface ApprovalItem {
  readonly kind: ApprovalKind
  /** `GET /tasks`, `before_create:content_data`, `api.example.com`, `content_data:read`, `config:read` or `log:read`. */
  readonly key: string
  /** What it can do, or what the plugin says it is for. */
  readonly description: string
  /** Of a route: whether it answers without a credential once it is approved. */
  readonly public?: boolean
  /** Of a route: what callers need beside a credential; nothing when missing. */
  readonly requires?: RouteRequirement
  /** Of a waiting item: the approval that ended when the plugin changed. */
  readonly approved_before?: FormerApproval
}

/** Something that was approved and is no longer asked for. */
export interface DroppedApproval extends FormerApproval {
  readonly kind: ApprovalKind
  readonly key: string
  /** RFC 3339. */
  readonly dropped_at: string
}

/** What a plugin asks for, against what is and was approved. */
export interface ApprovalDiff {
  readonly plugin: string
  readonly plugin_version: string
  /** The source that is loaded; give it back as `content_hash` when approving. */
  readonly content_hash: string
  readonly waiting: readonly ApprovalItem[]
  readonly approved: readonly ApprovalItem[]
  /** Since somebody approved something of the plugin. */
  readonly dropped: readonly DroppedApproval[]
}

/** Why a hook does not fire. */
export type DisabledReason = 'not_approved' | 'plugin_not_running' | 'breaker_open'

/** One hook. */
export interface PipelineListing {
  readonly pipeline_id: string
  readonly table_name: string
  /** E.g. `create`. */
  readonly operation: string
  readonly phase: 'before' | 'after'
  readonly plugin_name: string
  readonly handler: string
  readonly priority: number
  /** Whether it fires. */
  readonly enabled: boolean
  readonly disabled_reason?: DisabledReason
}

/** What fires before or after an operation on a table. */
export interface PipelineChain {
  readonly table: string
  readonly operation: string
  readonly phase: 'before' | 'after'
  /** In the order in which they run. */
  readonly entries: readonly {
    readonly PipelineID: string
    readonly PluginName: string
    readonly Handler: string
    /** As registered; `*` stands for all tables. */
    readonly Table: string
    readonly Priority: number
    readonly Enabled: boolean
    readonly DisabledReason?: DisabledReason
  }[]
}

/** Something that a manifest offers. */
export interface Capability {
  readonly table: string
  readonly op: string
  readonly handler: string
  readonly priority: number
}

/** What the loaded manifest offers, and how that differs from what is stored. */
export interface CapabilityReport {
  readonly plugin: string
  readonly capabilities: readonly Capability[]
  readonly drift: readonly {
    readonly kind: 'added' | 'removed' | 'changed'
    readonly current?: Capability
    readonly previous?: Capability
  }[]
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

/** What `/api/v1/health` says; `status` is `healthy` when everything is well. */
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
