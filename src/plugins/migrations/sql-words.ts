const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/))

/** Functions that may be stored in a table or an index, where they run at each write: each takes little time. */
export const storedFunctions: ReadonlySet<string> = words(`
  abs coalesce date datetime ifnull iif if instr julianday length likelihood likely lower ltrim max min nullif
  octet_length round rtrim sign strftime substr substring time trim typeof unixepoch unlikely upper
  json json_array_length json_extract json_type json_valid`)

/** Functions that statements of a migration may call. None reads a file, loads code or looks at the connection. */
export const allowedFunctions: ReadonlySet<string> = new Set([
  ...storedFunctions,
  ...words(`
  avg char concat concat_ws count format group_concat hex json_array json_group_array json_group_object json_insert
  json_object json_patch json_quote json_remove json_replace json_set printf quote random randomblob replace
  string_agg sum total unhex unicode ceil ceiling floor mod power
  row_number rank dense_rank percent_rank ntile lag lead first_value last_value nth_value`),
])

/** Functions that SQLite calls for what is written otherwise: LIKE, GLOB, -> and ->>, CURRENT_TIMESTAMP. */
export const operatorFunctions: ReadonlySet<string> = words(
  'like glob -> ->> current_timestamp current_date current_time',
)

/** What may stand before a parenthesis that is no call of a function. */
export const wordsBeforeParenthesis: ReadonlySet<string> = words(`
  in values as and or not on using where select from join exists case when then else between is by having set limit
  offset union all except intersect distinct cast over filter check default key unique conflict partition collate
  escape`)

/** Words with which no plain name can be confused; where a name is expected, they must be quoted. */
export const reservedWords: ReadonlySet<string> = words(`
  add all alter and as between by case check collate commit constraint create cross default delete distinct drop else
  escape except exists foreign from full group having in inner insert intersect into is isnull join left limit natural
  not notnull null on or order outer primary references returning right select set table then to transaction union
  unique update using values when where index`)

/** Words that stand in no migration, with the reason; a column of that name is written in double quotes. */
export const refusedWords: ReadonlyMap<string, string> = new Map([
  ['attach', 'other database files cannot be opened'],
  ['detach', 'other database files cannot be opened'],
  ['pragma', 'settings of the database belong to the host'],
  ['vacuum', 'it rewrites or copies the whole database'],
  ['reindex', 'it works on the whole database'],
  ['analyze', 'it works on the whole database'],
  ['explain', 'it changes nothing'],
  ['savepoint', 'a migration is one transaction, which the host begins and ends'],
  ['release', 'a migration is one transaction, which the host begins and ends'],
  ['rollback', 'a migration is one transaction, which the host begins and ends'],
  ['commit', 'a migration is one transaction, which the host begins and ends'],
  ['transaction', 'a migration is one transaction, which the host begins and ends'],
  ['with', 'common table expressions may never end; use a subquery in FROM'],
  ['recursive', 'common table expressions may never end; use a subquery in FROM'],
  ['temp', 'temporary tables outlive the migration'],
  ['temporary', 'temporary tables outlive the migration'],
  ['virtual', 'virtual tables run code of their own'],
  ['trigger', 'triggers would run later, outside of every check; do it in Lua'],
  ['raise', 'triggers would run later, outside of every check; do it in Lua'],
  ['view', 'views would be read later, outside of every check; use db.query in Lua'],
  ['returning', 'nobody reads what a migration returns'],
  ['autoincrement', 'ids are ULIDs, which grow by themselves'],
  ['generated', 'generated columns are computed outside of every check; write the value'],
  ['without', 'each table needs its row numbers; leave WITHOUT ROWID out'],
  ['deferrable', 'foreign keys are checked at once'],
  ['match', 'it searches virtual tables'],
  ['regexp', 'there are no regular expressions in SQL; use LIKE or GLOB'],
  ['indexed', 'indexes are chosen by the database'],
])
