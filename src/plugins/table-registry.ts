import { sql, type Transaction } from 'kysely'
import type { CoreDatabase } from '../database/database.js'
import type { CoreTables } from '../database/tables.js'
import { orphanReferenced } from './errors.js'

/** A table that a plugin has defined. */
interface OwnedTable {
  readonly table: string
  readonly plugin: string
}

/**
 * Which tables belong to which plugin. Only what `db.define_table` has entered here can be dropped: names prove
 * nothing, and the tables of the host are in no entry.
 */
export class TableRegistry {
  readonly #database: CoreDatabase

  constructor(database: CoreDatabase) {
    this.#database = database
  }

  /**
   * Physical names of the tables whose owners are gone, in alphabetical order.
   *
   * @param present Names of the plugins that are not gone.
   */
  async orphans(present: ReadonlySet<string>): Promise<readonly string[]> {
    const owned = await this.#database.withBusyRetry((kysely) => selectOrphans(kysely, present))
    return owned.map(({ table }) => table)
  }

  /**
   * Drops those of the tables that are orphaned, with their entries, all or none; resolves to what was dropped.
   * Storage counts as free once the last table of an owner is gone, and its migrations as not applied.
   *
   * @throws HostError PLUGIN_TABLE_REFERENCED when a table that stays refers to one that would go.
   */
  async drop(tables: readonly string[], present: ReadonlySet<string>): Promise<readonly string[]> {
    const wanted = new Set(tables)
    try {
      return await this.#database.transaction(async (transaction) => {
        const orphans = await selectOrphans(transaction, present)
        const doomed = orphans.filter(({ table }) => wanted.has(table))
        await dropTables(transaction, doomed)
        return doomed.map(({ table }) => table)
      })
    } catch (error) {
      if (isForeignKeyError(error)) throw orphanReferenced({}, { cause: error })
      throw error
    }
  }
}

type Reader = Pick<Transaction<CoreTables>, 'selectFrom'>

async function selectOrphans(reader: Reader, present: ReadonlySet<string>): Promise<readonly OwnedTable[]> {
  const rows = await reader
    .selectFrom('plugin_tables')
    .select(['table_name as table', 'plugin_name as plugin'])
    .orderBy('table_name')
    .execute()
  // An entry that does not look as `define_table` writes it is damaged: what it names stays.
  return rows.filter(({ table, plugin }) => !present.has(plugin) && table.startsWith(`plugin_${plugin}_`))
}

async function dropTables(
  transaction: Transaction<CoreTables>,
  tables: readonly OwnedTable[],
): Promise<void> {
  // References among the dropped tables are judged at the commit, when all of them are gone.
  await sql`pragma defer_foreign_keys = on`.execute(transaction)
  for (const { table } of tables) {
    await transaction.schema.dropTable(table).ifExists().execute()
    await transaction.deleteFrom('plugin_tables').where('table_name', '=', table).execute()
  }
  for (const plugin of new Set(tables.map((owned) => owned.plugin))) {
    const left = await transaction
      .selectFrom('plugin_tables')
      .select('table_name')
      .where('plugin_name', '=', plugin)
      .limit(1)
      .execute()
    if (left.length > 0) continue
    await transaction.deleteFrom('plugin_storage').where('plugin_name', '=', plugin).execute()
    // Whoever installs the plugin again has to make its tables again.
    await transaction.deleteFrom('plugin_migrations').where('plugin_name', '=', plugin).execute()
  }
}

function isForeignKeyError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'SQLITE_CONSTRAINT_FOREIGNKEY'
}
