import { type Kysely, type Migration, sql } from 'kysely'

/** Lets `plugin_grants` hold access to shared key-value namespaces; SQLite changes a check by copying the table. */
export const addKvGrants: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('plugin_grants_new')
      .addColumn('plugin_name', 'text', (col) => col.notNull())
      .addColumn('kind', 'text', (col) => col.notNull())
      .addColumn('key', 'text', (col) => col.notNull())
      .addColumn('description', 'text', (col) => col.notNull().defaultTo(''))
      .addColumn('approved', 'integer', (col) => col.notNull().defaultTo(0))
      .addColumn('approved_at', 'text')
      .addColumn('approved_by', 'text')
      .addColumn('plugin_version', 'text', (col) => col.notNull().defaultTo(''))
      .addColumn('content_hash', 'text', (col) => col.notNull().defaultTo(''))
      .addColumn('created_at', 'text', (col) => col.notNull())
      .addPrimaryKeyConstraint('plugin_grants_key', ['plugin_name', 'kind', 'key'])
      .addCheckConstraint('plugin_grants_kind', sql`kind in ('hook', 'domain', 'core', 'kv')`)
      .addCheckConstraint('plugin_grants_approved', sql`approved in (0, 1)`)
      .modifyEnd(sql`strict`)
      .execute()
    const columns = sql.raw(
      'plugin_name, kind, key, description, approved, approved_at, approved_by, plugin_version, content_hash, created_at',
    )
    await sql`insert into plugin_grants_new (${columns}) select ${columns} from plugin_grants`.execute(db)
    await db.schema.dropTable('plugin_grants').execute()
    await db.schema.alterTable('plugin_grants_new').renameTo('plugin_grants').execute()
  },
}
