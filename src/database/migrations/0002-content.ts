import { type CreateTableBuilder, type Kysely, type Migration, sql } from 'kysely'

/** Creates the tables of datatypes, entries, media, and of what was done to them. */
export const createContentTables: Migration = {
  async up(db: Kysely<unknown>) {
    await createDatatypes(db)
    await createContentData(db)
    await createMedia(db)
    await createChangeEvents(db)
  },
}

type Table = CreateTableBuilder<string, string>

/** Starts a table with the columns that every row of content has. Long columns come last: SQLite reads up to them. */
function versioned(db: Kysely<unknown>, name: string): Table {
  return db.schema
    .createTable(name)
    .addColumn('id', 'text', (col) => col.primaryKey().notNull())
    .addColumn('author', 'text', (col) => col.notNull())
    .addColumn('version', 'integer', (col) => col.notNull())
    .addColumn('created_at', 'text', (col) => col.notNull())
    .addColumn('updated_at', 'text', (col) => col.notNull()) as Table
}

/** Indexes end with the id, so that pages are read in the order of the index. */
async function createIndexes(
  db: Kysely<unknown>,
  table: string,
  indexes: readonly (readonly string[])[],
): Promise<void> {
  for (const columns of indexes) {
    const name = `${table}_by_${columns.filter((column) => column !== 'id').join('_')}`
    await db.schema
      .createIndex(name)
      .on(table)
      .columns([...columns])
      .execute()
  }
}

async function createDatatypes(db: Kysely<unknown>): Promise<void> {
  await versioned(db, 'datatypes')
    .addColumn('name', 'text', (col) => col.notNull().unique())
    .addColumn('label', 'text', (col) => col.notNull().defaultTo(''))
    .addColumn('schema', 'text', (col) => col.notNull())
    .modifyEnd(sql`strict`)
    .execute()
  await createIndexes(db, 'datatypes', [
    ['updated_at', 'id'],
    ['created_at', 'id'],
  ])
}

async function createContentData(db: Kysely<unknown>): Promise<void> {
  await versioned(db, 'content_data')
    .addColumn('datatype', 'text', (col) => col.notNull().references('datatypes.name'))
    .addColumn('slug', 'text', (col) => col.notNull().unique())
    .addColumn('title', 'text', (col) => col.notNull())
    .addColumn('status', 'text', (col) => col.notNull())
    .addColumn('published_at', 'text')
    .addColumn('fields', 'text', (col) => col.notNull())
    .addCheckConstraint('content_data_status', sql`status in ('draft', 'published', 'archived')`)
    .modifyEnd(sql`strict`)
    .execute()
  await createIndexes(db, 'content_data', [
    ['updated_at', 'id'],
    ['created_at', 'id'],
    ['title', 'id'],
    ['status', 'updated_at', 'id'],
    ['datatype', 'updated_at', 'id'],
    ['author', 'updated_at', 'id'],
  ])
}

async function createMedia(db: Kysely<unknown>): Promise<void> {
  await versioned(db, 'media')
    .addColumn('name', 'text', (col) => col.notNull())
    .addColumn('mime_type', 'text', (col) => col.notNull())
    .addColumn('bytes', 'integer', (col) => col.notNull())
    .addColumn('alt', 'text', (col) => col.notNull().defaultTo(''))
    .addColumn('url', 'text', (col) => col.notNull())
    .addCheckConstraint('media_bytes', sql`bytes >= 0`)
    .modifyEnd(sql`strict`)
    .execute()
  await createIndexes(db, 'media', [
    ['updated_at', 'id'],
    ['created_at', 'id'],
    ['name', 'id'],
    ['mime_type', 'updated_at', 'id'],
    ['author', 'updated_at', 'id'],
  ])
}

async function createChangeEvents(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('change_events')
    .addColumn('id', 'text', (col) => col.primaryKey().notNull())
    .addColumn('table_name', 'text', (col) => col.notNull())
    .addColumn('row_id', 'text', (col) => col.notNull())
    .addColumn('event', 'text', (col) => col.notNull())
    .addColumn('actor', 'text', (col) => col.notNull())
    .addColumn('request_id', 'text', (col) => col.notNull())
    .addColumn('created_at', 'text', (col) => col.notNull())
    .addColumn('before', 'text')
    .addColumn('after', 'text')
    .modifyEnd(sql`strict`)
    .execute()
  await createIndexes(db, 'change_events', [
    ['row_id', 'id'],
    ['table_name', 'id'],
    ['actor', 'id'],
    ['request_id', 'id'],
  ])
}
