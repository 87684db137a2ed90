/** Limits of the database connections. */
export const databaseLimits = {
  /** Time a statement of a plugin waits, blocking its executor, for a lock; then it fails with `nil, err`. */
  executorBusyMs: 1000,
  /** Time the HTTP thread goes on trying, on a timer, to get a lock; then DATABASE_BUSY (503). */
  busyRetryMs: 3000,
  /** First pause between two tries for a lock; doubled at each try, half of it random. */
  busyPauseMs: 2,
  /** Longest pause between two tries for a lock. */
  busyPauseMsMax: 100,
  /** Size that the write-ahead log is cut back to at a checkpoint after a burst made it grow beyond. */
  journalBytesMax: 64 * 1024 * 1024,
} as const

/** Limits of what a plugin does with its tables. */
export const dbLimits = {
  /** Characters of a table name (with its prefix) or a column name; longer names are invalid. */
  nameCharactersMax: 64,
  /** Columns of a table, the three injected ones included; more and define_table raises. */
  columnsMax: 64,
  /** Tables of one plugin; more and define_table raises. */
  tablesMax: 100,
  /** Indexes of one table; every write maintains each of them. */
  indexesMax: 16,
  /** Rows of a table that an index can be built on: building one is native work that nothing interrupts. */
  indexedRowsMax: 200_000,
  /** Bytes of the values that an index can be built on, for the same reason; others wait for the write lock so long. */
  indexedBytesMax: 32 * 1024 * 1024,
  /** Bytes of the default of a column. */
  defaultBytesMax: 4096,
  /** Bytes of one value on its way into the database or into a filter; larger gives `nil, err`. */
  valueBytesMax: 1024 * 1024,
  /** Characters and bytes of one result set; a larger one gives `nil, err`. */
  resultBytesMax: 8 * 1024 * 1024,
  /** Rows of a query that names no limit. */
  rowsDefault: 100,
  /** Rows of one query; a larger limit is cut to this. */
  rowsMax: 10_000,
  /** Entries of `columns`, aggregates included. */
  selectColumnsMax: 64,
  /** Columns of `order_by`. */
  orderColumnsMax: 8,
  /** Columns of `group_by`. */
  groupColumnsMax: 8,
  /** Joined tables of one query. */
  joinsMax: 8,
  /** Nesting of AND, OR and NOT in a condition list. */
  conditionDepthMax: 10,
  /** Conditions, AND, OR and NOT of one condition list. */
  conditionNodesMax: 50,
  /** Conditions of all maps of one filter together. */
  mapConditionsMax: 200,
  /** Values of one IN list. */
  inValuesMax: 500,
  /** LIKE conditions of one statement: the deadline is looked at before each, not while it compares. */
  likeConditionsMax: 8,
  /** Bytes of a LIKE pattern; comparing takes its length times that of the text. */
  likePatternBytesMax: 128,
  /** Wildcards (% and _) of a LIKE pattern. */
  likeWildcardsMax: 16,
  /** Rows of one insert_many. */
  insertRowsMax: 1000,
  /** Rows of one batch of insert_many; each batch costs one operation. */
  batchRowsMax: 100,
  /** Values of one batch of insert_many, all rows together. */
  batchValuesMax: 999,
  /** Rows that a statement may look at when it sorts, groups or removes duplicates; then it is stopped. */
  sortedRowsMax: 100_000,
  /** Time a transaction may last from its begin; then it is rolled back. Others wait for its lock so long. */
  transactionMs: 500,
  /** Time one writing statement may take outside a transaction; then it is stopped and undone. */
  writeStatementMs: 500,
  /** Bytes that each row counts for beside its values, so that empty rows are not free. */
  rowOverheadBytes: 64,
  /** Prepared statements kept on one connection; the least recently used one is dropped. */
  statementsMax: 256,
  /** Generations whose tables one connection remembers; the least recently used one is dropped. */
  ownersMax: 64,
} as const
