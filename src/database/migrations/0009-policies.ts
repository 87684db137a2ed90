import { type Kysely, type Migration, sql } from 'kysely'

/** Policies that admins change, their last versions, and which of them were seeds. */
export const createPolicyTables: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('policies')
      .addColumn('id', 'text', (col) => col.primaryKey())
      .addColumn('version', 'integer', (col) => col.notNull())
      .addColumn('sequence', 'integer', (col) => col.notNull())
      .addColumn('bytes', 'integer', (col) => col.notNull())
      .addColumn('created_at', 'integer', (col) => col.notNull())
      .addColumn('changed_at', 'integer', (col) => col.notNull())
      .addColumn('changed_by', 'text', (col) => col.notNull())
      .addColumn('policy_json', 'text', (col) => col.notNull())
      .addCheckConstraint('policies_version', sql`version >= 1`)
      .modifyEnd(sql`strict`)
      .execute()
    await db.schema.createIndex('policies_sequence').on('policies').column('sequence').execute()
    await db.schema
      .createTable('policy_history')
      .addColumn('sequence', 'integer', (col) => col.primaryKey().autoIncrement())
      .addColumn('policy_id', 'text', (col) => col.notNull())
      .addColumn('version', 'integer', (col) => col.notNull())
      .addColumn('change', 'text', (col) => col.notNull())
      .addColumn('changed_at', 'integer', (col) => col.notNull())
      .addColumn('changed_by', 'text', (col) => col.notNull())
      .addColumn('policy_json', 'text')
      .addUniqueConstraint('policy_history_version', ['policy_id', 'version'])
      .addCheckConstraint(
        'policy_history_change',
        sql`change in ('create', 'replace', 'update', 'delete', 'seed')`,
      )
      .modifyEnd(sql`strict`)
      .execute()
    await db.schema
      .createTable('policy_seeds')
      .addColumn('policy_id', 'text', (col) => col.primaryKey())
      .addColumn('seeded_at', 'integer', (col) => col.notNull())
      .modifyEnd(sql`strict`)
      .execute()
  },
}
