import { dbLimits } from '../../base/limits/database.js'
import type { FunctionDefinition } from '../define.js'
import { defineDatabaseFunction, nothingReturned, tableParam } from './bind.js'
import { defineTable } from './define-table.js'
import { createIndex } from './indexes.js'
import { insertMany } from './insert-many.js'
import type { SessionLookup } from './session.js'
import { upsert } from './upsert.js'
import { insert, remove, update } from './writes.js'

/** Declares the functions that change rows. */
export function writeFunctions(sessions: SessionLookup): readonly FunctionDefinition[] {
  return [
    defineDatabaseFunction(sessions, {
      name: 'insert',
      doc: [
        'Inserts one row. `id` (a ULID), `created_at` and `updated_at` are filled in unless they are given.',
        'A boolean column takes true, false, 1 or 0 and gives 1 or 0; a json column takes a table or a string and',
        `gives the stored text. \`db.null\` writes NULL. Limit: ${dbLimits.valueBytesMax} bytes a value.`,
      ].join('\n'),
      params: [
        tableParam,
        { name: 'values', type: 'table', luaType: 'table<string, any>', doc: 'Values by column.' },
      ],
      returns: nothingReturned,
      example: 'local _, err = db.insert("tasks", { title = "Write docs", done = false })',
      run: (use, table, values) => void insert(use, table as string, values),
    }),
    insertManyFunction(sessions),
    upsertFunction(sessions),
    defineDatabaseFunction(sessions, {
      name: 'update',
      doc: [
        'Changes the rows that the filter selects; `updated_at` is set unless it is given. Raises without `set` or',
        'without a filter, so that a filter whose only field is nil never changes every row.',
      ].join('\n'),
      params: [
        tableParam,
        { name: 'options', type: 'table', luaType: 'db.UpdateOptions', doc: 'What and which.' },
      ],
      returns: nothingReturned,
      example: 'db.update("tasks", { set = { done = true }, where = { id = id } })',
      run: (use, table, options) => void update(use, table as string, options),
    }),
    defineDatabaseFunction(sessions, {
      name: 'delete',
      doc: 'Removes the rows that the filter selects. Raises without a filter.',
      params: [
        tableParam,
        { name: 'options', type: 'table', luaType: 'db.DeleteOptions', doc: 'Which rows.' },
      ],
      returns: nothingReturned,
      example: 'db.delete("tasks", { where = { id = id } })',
      run: (use, table, options) => void remove(use, table as string, options),
    }),
  ]
}

function insertManyFunction(sessions: SessionLookup): FunctionDefinition {
  return defineDatabaseFunction(sessions, {
    name: 'insert_many',
    doc: [
      'Inserts rows, all or none. `id`, `created_at` and `updated_at` are filled in unless they are columns of the',
      `list. Write \`db.null\` where a value is missing. At most ${dbLimits.insertRowsMax} rows.`,
      '',
      `Costs one operation for each batch of ${dbLimits.batchRowsMax} rows, or less when the rows are wide.`,
    ].join('\n'),
    params: [
      tableParam,
      { name: 'columns', type: 'table', luaType: 'string[]', doc: 'Names of the columns.' },
      { name: 'rows', type: 'table', luaType: 'any[][]', doc: 'One list of values for each row.' },
    ],
    returns: nothingReturned,
    cost: 0,
    example: 'db.insert_many("tags", { "name", "color" }, { { "a", "red" }, { "b", db.null } })',
    run: (use, table, columns, rows) => void insertMany(use, table as string, columns, rows),
  })
}

function upsertFunction(sessions: SessionLookup): FunctionDefinition {
  return defineDatabaseFunction(sessions, {
    name: 'upsert',
    doc: [
      'Inserts a row, or changes the one with the same values in the conflict columns, which need a unique index.',
      'Without `update` all given values but the conflict columns are set. `id` and `created_at` are made for a row',
      'that is inserted and never change for one that exists; `updated_at` is set in both cases. Raises without',
      '`values` or `conflict_columns`.',
    ].join('\n'),
    params: [
      tableParam,
      { name: 'options', type: 'table', luaType: 'db.UpsertOptions', doc: 'The row and its key.' },
    ],
    returns: nothingReturned,
    example:
      'db.upsert("settings", { values = { name = "theme", value = "dark" }, conflict_columns = { "name" } })',
    run: (use, table, options) => void upsert(use, table as string, options),
  })
}

/** Declares the functions that change the schema. */
export function schemaFunctions(sessions: SessionLookup): readonly FunctionDefinition[] {
  return [
    defineDatabaseFunction(sessions, {
      name: 'define_table',
      doc: [
        'Creates a table of this plugin, or checks the one that is there; usually in `on_init`. `id`, `created_at`',
        'and `updated_at` are added to every table. A table that exists is never altered: columns by which it differs',
        'are reported to the operator as schema drift. Raises for every failure. Costs no operation.',
        '',
        `Limits: ${dbLimits.columnsMax} columns, ${dbLimits.indexesMax} indexes, ${dbLimits.tablesMax} tables of a plugin.`,
      ].join('\n'),
      params: [
        { ...tableParam, doc: 'Short name, unique within the plugin.' },
        {
          name: 'definition',
          type: 'table',
          luaType: 'db.TableDefinition',
          doc: 'Columns, indexes, foreign keys.',
        },
      ],
      returns: [],
      cost: 0,
      example: [
        'db.define_table("tasks", {',
        '  columns = {',
        '    { name = "title", type = "text", not_null = true },',
        '    { name = "done", type = "boolean", default = 0 },',
        '  },',
        '  indexes = { { columns = { "done" } } },',
        '})',
      ].join('\n'),
      run: (use, table, definition) => void defineTable(use, table as string, definition),
    }),
    defineDatabaseFunction(sessions, {
      name: 'create_index',
      doc: [
        'Creates an index unless the table has the same one.',
        `Only while the table has at most ${dbLimits.indexedRowsMax} rows.`,
      ].join('\n'),
      params: [
        tableParam,
        { name: 'options', type: 'table', luaType: 'db.IndexDefinition', doc: 'Its columns.' },
      ],
      returns: nothingReturned,
      example: 'db.create_index("tasks", { columns = { "status", "created_at" } })',
      run: (use, table, options) => void createIndex(use, table as string, options),
    }),
  ]
}
