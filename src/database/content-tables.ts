import type { Generated } from 'kysely'

/** Where an entry is in its life; only published ones are delivered to the public. */
export const contentStatuses = ['draft', 'published', 'archived'] as const

export type ContentStatus = (typeof contentStatuses)[number]

/** What every row of content has; times are RFC 3339 in UTC with milliseconds. */
interface VersionedRow {
  /** ULID, primary key. */
  id: string
  /** Who created the row: name of a user, or `plugin:<name>`. */
  author: string
  /** 1 for a new row; each write adds one. */
  version: number
  created_at: string
  updated_at: string
}

/** A kind of entry. */
export interface DatatypesTable extends VersionedRow {
  /** Unique; what entries refer to. */
  name: string
  label: Generated<string>
  /** JSON Schema that the fields of each entry must satisfy. */
  schema: string
}

/** An entry. */
export interface ContentDataTable extends VersionedRow {
  /** Name of its datatype. */
  datatype: string
  /** Unique; the public address. */
  slug: string
  title: string
  status: ContentStatus
  /** When it was last published; null when it never was. */
  published_at: string | null
  /** JSON object. */
  fields: string
}

/** What is known of a file; the file itself is elsewhere. */
export interface MediaTable extends VersionedRow {
  name: string
  mime_type: string
  bytes: number
  alt: Generated<string>
  url: string
}

/** One thing that was done to a row of content. Rows are only ever added. */
export interface ChangeEventsTable {
  /** ULID, primary key; sorts by time, and in the order of writing within one host. */
  id: string
  table_name: string
  row_id: string
  event: string
  actor: string
  request_id: string
  /** RFC 3339 in UTC with milliseconds. */
  created_at: string
  /** The row as it was, as JSON; null for a new one. */
  before: string | null
  /** The row as it is, as JSON; null for one that was deleted. */
  after: string | null
}

/** The tables of the content, for Kysely. */
export interface ContentTables {
  datatypes: DatatypesTable
  content_data: ContentDataTable
  media: MediaTable
  change_events: ChangeEventsTable
}
