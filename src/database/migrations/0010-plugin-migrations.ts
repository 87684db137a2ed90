import { type Kysely, type Migration, sql } from 'kysely'

/** Creates the table of the migrations of plugins that have been applied. */
export const createPluginMigrations: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('plugin_migrations')
      .addColumn('plugin_name', 'text', (col) => col.notNull())
      .addColumn('version', 'integer', (col) => col.notNull())
      .addColumn('description', 'text', (col) => col.notNull())
      .addColumn('checksum', 'text', (col) => col.notNull())
      .addColumn('applied_at', 'text', (col) => col.notNull())
      .addColumn('applied_by', 'text', (col) => col.notNull())
      .addColumn('duration_ms', 'integer', (col) => col.notNull())
      .addColumn('adopted', 'integer', (col) => col.notNull())
      .addPrimaryKeyConstraint('plugin_migrations_key', ['plugin_name', 'version'])
      .addCheckConstraint('plugin_migrations_adopted', sql`adopted in (0, 1)`)
      .modifyEnd(sql`strict`)
      .execute()
  },
}
