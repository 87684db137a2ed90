/** One migration of a plugin. */
export interface Migration {
  readonly version: number
  readonly description: string
  /** `edited`: applied with another SQL. `missing`: applied, and the folder has it no more. */
  readonly state: 'applied' | 'pending' | 'edited' | 'missing'
  /** Whether it says how it is undone; absent when it is missing. */
  readonly reversible?: boolean
  /** Its file, or db.migration; absent when it is missing. */
  readonly place?: string
  /** RFC 3339; absent while it is pending, as all below. */
  readonly applied_at?: string
  readonly applied_by?: string
  readonly duration_ms?: number
  /** True when it was recorded without being run. */
  readonly adopted?: boolean
}

/** The migrations of a plugin, by version. */
export interface MigrationReport {
  readonly plugin: string
  readonly migrations: readonly Migration[]
  /** Why only those are listed that are applied: the folder of the plugin cannot be used. */
  readonly problem?: string
}

/** Versions that were applied. */
export interface MigrateUpResult {
  readonly ok: true
  readonly plugin: string
  readonly applied: readonly number[]
}

/** Versions that were undone. */
export interface MigrateDownResult {
  readonly ok: true
  readonly plugin: string
  readonly reverted: readonly number[]
}

/** How an adoption ended; `unchanged` when it was recorded before. */
export interface AdoptResult {
  readonly ok: true
  readonly plugin: string
  readonly version: number
  readonly result: 'adopted' | 'unchanged' | 'table_missing'
}
