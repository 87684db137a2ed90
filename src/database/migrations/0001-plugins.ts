import { type Kysely, type Migration, sql } from 'kysely'

/** Creates the tables of plugins, their routes, their tables and their storage. */
export const createPluginTables: Migration = {
  async up(db: Kysely<unknown>) {
    await createPlugins(db)
    await createRoutes(db)
    await createTableRegistry(db)
    await createStorage(db)
  },
}

async function createPlugins(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('plugins')
    .addColumn('plugin_id', 'text', (col) => col.primaryKey().notNull())
    .addColumn('name', 'text', (col) => col.notNull().unique())
    .addColumn('version', 'text', (col) => col.notNull())
    .addColumn('description', 'text', (col) => col.notNull().defaultTo(''))
    .addColumn('author', 'text', (col) => col.notNull().defaultTo(''))
    .addColumn('status', 'text', (col) => col.notNull().defaultTo('enabled'))
    .addColumn('quarantined', 'integer', (col) => col.notNull().defaultTo(0))
    .addColumn('capabilities', 'text', (col) => col.notNull().defaultTo('[]'))
    .addColumn('approved_access', 'text', (col) => col.notNull().defaultTo('{}'))
    .addColumn('manifest_hash', 'text', (col) => col.notNull().defaultTo(''))
    .addColumn('date_installed', 'text', (col) => col.notNull())
    .addColumn('date_modified', 'text', (col) => col.notNull())
    .addCheckConstraint('plugins_status', sql`status in ('enabled', 'disabled')`)
    .addCheckConstraint('plugins_quarantined', sql`quarantined in (0, 1)`)
    .modifyEnd(sql`strict`)
    .execute()
  await db.schema.createIndex('plugins_by_status').on('plugins').column('status').execute()
}

async function createRoutes(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('plugin_routes')
    .addColumn('plugin_name', 'text', (col) => col.notNull())
    .addColumn('method', 'text', (col) => col.notNull())
    .addColumn('path', 'text', (col) => col.notNull())
    .addColumn('public', 'integer', (col) => col.notNull().defaultTo(0))
    .addColumn('approved', 'integer', (col) => col.notNull().defaultTo(0))
    .addColumn('approved_at', 'text')
    .addColumn('approved_by', 'text')
    .addColumn('plugin_version', 'text', (col) => col.notNull().defaultTo(''))
    .addColumn('content_hash', 'text', (col) => col.notNull().defaultTo(''))
    .addColumn('created_at', 'text', (col) => col.notNull())
    .addPrimaryKeyConstraint('plugin_routes_key', ['plugin_name', 'method', 'path'])
    .addCheckConstraint('plugin_routes_public', sql`public in (0, 1)`)
    .addCheckConstraint('plugin_routes_approved', sql`approved in (0, 1)`)
    .modifyEnd(sql`strict`)
    .execute()
}

async function createTableRegistry(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('plugin_tables')
    .addColumn('table_name', 'text', (col) => col.primaryKey().notNull().modifyEnd(sql`collate nocase`))
    .addColumn('plugin_name', 'text', (col) => col.notNull())
    .addColumn('columns', 'text', (col) => col.notNull())
    .addColumn('created_at', 'text', (col) => col.notNull())
    .modifyEnd(sql`strict`)
    .execute()
  await db.schema.createIndex('plugin_tables_by_plugin').on('plugin_tables').column('plugin_name').execute()
}

async function createStorage(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('plugin_storage')
    .addColumn('plugin_name', 'text', (col) => col.primaryKey().notNull())
    .addColumn('bytes', 'integer', (col) => col.notNull().defaultTo(0))
    .addColumn('rows', 'integer', (col) => col.notNull().defaultTo(0))
    .addColumn('quota_bytes', 'integer', (col) => col.notNull())
    .modifyEnd(sql`strict`)
    .execute()
}
