import { type Kysely, type Migration, sql } from 'kysely'

/**
 * What the gateway keeps: rules that admins change while it runs, and an hour of its metrics. Lets `plugin_grants` hold
 * stages and access to the gateway; SQLite changes a check by copying the table.
 */
export const addGateway: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('gateway_metrics_history')
      .addColumn('timestamp', 'integer', (col) => col.primaryKey())
      .addColumn('total_requests', 'integer', (col) => col.notNull())
      .addColumn('blocked_requests', 'integer', (col) => col.notNull())
      .addColumn('allowed_requests', 'integer', (col) => col.notNull())
      .addColumn('active_buckets', 'integer', (col) => col.notNull())
      .modifyEnd(sql`strict`)
      .execute()
    await db.schema
      .createTable('gateway_shell_excludes')
      .addColumn('basename', 'text', (col) => col.primaryKey())
      .addColumn('added_at', 'integer', (col) => col.notNull())
      .addColumn('added_by', 'text', (col) => col.notNull().defaultTo(''))
      .modifyEnd(sql`strict`)
      .execute()
    await db.schema
      .createTable('gateway_cors_rules')
      .addColumn('id', 'text', (col) => col.primaryKey())
      .addColumn('position', 'integer', (col) => col.notNull())
      .addColumn('name', 'text', (col) => col.notNull())
      .addColumn('origins', 'text', (col) => col.notNull())
      .addColumn('methods', 'text', (col) => col.notNull())
      .addColumn('allowed_headers', 'text', (col) => col.notNull())
      .addColumn('exposed_headers', 'text', (col) => col.notNull())
      .addColumn('credentials', 'integer', (col) => col.notNull())
      .addColumn('max_age', 'integer', (col) => col.notNull())
      .addColumn('created_at', 'integer', (col) => col.notNull())
      .modifyEnd(sql`strict`)
      .execute()
    await db.schema
      .createTable('proxy_rules')
      .addColumn('id', 'text', (col) => col.primaryKey())
      .addColumn('rule_order', 'integer', (col) => col.notNull())
      .addColumn('rule_json', 'text', (col) => col.notNull())
      .modifyEnd(sql`strict`)
      .execute()
    await widenGrants(db)
  },
}

async function widenGrants(db: Kysely<unknown>): Promise<void> {
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
    .addCheckConstraint(
      'plugin_grants_kind',
      sql`kind in ('hook', 'domain', 'core', 'kv', 'stage', 'gateway')`,
    )
    .addCheckConstraint('plugin_grants_approved', sql`approved in (0, 1)`)
    .modifyEnd(sql`strict`)
    .execute()
  const columns = sql.raw(
    'plugin_name, kind, key, description, approved, approved_at, approved_by, plugin_version, content_hash, created_at',
  )
  await sql`insert into plugin_grants_new (${columns}) select ${columns} from plugin_grants`.execute(db)
  await db.schema.dropTable('plugin_grants').execute()
  await db.schema.alterTable('plugin_grants_new').renameTo('plugin_grants').execute()
}
