import type { Generated } from 'kysely'
import type { ContentTables } from './content-tables.js'

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

/** The tables of the host itself, for Kysely. */
export interface CoreTables extends ContentTables {
  plugins: PluginsTable
  plugin_routes: PluginRoutesTable
  plugin_tables: PluginTablesTable
  plugin_storage: PluginStorageTable
}
