import { type Kysely, type Migration, sql } from 'kysely'

/** Creates the table of what plugins ask for beside routes, and that of approvals that have ended. */
export const createGrantTables: Migration = {
  async up(db: Kysely<unknown>) {
    await createGrants(db)
    await createWithdrawnApprovals(db)
  },
}

async function createGrants(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('plugin_grants')
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
    .addCheckConstraint('plugin_grants_kind', sql`kind in ('hook', 'domain', 'core')`)
    .addCheckConstraint('plugin_grants_approved', sql`approved in (0, 1)`)
    .modifyEnd(sql`strict`)
    .execute()
}

async function createWithdrawnApprovals(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('plugin_withdrawn_approvals')
    .addColumn('plugin_name', 'text', (col) => col.notNull())
    .addColumn('kind', 'text', (col) => col.notNull())
    .addColumn('key', 'text', (col) => col.notNull())
    .addColumn('plugin_version', 'text', (col) => col.notNull())
    .addColumn('approved_at', 'text', (col) => col.notNull())
    .addColumn('approved_by', 'text', (col) => col.notNull())
    .addColumn('withdrawn_at', 'text', (col) => col.notNull())
    .addPrimaryKeyConstraint('plugin_withdrawn_approvals_key', ['plugin_name', 'kind', 'key'])
    .modifyEnd(sql`strict`)
    .execute()
}
