/** Tables that are written through hooks. */
export const contentTables = ['datatypes', 'content_data', 'media'] as const

export type ContentTable = (typeof contentTables)[number]

/** Tables that can be read; nobody writes change events but the writer itself. */
export type ReadableTable = ContentTable | 'change_events'

/** How a column is stored: `json` is text that is decoded, and that cannot be compared or sorted by. */
export type ColumnKind = 'text' | 'integer' | 'json'

/** A table as readers know it. */
export interface TableShape {
  /** Every column; rows have them in this order. */
  readonly columns: Readonly<Record<string, ColumnKind>>
  /** Columns that lists can be filtered by: each begins an index. */
  readonly filters: readonly string[]
  /** Columns that lists can be sorted by: each begins an index that ends with the id. */
  readonly sorts: readonly string[]
  /** Order of a list that names none; `-` is descending. */
  readonly defaultSort: string
}

const identity = { id: 'text' } as const
const versioned = { author: 'text', version: 'integer', created_at: 'text', updated_at: 'text' } as const

/** The shapes of all tables of the content. */
export const tableShapes: Readonly<Record<ReadableTable, TableShape>> = {
  datatypes: {
    columns: { ...identity, name: 'text', label: 'text', schema: 'json', ...versioned },
    filters: ['id', 'name'],
    sorts: ['updated_at', 'created_at', 'name', 'id'],
    defaultSort: 'name',
  },
  content_data: {
    columns: {
      ...identity,
      datatype: 'text',
      slug: 'text',
      title: 'text',
      status: 'text',
      published_at: 'text',
      fields: 'json',
      ...versioned,
    },
    filters: ['id', 'datatype', 'slug', 'status', 'author', 'title'],
    sorts: ['updated_at', 'created_at', 'title', 'slug', 'id'],
    defaultSort: '-updated_at',
  },
  media: {
    columns: {
      ...identity,
      name: 'text',
      mime_type: 'text',
      bytes: 'integer',
      alt: 'text',
      url: 'text',
      ...versioned,
    },
    filters: ['id', 'name', 'mime_type', 'author'],
    sorts: ['updated_at', 'created_at', 'name', 'id'],
    defaultSort: '-updated_at',
  },
  change_events: {
    columns: {
      ...identity,
      table_name: 'text',
      row_id: 'text',
      event: 'text',
      actor: 'text',
      request_id: 'text',
      created_at: 'text',
      before: 'json',
      after: 'json',
    },
    filters: ['id', 'table_name', 'row_id', 'actor', 'request_id'],
    sorts: ['id'],
    defaultSort: '-id',
  },
}

/** Tells whether a name is that of a table that can be written. */
export function isContentTable(name: string): name is ContentTable {
  return (contentTables as readonly string[]).includes(name)
}

/** Gives the kind of a column; undefined when the table has none of that name. */
export function columnKind(table: ReadableTable, column: string): ColumnKind | undefined {
  const { columns } = tableShapes[table]
  return Object.hasOwn(columns, column) ? columns[column] : undefined
}
