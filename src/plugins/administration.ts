import type { Requirement } from '../identity/requirement.js'
import type { PoolState } from '../sandbox/generation.js'
import type { BreakerState } from './breaker.js'
import type { GrantReference } from './grants/grant-store.js'
import type { GrantKind } from './grants/grant-table.js'
import type { Access, ManifestCapability } from './manifest.js'
import type { MigrationAdministration } from './migrations/migration-orders.js'
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

/** A function of a plugin for messages (`kv.listen`) or changes (`kv.on_change`) of the key-value store. */
export interface ListenerListing {
  /** Of the plugin's own namespace, where messages or changes wait; dead letters name it too. */
  readonly queue: string
  /** Calls at once. */
  readonly concurrency: number
  /** False for changes of a shared namespace that the plugin may not read. */
  readonly approved: boolean
  /** Of changes: whose, e.g. `plugin:shop`, `shared:config`. */
  readonly namespace?: string
  /** Of changes: below which key, e.g. `["users"]`. */
  readonly prefix?: string
  /** Of changes: `set`, `delete`. */
  readonly events?: readonly string[]
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
  /** Absent when it has none. */
  readonly listeners?: readonly ListenerListing[]
  /** Whether changes of its files are loaded; absent when nothing is watched, `paused` after slow loads. */
  readonly hot_reload?: 'watching' | 'paused'
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
  /** What callers need beside a credential; nothing when missing. */
  readonly requires?: Requirement
  readonly approved: boolean
  readonly plugin_version: string
}

export interface RouteReference {
  readonly plugin: string
  readonly method: string
  readonly path: string
  /** Source that was looked at: approving is refused when another one is loaded. Any when missing. */
  readonly content_hash?: string
}

/** One hook with its approval; hooks of one plugin, event and table share it. */
export interface HookListing {
  readonly plugin_name: string
  readonly event: string
  /** `*` stands for all tables. */
  readonly table: string
  readonly priority: number
  readonly approved: boolean
  readonly is_wildcard: boolean
  readonly plugin_version: string
}

/** A domain that a plugin wants to send requests to. */
export interface RequestListing {
  readonly plugin_name: string
  readonly domain: string
  /** What the plugin says it is for. */
  readonly description: string
  readonly approved: boolean
  readonly plugin_version: string
}

/** Access to a core table that a plugin asks for. */
export interface CoreAccessListing {
  readonly plugin_name: string
  readonly table: string
  readonly access: Access
  readonly approved: boolean
  readonly plugin_version: string
}

/** Access to a shared key-value namespace that a plugin asks for. */
export interface KvAccessListing {
  readonly plugin_name: string
  /** Its name without `shared:`. */
  readonly namespace: string
  readonly access: Access
  readonly approved: boolean
  readonly plugin_version: string
}

/** A stage in front of all requests that a plugin asks for. */
export interface StageListing {
  readonly plugin_name: string
  /** What an approval belongs to. */
  readonly stage: string
  readonly description: string
  readonly approved: boolean
  readonly plugin_version: string
}

/** An authenticator or authorizer that a plugin has. */
export interface AuthPartListing {
  readonly plugin_name: string
  /** What an approval belongs to, e.g. `authenticator badge bearer=badge_`. */
  readonly part: string
  readonly description: string
  readonly approved: boolean
  readonly plugin_version: string
}

/** Access to the gateway that a plugin asks for. */
export interface GatewayAccessListing {
  readonly plugin_name: string
  /** `log:read`, `stats:read` or `shell:write`. */
  readonly access: string
  readonly description: string
  readonly approved: boolean
  readonly plugin_version: string
}

/** One grant that is to be approved or revoked. */
export interface GrantRequest extends GrantReference {
  /** As in `RouteReference`. */
  readonly contentHash?: string
}

/** What all plugins ask for beside routes, with its approval. */
export interface AskedGrants {
  hooks(): readonly HookListing[]
  /** Domains of outbound requests. */
  requests(): readonly RequestListing[]
  coreAccess(): readonly CoreAccessListing[]
  /** Shared key-value namespaces. */
  kvAccess(): readonly KvAccessListing[]
  stages(): readonly StageListing[]
  /** Authenticators and authorizers. */
  authParts(): readonly AuthPartListing[]
  gatewayAccess(): readonly GatewayAccessListing[]
  /** All of these, as they can be approved. */
  all(): readonly GrantReference[]
}

/** Something that a plugin asks for. */
export interface ApprovalItem {
  readonly kind: 'route' | GrantKind
  /** `GET /tasks`, `before_create:content_data`, `api.example.com`, `content_data:read`, `config:read`, `log:read`. */
  readonly key: string
  readonly description: string
  /** Of a route: whether it answers without a credential once it is approved. */
  readonly public?: boolean
  /** Of a route: what callers need beside a credential; nothing when missing. */
  readonly requires?: Requirement
  /** Of a waiting item: the approval that it had before the plugin changed. */
  readonly approved_before?: {
    readonly plugin_version: string
    readonly approved_at: string
    readonly approved_by: string
  }
}

/** Something that was approved and that the loaded version asks for no longer. */
export interface DroppedApproval {
  readonly kind: 'route' | GrantKind
  readonly key: string
  readonly plugin_version: string
  readonly approved_at: string
  readonly approved_by: string
  readonly dropped_at: string
}

/** What a plugin asks for, against what is and was approved. */
export interface ApprovalDiff {
  readonly plugin: string
  readonly plugin_version: string
  /** Source that this is about; to be given back when approving. */
  readonly content_hash: string
  readonly waiting: readonly ApprovalItem[]
  readonly approved: readonly ApprovalItem[]
  /** Since somebody approved something of the plugin. */
  readonly dropped: readonly DroppedApproval[]
}

/** One hook as a step of what happens around an operation on a table. */
export interface PipelineStep {
  /** `<plugin>:<handler>`, unique. */
  readonly id: string
  readonly plugin: string
  /** Key of the registration, e.g. `before_create:content_data#1`. */
  readonly handler: string
  /** As registered; `*` stands for all tables. */
  readonly table: string
  /** e.g. `create`. */
  readonly operation: string
  readonly phase: 'before' | 'after'
  /** The lower, the earlier. */
  readonly priority: number
  /** Why it does not fire; undefined when it does. */
  readonly disabledBy: 'not_approved' | 'plugin_not_running' | 'breaker_open' | undefined
}

/** What happens before or after an operation on a table. */
export interface PipelineChain {
  /** `*` for the hooks of all tables alone. */
  readonly table: string
  /** e.g. `create`. */
  readonly operation: string
  readonly phase: 'before' | 'after'
  /** In the order in which they run. */
  readonly steps: readonly PipelineStep[]
}

/** Which chains are wanted; all when a field is missing. */
export interface PipelineQuery {
  readonly table?: string
  readonly operation?: string
}

/** What the manifest offers, and how that differs from what was stored with the last load. */
export interface CapabilityReport {
  readonly plugin: string
  readonly capabilities: readonly ManifestCapability[]
  readonly drift: readonly CapabilityDrift[]
}

/** One capability that differs; matched by table and operation. */
export interface CapabilityDrift {
  readonly kind: 'added' | 'removed' | 'changed'
  /** In the loaded manifest. */
  readonly current?: ManifestCapability
  /** As it is stored. */
  readonly previous?: ManifestCapability
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
  readonly migrations: MigrationAdministration
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
  /** What plugins ask for beside routes. */
  readonly asked: AskedGrants
  approveGrants(grants: readonly GrantRequest[], actor: string): Promise<ApprovalResult>
  revokeGrants(grants: readonly GrantRequest[], actor: string): Promise<ApprovalResult>
  /** Undefined for an unknown plugin. */
  diff(plugin: string): Promise<ApprovalDiff | undefined>
  /** All hooks of all plugins, by plugin. */
  pipelines(): readonly PipelineStep[]
  /** What happens around an operation on a table, in the order in which it happens; chains without steps are left out. */
  dryRun(query?: PipelineQuery): readonly PipelineChain[]
  /** Undefined for an unknown plugin. */
  capabilities(plugin: string): Promise<CapabilityReport | undefined>
  /** Stores the capabilities of the loaded manifest, which ends their drift. */
  syncCapabilities(plugin: string, actor: string): Promise<void>
}
