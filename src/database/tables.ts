import type { Generated } from 'kysely'
import type { ContentTables } from './content-tables.js'
import type { GatewayTables } from './gateway-tables.js'
import type { IdentityTables } from './identity-tables.js'
import type { PolicyTables } from './policy-tables.js'

/** A boolean as SQLite stores it. */
export type Flag = 0 | 1

/** What an admin has decided about a plugin; whether it runs at the moment is not stored. */
export type StoredPluginStatus = 'enabled' | 'disabled'

/** A plugin that this host has met. The row outlives the folder. */
export interface PluginsTable {
  /** ULID. */
  plugin_id: string
  /** Unique. */
  name: string
  version: string
  description: Generated<string>
  author: Generated<string>
  status: Generated<StoredPluginStatus>
  /** 1 when the plugin runs in an executor of its own until an admin enables it again. */
  quarantined: Generated<Flag>
  /** JSON array. */
  capabilities: Generated<string>
  /** JSON object of granted accesses; `{}` grants nothing. */
  approved_access: Generated<string>
  /** SHA-256 of the source in hex; empty when it was never loaded. */
  manifest_hash: Generated<string>
  /** RFC 3339, UTC. */
  date_installed: string
  /** RFC 3339, UTC. */
  date_modified: string
}

/** One route of a plugin and its approval. The primary key is plugin, method and path. */
export interface PluginRoutesTable {
  plugin_name: string
  method: string
  path: string
  public: Generated<Flag>
  /** JSON of what callers need beside a credential; empty for nothing. */
  requires: Generated<string>
  approved: Generated<Flag>
  /** RFC 3339, UTC; null while the route is not approved. */
  approved_at: string | null
  /** Name of the user who approved; null while the route is not approved. */
  approved_by: string | null
  /** Version that the approval holds for. */
  plugin_version: Generated<string>
  /** Content hash that the approval holds for when approvals are bound to content; empty otherwise. */
  content_hash: Generated<string>
  /** RFC 3339, UTC. */
  created_at: string
}

/** What a plugin asks for beside a route, and its approval. The primary key is plugin, kind and key. */
export interface PluginGrantsTable {
  plugin_name: string
  kind: 'hook' | 'domain' | 'core' | 'kv' | 'stage' | 'gateway' | 'auth'
  /** e.g. `before_create:content_data`, `api.example.com`, `content_data:read`, `config:read`, `log:read`. */
  key: string
  description: Generated<string>
  approved: Generated<Flag>
  /** RFC 3339, UTC; null while it is not approved. */
  approved_at: string | null
  /** Name of the user who approved; null while it is not approved. */
  approved_by: string | null
  /** Version that the approval holds for. */
  plugin_version: Generated<string>
  /** Content hash that the approval holds for. */
  content_hash: Generated<string>
  /** RFC 3339, UTC. */
  created_at: string
}

/**
 * An approval that ended because a plugin changed, for operators to see; it grants nothing. The primary key is
 * plugin, kind and key.
 */
export interface PluginWithdrawnApprovalsTable {
  plugin_name: string
  kind: 'route' | 'hook' | 'domain' | 'core' | 'kv' | 'stage' | 'gateway' | 'auth'
  /** As in `plugin_grants`; of a route its method and path, e.g. `GET /tasks`. */
  key: string
  /** Version that the approval held for. */
  plugin_version: string
  /** RFC 3339, UTC. */
  approved_at: string
  approved_by: string
  /** RFC 3339, UTC. */
  withdrawn_at: string
}

/**
 * Who owns which table. The prefix in a table's name proves nothing: `plugin_a_b_c` could be table `b_c` of `a` or
 * table `c` of `a_b`.
 */
export interface PluginTablesTable {
  /** Physical name; primary key that ignores ASCII case, as SQLite's table names do. */
  table_name: string
  plugin_name: string
  /** JSON array of `PluginTableColumn`. */
  columns: string
  /** RFC 3339, UTC. */
  created_at: string
}

/** One element of `plugin_tables.columns`: a column as the plugin declared it. */
export interface PluginTableColumn {
  readonly name: string
  readonly type: string
}

/** What a plugin has stored and how much it may. */
export interface PluginStorageTable {
  /** Primary key. */
  plugin_name: string
  bytes: Generated<number>
  rows: Generated<number>
  quota_bytes: number
}

/** A migration of a plugin that has been applied. The primary key is plugin and version. */
export interface PluginMigrationsTable {
  plugin_name: string
  version: number
  description: string
  /** SHA-256 of its SQL, in hex. */
  checksum: string
  /** RFC 3339, UTC. */
  applied_at: string
  /** Name of the user who ordered it; `load` when the plugin was loaded. */
  applied_by: string
  duration_ms: number
  /** 1 when it was recorded without being run. */
  adopted: Flag
}

/** `running` while a worker has it: until `due_at`, when another may take it. A dead one waits for an operator. */
export type HookDeliveryState = 'pending' | 'running' | 'dead'

/** One run of an after-hook that is owed to a plugin. Rows of hooks that have run are deleted. */
export interface HookDeliveriesTable {
  /** Never used again. */
  id: Generated<number>
  plugin: string
  /** As hooks name it, e.g. `after_create`. */
  event: string
  /** Table that the hook is registered for; `*` for every table. */
  hook_table: string
  /** Position among the hooks of the plugin for this event and table, from 1. */
  ordinal: number
  /** Table that was written. */
  table_name: string
  /** The row in `hook_payloads` with what the hook gets. */
  payload_id: number
  /** Of the request that wrote, without a mark of its depth. */
  request_id: string
  /** How many hooks led to the write. */
  depth: number
  state: Generated<HookDeliveryState>
  /** Tries so far, the running one included. */
  attempts: Generated<number>
  /** Milliseconds since 1970: when it may be tried next. */
  due_at: number
  /** Why the last try failed; empty when none has. */
  error: Generated<string>
  /** Milliseconds since 1970. */
  created_at: number
}

/** What all after-hooks of one write get. Goes with the last delivery that refers to it, by a trigger. */
export interface HookPayloadsTable {
  id: Generated<number>
  /** JSON object. */
  payload: string
}

/** How many deliveries each plugin has; kept by triggers on `hook_deliveries`. */
export interface HookBacklogsTable {
  /** Primary key. */
  plugin: string
  /** Those that are pending or running. */
  waiting: number
  dead: number
}

/** The tables of the host itself, for Kysely. */
export interface CoreTables extends ContentTables, GatewayTables, IdentityTables, PolicyTables {
  plugins: PluginsTable
  plugin_routes: PluginRoutesTable
  plugin_grants: PluginGrantsTable
  plugin_withdrawn_approvals: PluginWithdrawnApprovalsTable
  plugin_tables: PluginTablesTable
  plugin_storage: PluginStorageTable
  plugin_migrations: PluginMigrationsTable
  hook_deliveries: HookDeliveriesTable
  hook_payloads: HookPayloadsTable
  hook_backlogs: HookBacklogsTable
}
