import type { AdoptResult, MigrateDownResult, MigrateUpResult, MigrationReport } from './migration-types.js'
import type { Transport } from './transport.js'

/** Operations on the migrations of plugins; see docs/migrations.md. All reject with `ClientError`. */
export interface MigrationClient {
  /** Compares what the folder of a plugin has with what the database has. */
  list(plugin: string): Promise<MigrationReport>
  /** Applies pending migrations up to a version; all without one. A failure rejects with `PLUGIN_MIGRATION_FAILED`. */
  up(plugin: string, to?: number): Promise<MigrateUpResult>
  /** Undoes all migrations above a version, 0 for all of them; the plugin must be disabled. */
  down(plugin: string, to: number): Promise<MigrateDownResult>
  /** Records a migration as applied without running it, with `ifTable` only when there is that table. */
  adopt(plugin: string, version: number, ifTable?: string): Promise<AdoptResult>
}

/** Makes the operations on migrations. */
export function createMigrationClient(send: Transport): MigrationClient {
  const pathOf = (plugin: string, action = '') =>
    `/api/v1/admin/plugins/${encodeURIComponent(plugin)}/migrations${action}`
  const post = (plugin: string, action: string, body: object) =>
    send({ method: 'POST', path: pathOf(plugin, action), body })
  return {
    list: async (plugin) => (await send({ method: 'GET', path: pathOf(plugin) })) as MigrationReport,
    up: async (plugin, to) => (await post(plugin, '/up', to === undefined ? {} : { to })) as MigrateUpResult,
    down: async (plugin, to) => (await post(plugin, '/down', { to })) as MigrateDownResult,
    adopt: async (plugin, version, ifTable) => {
      const condition = ifTable === undefined ? {} : { if_table: ifTable }
      return (await post(plugin, '/adopt', { version, ...condition })) as AdoptResult
    },
  }
}
