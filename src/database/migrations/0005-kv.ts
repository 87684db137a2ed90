import { type Kysely, type Migration, sql } from 'kysely'

/** Creates the tables of the key-value store: entries, changes for watchers, queues, search indexes. */
export const createKvTables: Migration = {
  async up(db: Kysely<unknown>) {
    await createNamespaces(db)
    await createEntries(db)
    await createChanges(db)
    await createMessages(db)
    await createDeadLetters(db)
    await createTriggers(db)
    await createIndexes(db)
  },
}

async function createNamespaces(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('kv_namespaces')
    .addColumn('id', 'integer', (col) => col.primaryKey())
    .addColumn('name', 'text', (col) => col.notNull().unique())
    .addColumn('versionstamp', 'integer', (col) => col.notNull().defaultTo(0))
    .addColumn('entries', 'integer', (col) => col.notNull().defaultTo(0))
    .addColumn('bytes', 'integer', (col) => col.notNull().defaultTo(0))
    .addColumn('changes_from', 'integer', (col) => col.notNull().defaultTo(0))
    .addColumn('changes_bytes', 'integer', (col) => col.notNull().defaultTo(0))
    .addColumn('messages', 'integer', (col) => col.notNull().defaultTo(0))
    .addColumn('observers_version', 'integer', (col) => col.notNull().defaultTo(0))
    .addColumn('created_at', 'integer', (col) => col.notNull())
    .modifyEnd(sql`strict`)
    .execute()
}

async function createEntries(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('kv_entries')
    .addColumn('namespace', 'integer', (col) => col.notNull())
    .addColumn('key', 'blob', (col) => col.notNull())
    .addColumn('kind', 'integer', (col) => col.notNull())
    .addColumn('value', sql`any`, (col) => col.notNull())
    .addColumn('versionstamp', 'integer', (col) => col.notNull())
    .addColumn('expires_at', 'integer')
    .addPrimaryKeyConstraint('kv_entries_key', ['namespace', 'key'])
    // An entry is found, and its neighbours listed, without a second look-up by row id.
    .modifyEnd(sql`strict, without rowid`)
    .execute()
  await db.schema
    .createIndex('kv_entries_expiry')
    .on('kv_entries')
    .column('expires_at')
    .where(sql.ref('expires_at'), 'is not', null)
    .execute()
}

async function createChanges(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('kv_changes')
    .addColumn('namespace', 'integer', (col) => col.notNull())
    .addColumn('versionstamp', 'integer', (col) => col.notNull())
    .addColumn('ordinal', 'integer', (col) => col.notNull())
    .addColumn('key', 'blob', (col) => col.notNull())
    // Null where the entry was deleted or expired.
    .addColumn('kind', 'integer')
    .addColumn('value', sql`any`)
    .addPrimaryKeyConstraint('kv_changes_key', ['namespace', 'versionstamp', 'ordinal'])
    .modifyEnd(sql`strict, without rowid`)
    .execute()
}

async function createMessages(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('kv_messages')
    .addColumn('id', 'integer', (col) => col.primaryKey().autoIncrement())
    .addColumn('namespace', 'integer', (col) => col.notNull())
    .addColumn('queue', 'text', (col) => col.notNull())
    .addColumn('kind', 'integer', (col) => col.notNull())
    // When it may be given out: for a leased message that is the end of the lease.
    .addColumn('due_at', 'integer', (col) => col.notNull())
    .addColumn('attempts', 'integer', (col) => col.notNull().defaultTo(0))
    .addColumn('lease', 'text')
    .addColumn('backoff', 'text', (col) => col.notNull())
    .addColumn('fallback_keys', 'text', (col) => col.notNull())
    .addColumn('error', 'text', (col) => col.notNull().defaultTo(''))
    .addColumn('bytes', 'integer', (col) => col.notNull())
    .addColumn('created_at', 'integer', (col) => col.notNull())
    // Last, so that what is asked for without the value is found before its pages.
    .addColumn('value', sql`any`, (col) => col.notNull())
    .modifyEnd(sql`strict`)
    .execute()
  await db.schema
    .createIndex('kv_messages_due')
    .on('kv_messages')
    .columns(['namespace', 'queue', 'due_at', 'id'])
    .execute()
  // Those that are being worked on are few, and counted often.
  await db.schema
    .createIndex('kv_messages_leased')
    .on('kv_messages')
    .columns(['namespace', 'queue', 'due_at'])
    .where(sql.ref('lease'), 'is not', null)
    .execute()
}

async function createDeadLetters(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('kv_dead_letters')
    .addColumn('id', 'integer', (col) => col.primaryKey().autoIncrement())
    .addColumn('namespace', 'integer', (col) => col.notNull())
    .addColumn('queue', 'text', (col) => col.notNull())
    .addColumn('message_id', 'integer', (col) => col.notNull())
    .addColumn('kind', 'integer', (col) => col.notNull())
    .addColumn('attempts', 'integer', (col) => col.notNull())
    .addColumn('backoff', 'text', (col) => col.notNull())
    .addColumn('fallback_keys', 'text', (col) => col.notNull())
    .addColumn('error', 'text', (col) => col.notNull())
    .addColumn('bytes', 'integer', (col) => col.notNull())
    .addColumn('created_at', 'integer', (col) => col.notNull())
    .addColumn('failed_at', 'integer', (col) => col.notNull())
    .addColumn('value', sql`any`, (col) => col.notNull())
    .modifyEnd(sql`strict`)
    .execute()
  await db.schema
    .createIndex('kv_dead_letters_namespace')
    .on('kv_dead_letters')
    .columns(['namespace', 'id'])
    .execute()
  await db.schema
    .createIndex('kv_dead_letters_queue')
    .on('kv_dead_letters')
    .columns(['namespace', 'queue', 'id'])
    .execute()
  await db.schema.createIndex('kv_dead_letters_age').on('kv_dead_letters').column('failed_at').execute()
}

async function createTriggers(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('kv_triggers')
    .addColumn('namespace', 'integer', (col) => col.notNull())
    .addColumn('plugin', 'text', (col) => col.notNull())
    // Of the plugin's own namespace, where its changes wait for it.
    .addColumn('queue', 'text', (col) => col.notNull())
    .addColumn('prefix', 'blob', (col) => col.notNull())
    .addPrimaryKeyConstraint('kv_triggers_key', ['namespace', 'plugin', 'queue'])
    .modifyEnd(sql`strict, without rowid`)
    .execute()
}

async function createIndexes(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('kv_indexes')
    .addColumn('id', 'integer', (col) => col.primaryKey().autoIncrement())
    .addColumn('namespace', 'integer', (col) => col.notNull())
    .addColumn('prefix', 'blob', (col) => col.notNull())
    .addColumn('fields', 'text', (col) => col.notNull())
    .addColumn('tokenizer', 'text', (col) => col.notNull())
    // How far existing entries have been taken in; null when all have.
    .addColumn('backfill_from', 'blob')
    // Set once it is removed: its documents are deleted bit by bit, and then it is.
    .addColumn('removed_at', 'integer')
    .addColumn('created_at', 'integer', (col) => col.notNull())
    .modifyEnd(sql`strict`)
    .execute()
  await db.schema
    .createIndex('kv_indexes_prefix')
    .unique()
    .on('kv_indexes')
    .columns(['namespace', 'prefix'])
    .where(sql.ref('removed_at'), 'is', null)
    .execute()
  await db.schema
    .createTable('kv_documents')
    // The row of the text in the table of the index.
    .addColumn('id', 'integer', (col) => col.primaryKey().autoIncrement())
    .addColumn('index_id', 'integer', (col) => col.notNull())
    .addColumn('key', 'blob', (col) => col.notNull())
    // As quotas count them.
    .addColumn('bytes', 'integer', (col) => col.notNull())
    .addUniqueConstraint('kv_documents_key', ['index_id', 'key'])
    .modifyEnd(sql`strict`)
    .execute()
}
