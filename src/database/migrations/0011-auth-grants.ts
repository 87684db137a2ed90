import { type Kysely, type Migration, sql } from 'kysely'

const columns =
  'plugin_name, kind, key, description, approved, approved_at, approved_by, plugin_version, content_hash, created_at'

/** Lets `plugin_grants` hold what plugins ask for whatever its kind: a check would have to be widened for each new one. */
export const openGrantKinds: Migration = {
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
      .addCheckConstraint('plugin_grants_approved', sql`approved in (0, 1)`)
      .modifyEnd(sql`strict`)
      .execute()
    const all = sql.raw(columns)
    await sql`insert into plugin_grants_new (${all}) select ${all} from plugin_grants`.execute(db)
    await db.schema.dropTable('plugin_grants').execute()
    await db.schema.alterTable('plugin_grants_new').renameTo('plugin_grants').execute()
  },
}
