import { dbLimits } from '../../base/limits/database.js'
import type { FunctionDefinition, ParamDoc } from '../define.js'
import { defineDatabaseFunction, errorReturned, tableParam } from './bind.js'
import { selectOne, selectRows } from './execute.js'
import { Parameters } from './plan.js'
import { parseCount, parseSelect } from './select-options.js'
import type { SessionLookup } from './session.js'

const optionsParam: ParamDoc = {
  name: 'options',
  type: 'table',
  optional: true,
  luaType: 'db.QueryOptions?',
  doc: 'What to select; everything when missing.',
}

const countOptionsParam: ParamDoc = {
  name: 'options',
  type: 'table',
  optional: true,
  luaType: 'db.CountOptions?',
  doc: 'Which rows; all when missing.',
}

/** Declares the functions that read. */
export function readFunctions(sessions: SessionLookup): readonly FunctionDefinition[] {
  return [query(sessions), queryOne(sessions), count(sessions), exists(sessions)]
}

function query(sessions: SessionLookup): FunctionDefinition {
  return defineDatabaseFunction(sessions, {
    name: 'query',
    doc: [
      'Reads rows of a table, at most `limit` of them. An empty result is an empty list and encodes as `[]`.',
      'A NULL leaves its key out of the row.',
      '',
      `Limits: ${dbLimits.rowsDefault} rows unless \`limit\` says otherwise, ${dbLimits.rowsMax} at most,`,
      `${dbLimits.resultBytesMax} bytes; sorting, grouping and distinct look at ${dbLimits.sortedRowsMax} rows at most.`,
      'Every option is honoured or refused: an unknown one gives `nil, err`.',
    ].join('\n'),
    params: [tableParam, optionsParam],
    returns: [{ luaType: 'db.Row[]?', doc: 'The rows; nil when it failed.' }, errorReturned],
    example: [
      'local tasks, err = db.query("tasks", {',
      '  where = { done = false, priority = db.gte(2) },',
      '  order_by = { { column = "created_at", desc = true } },',
      '  limit = 20,',
      '})',
    ].join('\n'),
    run(use, table, options) {
      const parameters = new Parameters()
      return selectRows(use, parseSelect(table as string, options, parameters, 'many'), parameters)
    },
  })
}

function queryOne(sessions: SessionLookup): FunctionDefinition {
  return defineDatabaseFunction(sessions, {
    name: 'query_one',
    doc: [
      'Reads the first row that `db.query` with the same options would give; `limit` and `offset` are ignored.',
      'Nil without a message means that there is none.',
    ].join('\n'),
    params: [tableParam, optionsParam],
    returns: [{ luaType: 'db.Row?', doc: 'The row; nil when there is none or it failed.' }, errorReturned],
    example: 'local task = db.query_one("tasks", { where = { id = req.params.id } })',
    run(use, table, options) {
      const parameters = new Parameters()
      return selectOne(use, parseSelect(table as string, options, parameters, 'one'), parameters)
    },
  })
}

function count(sessions: SessionLookup): FunctionDefinition {
  return defineDatabaseFunction(sessions, {
    name: 'count',
    doc: [
      'Counts rows. The options of a query can be passed on: order, page and columns change no count and are',
      'ignored; `group_by`, `having` and `distinct` give `nil, err`.',
    ].join('\n'),
    params: [tableParam, countOptionsParam],
    returns: [{ luaType: 'integer?', doc: 'The number of rows; nil when it failed.' }, errorReturned],
    example: 'local open = db.count("tasks", { where = { done = false } })',
    run(use, table, options) {
      const parameters = new Parameters()
      return selectOne(use, parseCount('count', table as string, options, parameters), parameters)?.count
    },
  })
}

function exists(sessions: SessionLookup): FunctionDefinition {
  return defineDatabaseFunction(sessions, {
    name: 'exists',
    doc: 'Tells whether there is a row; takes the options of `db.count`.',
    params: [tableParam, countOptionsParam],
    returns: [{ luaType: 'boolean?', doc: 'Whether there is one; nil when it failed.' }, errorReturned],
    example: 'if db.exists("categories", { where = { name = name } }) then return end',
    run(use, table, options) {
      const parameters = new Parameters()
      return (
        selectOne(use, parseCount('exists', table as string, options, parameters), parameters) !== undefined
      )
    },
  })
}
