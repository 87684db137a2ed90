import { type Kysely, type Migration, Migrator } from 'kysely'
import { messageOf } from '../base/errors.js'
import { databaseSchemaUnknown } from './errors.js'
import { createPluginTables } from './migrations/0001-plugins.js'
import { createContentTables } from './migrations/0002-content.js'
import { createHookDeliveries } from './migrations/0003-hooks.js'
import { createGrantTables } from './migrations/0004-grants.js'
import { createKvTables } from './migrations/0005-kv.js'
import { addKvGrants } from './migrations/0006-kv-grants.js'
import { addGateway } from './migrations/0007-gateway.js'
import { createIdentityTables } from './migrations/0008-identity.js'
import { createPolicyTables } from './migrations/0009-policies.js'
import { createPluginMigrations } from './migrations/0010-plugin-migrations.js'
import { openGrantKinds } from './migrations/0011-auth-grants.js'
import { addRouteRequirements } from './migrations/0012-route-requirements.js'

/** The core migrations by name, in their order. A name that has been released is never changed or removed. */
export const coreMigrations: Readonly<Record<string, Migration>> = {
  '0001_plugins': createPluginTables,
  '0002_content': createContentTables,
  '0003_hooks': createHookDeliveries,
  '0004_grants': createGrantTables,
  '0005_kv': createKvTables,
  '0006_kv_grants': addKvGrants,
  '0007_gateway': addGateway,
  '0008_identity': createIdentityTables,
  '0009_policies': createPolicyTables,
  '0010_plugin_migrations': createPluginMigrations,
  '0011_auth_grants': openGrantKinds,
  '0012_route_requirements': addRouteRequirements,
}

/**
 * Brings the core tables to this version in one immediate transaction: a second process that starts on the same
 * file waits for it (SQLITE_BUSY, see `retryWhileBusy`) and then finds nothing to do.
 *
 * @param file Named in errors.
 * @returns Names of the migrations that ran; empty when the file was up to date.
 * @throws `DATABASE_SCHEMA_UNKNOWN` when the file was migrated by a version that knows more; SQLite's errors.
 */
export async function migrateCoreTables<T>(
  kysely: Kysely<T>,
  file: string,
  migrations: Readonly<Record<string, Migration>> = coreMigrations,
): Promise<readonly string[]> {
  const migrator = new Migrator({
    db: kysely,
    provider: { getMigrations: async () => ({ ...migrations }) },
    migrationTableName: 'core_migrations',
    migrationLockTableName: 'core_migration_lock',
    nameComparator: (a, b) => (a < b ? -1 : Number(a > b)),
  })
  const { error, results = [] } = await migrator.migrateToLatest()
  if (error === undefined) return results.map((result) => result.migrationName)
  const reason = messageOf(error)
  // Kysely tells this case by its text alone.
  if (reason.startsWith('corrupted migrations'))
    throw databaseSchemaUnknown({ file, reason }, { cause: error })
  throw error
}
