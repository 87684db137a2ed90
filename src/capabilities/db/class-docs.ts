import { dbLimits } from '../../base/limits/database.js'
import type { ClassDoc } from '../define.js'

type FieldDoc = ClassDoc['fields'][number]

const where: FieldDoc = {
  name: 'where',
  luaType: 'table<string, db.Value|db.Condition>|db.ConditionList?',
  doc: [
    'A map `{ column = value }` or a list of conditions such as `{ "column", ">=", 3 }`; all must hold.',
    'A field that is nil does not exist: use `db.null` to look for NULL. A plain table is never an operator.',
  ].join(' '),
}

const whereOr: FieldDoc = {
  name: 'where_or',
  luaType: 'table[]?',
  doc: 'Filters of which one must hold, beside `where`; empty ones are skipped.',
}

const joins: FieldDoc = {
  name: 'joins',
  luaType: 'db.Join[]?',
  doc: `Other tables of this plugin, ${dbLimits.joinsMax} at most. Write \`table.column\` where a name is in both.`,
}

const fields = (...rows: readonly (readonly [name: string, luaType: string, doc: string])[]): FieldDoc[] =>
  rows.map(([name, luaType, doc]) => ({ name, luaType, doc }))

/** The shapes of the arguments and results of the module. */
export const dbClasses: readonly ClassDoc[] = [
  {
    name: 'db.QueryOptions',
    doc: 'What `db.query` and `db.query_one` select.',
    fields: [
      where,
      whereOr,
      joins,
      ...fields(
        [
          'columns',
          '(string|db.Aggregate)[]?',
          'Columns and aggregates; all columns when missing. Of joined tables, a key that is taken becomes `table.column`.',
        ],
        [
          'order_by',
          'string|db.OrderTerm[]?',
          'One column, or a list of terms; also an alias of an aggregate.',
        ],
        ['desc', 'boolean?', 'Direction when `order_by` is one column.'],
        ['group_by', 'string[]?', 'Columns to group by.'],
        [
          'having',
          'table?',
          'Filter of groups, in either style; needs `group_by`. Names may be aliases of aggregates.',
        ],
        ['distinct', 'boolean?', 'Leaves out rows that are there already.'],
        [
          'limit',
          'integer?',
          `Rows at most; ${dbLimits.rowsDefault} when missing or not positive, ${dbLimits.rowsMax} at most.`,
        ],
        ['offset', 'integer?', 'Rows to skip.'],
      ),
    ],
  },
  {
    name: 'db.CountOptions',
    doc: 'Which rows `db.count` and `db.exists` look at.',
    fields: [where, whereOr, joins],
  },
  {
    name: 'db.UpdateOptions',
    doc: 'What `db.update` changes.',
    fields: [
      ...fields(['set', 'table<string, any>', 'New values by column; `db.null` writes NULL.']),
      where,
      whereOr,
    ],
  },
  { name: 'db.DeleteOptions', doc: 'Which rows `db.delete` removes.', fields: [where, whereOr] },
  {
    name: 'db.UpsertOptions',
    doc: 'The row of `db.upsert`.',
    fields: fields(
      ['values', 'table<string, any>', 'Values by column.'],
      ['conflict_columns', 'string[]', 'Columns of a unique index, all of them in `values`.'],
      ['update', 'table<string, any>?', 'What an existing row changes to; the other values when missing.'],
      ['do_nothing', 'boolean?', 'Leaves an existing row as it is.'],
    ),
  },
  {
    name: 'db.Join',
    doc: 'A joined table.',
    fields: fields(
      ['type', '"inner"|"left"|"right"|nil', 'Inner when missing.'],
      ['table', 'string', 'Short name of a table of this plugin.'],
      ['local_col', 'string', 'Column of the queried table, or `table.column`.'],
      ['foreign_col', 'string', 'Column of the joined table.'],
    ),
  },
  {
    name: 'db.OrderTerm',
    doc: 'One column of an order.',
    fields: fields(
      ['column', 'string', 'Column or alias.'],
      ['desc', 'boolean?', 'Largest first; smallest when missing.'],
    ),
  },
  {
    name: 'db.TableDefinition',
    doc: 'A table, without the columns that every table has.',
    fields: fields(
      ['columns', 'db.ColumnDefinition[]', 'At least one.'],
      ['indexes', 'db.IndexDefinition[]?', 'Indexes beside those of unique columns and foreign keys.'],
      ['foreign_keys', 'db.ForeignKeyDefinition[]?', 'References to tables of this plugin.'],
    ),
  },
  {
    name: 'db.ColumnDefinition',
    doc: 'A column of a table.',
    fields: fields(
      ['name', 'string', 'Letters, digits and `_`; no SQL keyword.'],
      ['type', '"text"|"integer"|"real"|"blob"|"boolean"|"timestamp"|"json"', 'What it holds.'],
      ['not_null', 'boolean?', 'Refuses NULL.'],
      ['unique', 'boolean?', 'Refuses a value that another row has.'],
      [
        'default',
        'string|number|boolean|nil',
        'Value of a row that gives none; none when missing or the empty text.',
      ],
    ),
  },
  {
    name: 'db.IndexDefinition',
    doc: 'An index.',
    fields: fields(['columns', 'string[]', 'In order.'], ['unique', 'boolean?', 'Refuses equal values.']),
  },
  {
    name: 'db.ForeignKeyDefinition',
    doc: 'A reference to a row of a table of this plugin.',
    fields: fields(
      ['column', 'string', 'Column that refers.'],
      ['ref_table', 'string', 'Short name, or `plugin_<plugin>_<table>`; defined before.'],
      ['ref_column', 'string', 'A unique column there, usually `id`.'],
      [
        'on_delete',
        '"CASCADE"|"SET NULL"|"RESTRICT"|nil',
        'What happens when that row goes; refused when missing.',
      ],
    ),
  },
  {
    name: 'db.Migration',
    doc: 'A change of the tables in SQL.',
    fields: fields(
      ['version', 'integer|string', 'Number of at most 15 digits, e.g. `20260131120000`.'],
      ['description', 'string', 'What it does.'],
      ['up', 'string', 'SQL that is run.'],
      ['down', 'string?', 'SQL that undoes it; without it the change stays.'],
    ),
  },
  {
    name: 'db.MigrationSql',
    doc: 'The SQL of a migration.',
    fields: fields(
      ['up', 'string', 'What is run.'],
      ['down', 'string?', 'What undoes it; without it the change stays.'],
    ),
  },
  {
    name: 'db.Row',
    doc: 'A row: values by column. Booleans are 1 or 0, json and timestamps are text, NULL has no key.',
    fields: fields(['[string]', 'any', 'Value of the column, alias or `table.column` of that name.']),
  },
  {
    name: 'db.Condition',
    doc: 'An operator with its value; only the functions of this module make one.',
    fields: [],
  },
  { name: 'db.Aggregate', doc: 'A summary of rows; only the functions of this module make one.', fields: [] },
  {
    name: 'db.ConditionList',
    doc: `Conditions that must all hold: \`{ "column", op, value }\`, \`{ "AND", { ... } }\`, \`{ "OR", { ... } }\`, \`{ "NOT", c }\`; ${dbLimits.conditionDepthMax} deep, ${dbLimits.conditionNodesMax} in all. Operators: = <> != > < >= <= LIKE, IN, BETWEEN, IS NULL, IS NOT NULL.`,
    alias: 'table',
    fields: [],
  },
  {
    name: 'db.Value',
    doc: 'A string, a number, a boolean or `db.null`.',
    alias: 'string|number|boolean|lightuserdata',
    fields: [],
  },
]
