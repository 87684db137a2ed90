import { type TSchema, Type } from '@sinclair/typebox'
import { anyCredential } from '../areas/credentials.js'
import { contentLimits } from '../base/limits/content.js'
import { contentStatuses } from '../database/content-tables.js'
import { columnRules } from './column-rules.js'
import { type ContentTable, isContentTable, type ReadableTable, tableShapes } from './table-catalogue.js'

/** What each column holds, for the OpenAPI document. */
const columnDocs: Readonly<Record<string, string>> = {
  id: 'ULID of the row.',
  author: 'User who created the row, or plugin:<name>.',
  version: 'Grows by one with each write; send it back to notice changes of others.',
  created_at: 'RFC 3339 in UTC.',
  updated_at: 'RFC 3339 in UTC.',
  published_at: 'When it was last published; null when it never was.',
  'datatypes.name': 'Unique; what entries refer to. Cannot be changed.',
  'datatypes.label': 'For people.',
  'datatypes.schema': 'JSON Schema of the fields of its entries; see docs/content.md for the keywords.',
  'content_data.datatype': 'Name of a datatype.',
  'content_data.slug': 'Unique: lower-case letters and digits with single hyphens between them.',
  'content_data.title': `At most ${contentLimits.titleCharactersMax} characters.`,
  'content_data.status': `One of ${contentStatuses.join(', ')}.`,
  'content_data.fields': 'Object that satisfies the schema of the datatype; always written as a whole.',
  'media.name': 'Name of the file.',
  'media.mime_type': 'e.g. image/png.',
  'media.bytes': 'Size of the file.',
  'media.alt': 'Alternative text.',
  'media.url': 'Where the file is: http, https, or a path of this server.',
  'change_events.table_name': 'Table of the row.',
  'change_events.row_id': 'Id of the row.',
  'change_events.event': 'create, update, delete, publish or archive.',
  'change_events.actor': 'User, or plugin:<name>.',
  'change_events.request_id': 'Request that led to it.',
  'change_events.before': 'The row as it was; null for a new one.',
  'change_events.after': 'The row as it is; null for one that was deleted.',
}

function columnSchema(table: ReadableTable, column: string): TSchema {
  const description = columnDocs[`${table}.${column}`] ?? columnDocs[column] ?? ''
  switch (tableShapes[table].columns[column]) {
    case 'integer':
      return Type.Integer({ description })
    case 'json':
      return Type.Unsafe({ description })
    default:
      return column === 'published_at'
        ? Type.Unsafe({ type: ['string', 'null'], description })
        : Type.String({ description })
  }
}

function columnsSchema(table: ReadableTable, columns: readonly string[]): Record<string, TSchema> {
  return Object.fromEntries(columns.map((column) => [column, columnSchema(table, column)]))
}

/** A row as it is answered. */
export function rowSchema(table: ReadableTable): TSchema {
  return Type.Object(columnsSchema(table, Object.keys(tableShapes[table].columns)))
}

/** A published entry as everybody gets it: who wrote it is the name of an account, and stays inside. */
export function deliverySchema(): TSchema {
  const columns = Object.keys(tableShapes.content_data.columns).filter((column) => column !== 'author')
  return Type.Object(columnsSchema('content_data', columns))
}

/** A page of rows. */
export function pageSchema(table: ReadableTable): TSchema {
  return Type.Object({
    items: Type.Array(rowSchema(table)),
    next_cursor: Type.Optional(Type.String({ description: 'Send it as cursor for the next page.' })),
  })
}

/** The query of a list. */
export function listQuerySchema(table: ReadableTable): TSchema {
  const { filters, sorts, defaultSort } = tableShapes[table]
  const given = filters.map((column) => [
    `filter[${column}]`,
    Type.Optional(Type.String({ description: `Rows with this ${column}.` })),
  ])
  const { pageRowsMax, pageRowsDefault } = contentLimits
  return Type.Object({
    ...Object.fromEntries(given),
    sort: Type.Optional(
      Type.String({ description: `One of ${sorts.join(', ')}, with "-" for descending; ${defaultSort}.` }),
    ),
    limit: Type.Optional(
      Type.String({ description: `Rows of the page, at most ${pageRowsMax}; ${pageRowsDefault}.` }),
    ),
    cursor: Type.Optional(Type.String({ description: 'next_cursor of the page before.' })),
  })
}

const versionSchema = Type.Optional(
  Type.Integer({ description: 'Version that the change was made for; 409 when it is another by now.' }),
)

/** The body of a write. */
export function bodySchema(table: ContentTable, kind: 'create' | 'merge' | 'replace'): TSchema {
  const rules = Object.entries(columnRules[table])
  const fields = rules.map(([column, rule]) => {
    const schema = columnSchema(table, column)
    const isOptional = kind === 'merge' || rule.initial !== undefined || (kind === 'replace' && rule.isFixed)
    return [column, isOptional ? Type.Optional(schema) : schema]
  })
  const version = kind === 'create' ? {} : { version: versionSchema }
  return Type.Object({ ...Object.fromEntries(fields), ...version }, { additionalProperties: false })
}

/** The one envelope of every failure. */
export const failureSchema = Type.Object({
  error: Type.Object({
    code: Type.String({ description: 'Stable and machine-readable.' }),
    message: Type.String({ description: 'A sentence for a person.' }),
    request_id: Type.Optional(Type.String({ description: "Finds the line in the server's log." })),
  }),
})

/** What one operation says of itself. */
export interface ContentOperation {
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  readonly isPublic?: true
  readonly params?: readonly string[]
  readonly querystring?: TSchema
  readonly body?: TSchema
  /** Answers by status. */
  readonly answers: Readonly<Record<number, TSchema>>
  readonly failures: readonly number[]
}

/** Makes the Fastify schema of an operation. */
export function operationSchema(operation: ContentOperation): Record<string, unknown> {
  const { isPublic, params, answers, failures, ...rest } = operation
  const all = [...failures, ...(isPublic === true ? [] : [401, 403]), 500, 503]
  return {
    ...rest,
    tags: ['content'],
    security: isPublic === true ? [] : anyCredential,
    ...(params === undefined
      ? {}
      : { params: Type.Object(Object.fromEntries(params.map((name) => [name, Type.String()]))) }),
    response: { ...answers, ...Object.fromEntries(all.map((status) => [status, failureSchema])) },
  }
}

/** Singular and plural of a table, for the names of operations. */
export function operationNames(table: ReadableTable): { readonly one: string; readonly many: string } {
  const names = {
    datatypes: { one: 'Datatype', many: 'Datatypes' },
    content_data: { one: 'Entry', many: 'Entries' },
    media: { one: 'Medium', many: 'Media' },
    change_events: { one: 'ChangeEvent', many: 'ChangeEvents' },
  } as const
  return names[table]
}

/** Tables in the order of the document, and whether they can be written. */
export const routedTables: readonly { readonly table: ReadableTable; readonly isWritable: boolean }[] =
  Object.keys(tableShapes).map((table) => ({
    table: table as ReadableTable,
    isWritable: isContentTable(table),
  }))
