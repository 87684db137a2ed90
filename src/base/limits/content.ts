/** Limits of content entries, datatypes, media and their HTTP interface. */
export const contentLimits = {
  /** Bytes of a request body; a larger one is answered with 413 INVALID_REQUEST. */
  bodyBytesMax: 512 * 1024,
  /** Characters of the name of a datatype. */
  nameCharactersMax: 64,
  /** Characters of a slug. */
  slugCharactersMax: 128,
  /** Characters of a title, a label or the name of a file. */
  titleCharactersMax: 300,
  /** Characters of the alternative text of a medium. */
  altCharactersMax: 1000,
  /** Characters of the address of a medium. */
  urlCharactersMax: 2048,
  /** Bytes of the fields of one entry, as JSON. */
  fieldsBytesMax: 256 * 1024,
  /** Objects and lists inside each other in the fields of an entry. */
  fieldsDepthMax: 16,
  /** Values in the fields of one entry, objects and lists included. */
  fieldsValuesMax: 10_000,
  /** Bytes of the schema of a datatype, as JSON. */
  schemaBytesMax: 32 * 1024,
  /** Schemas inside each other in the schema of a datatype. */
  schemaDepthMax: 8,
  /** Schemas in the schema of a datatype, itself included: each value of an entry may be held against all of them. */
  schemaNodesMax: 300,
  /** Values of one `enum`. */
  schemaEnumMax: 200,
  /** Schemas that are kept compiled; the least recently used one is dropped. */
  compiledSchemasMax: 100,
  /** Rows of a page that names no limit. */
  pageRowsDefault: 50,
  /** Rows of one page; a larger limit is answered with 400. */
  pageRowsMax: 200,
  /** Bytes of the rows of one page; a page of large rows ends before its limit and has a cursor. */
  pageBytesMax: 4 * 1024 * 1024,
  /** Characters of a cursor. */
  cursorCharactersMax: 2048,
  /** Characters of the value of a filter. */
  filterCharactersMax: 300,
  /** Rows that one read may look at; then it ends with DATABASE_SCAN_TOO_LONG, because the HTTP thread waits for it. */
  scanRowsMax: 50_000,
  /** Time that one read may take, for the same reason. */
  scanMs: 100,
} as const

/** Limits of what plugins do with core tables. */
export const coreLimits = {
  /** Rows of a query that names no limit. */
  rowsDefault: 100,
  /** Rows of one query; a larger limit is cut to this. */
  rowsMax: 1000,
  /** Rows that a query may skip; more gives `nil, err`. */
  offsetMax: 10_000,
  /** Bytes of the rows of one query; more gives `nil, err`. */
  resultBytesMax: 4 * 1024 * 1024,
  /** Values in the conditions of one call; more gives `nil, err`. */
  valuesMax: 1000,
  /** Bytes of the texts in the conditions of one call; more gives `nil, err`. */
  filterBytesMax: 64 * 1024,
  /** A read that takes longer makes its plugin wait before its next one: all reads share the HTTP thread. */
  readMsFree: 2,
  /** How many times as long as such a read that wait is. */
  restFactor: 4,
  /** The longest such wait. */
  restMsMax: 400,
  /** Rows that one update or delete may change; more and none is. */
  writeRowsMax: 100,
  /** Hooks that may lead to one another by writing; one more is refused, so that they cannot go on for ever. */
  hookDepthMax: 3,
} as const
