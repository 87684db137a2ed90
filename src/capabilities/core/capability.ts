import { coreLimits } from '../../base/limits/content.js'
import { parseJson } from '../../sandbox/json-parser.js'
import { DecodedJson, failure, type LuaValue, type Results } from '../../sandbox/lua-value.js'
import { workPhases } from '../../sandbox/phase.js'
import { errorReturned } from '../db/bind.js'
import { DbFailure } from '../db/failure.js'
import { type Call, defineCapability, type FunctionDefinition, type ParamDoc } from '../define.js'
import { coreClasses } from './class-docs.js'
import { parseCoreDelete, parseCoreInsert, parseCoreSelect, parseCoreUpdate } from './options.js'
import type { CoreAnswer, CoreFunction } from './wire.js'

type Declared = Pick<FunctionDefinition, 'doc' | 'params' | 'returns' | 'example'> & {
  readonly name: CoreFunction
  /** Makes the question from what Lua passed after the table. */
  readonly ask: (table: string, given: LuaValue) => unknown
}

/** Declares a function that is answered by the host: plain failures are `nil, message`, misuse raises. */
function hostFunction({ ask, ...declared }: Declared): FunctionDefinition {
  return {
    ...declared,
    permission: 'core',
    phases: workPhases,
    cost: 1,
    mode: 'async',
    async handler(call: Call, table: LuaValue, given: LuaValue): Promise<LuaValue | Results> {
      try {
        const answer = await call.ask(`core.${declared.name}`, ask(table as string, given))
        return luaValueOf(answer as CoreAnswer)
      } catch (error) {
        if (error instanceof DbFailure) return failure(error.message)
        throw error
      }
    },
  }
}

function luaValueOf(answer: CoreAnswer): LuaValue | Results {
  if (!answer.ok) return failure(answer.message)
  const value = parseJson(answer.json)
  return value === null ? undefined : new DecodedJson(value)
}

const tableParam: ParamDoc = {
  name: 'table',
  type: 'string',
  doc: '`content_data`, `media`, or read-only `datatypes` and `change_events`.',
}

const queryParam: ParamDoc = {
  name: 'options',
  type: 'table',
  optional: true,
  luaType: 'core.QueryOptions?',
  doc: 'What to select; everything when missing.',
}

const readFunctions: readonly FunctionDefinition[] = [
  hostFunction({
    name: 'query',
    doc: [
      'Reads rows. Columns that hold JSON (`fields` of an entry, `schema` of a datatype) are tables.',
      '',
      `Limits: ${coreLimits.rowsDefault} rows unless \`limit\` says otherwise, ${coreLimits.rowsMax} at most, ${coreLimits.resultBytesMax} bytes.`,
      'A filter on a column without an index ends with an error when the table is large. `db.like` is not supported.',
      'Every option is honoured or refused.',
    ].join('\n'),
    params: [tableParam, queryParam],
    returns: [{ luaType: 'core.Row[]?', doc: 'The rows; nil when it failed.' }, errorReturned],
    example:
      'local entries, err = core.query("content_data", { where = { datatype = "article", status = "published" }, order_by = "created_at", desc = true, limit = 10 })',
    ask: (table, options) => parseCoreSelect(table, options, 'query'),
  }),
  hostFunction({
    name: 'query_one',
    doc: 'Reads the first row that `core.query` with the same options would give. Nil without a message means that there is none.',
    params: [tableParam, queryParam],
    returns: [{ luaType: 'core.Row?', doc: 'The row; nil when there is none or it failed.' }, errorReturned],
    example: 'local entry, err = core.query_one("content_data", { where = { slug = "about" } })',
    ask: (table, options) => parseCoreSelect(table, options, 'query_one'),
  }),
  hostFunction({
    name: 'count',
    doc: 'Counts rows; order, page and columns are ignored.',
    params: [tableParam, queryParam],
    returns: [{ luaType: 'integer?', doc: 'The number of rows; nil when it failed.' }, errorReturned],
    example: 'local drafts, err = core.count("content_data", { where = { status = "draft" } })',
    ask: (table, options) => parseCoreSelect(table, options, 'count'),
  }),
  hostFunction({
    name: 'exists',
    doc: 'Tells whether there is a row; takes the options of `core.count`.',
    params: [tableParam, queryParam],
    returns: [{ luaType: 'boolean?', doc: 'Whether there is one; nil when it failed.' }, errorReturned],
    example: 'local taken, err = core.exists("content_data", { where = { slug = slug } })',
    ask: (table, options) => parseCoreSelect(table, options, 'exists'),
  }),
]

const writeFunctions: readonly FunctionDefinition[] = [
  hostFunction({
    name: 'insert',
    doc: [
      'Adds a row. The host sets `id`, `author` (`plugin:<name>`), `version` and the times; the values are checked as',
      'those of a client are, hooks run, and a change event is kept. Raises without values.',
    ].join('\n'),
    params: [
      tableParam,
      { name: 'values', type: 'table', luaType: 'table<string, any>', doc: 'Values by column.' },
    ],
    returns: [{ luaType: 'string?', doc: 'Id of the row; nil when it failed.' }, errorReturned],
    example:
      'local id, err = core.insert("content_data", { datatype = "article", slug = "hello", title = "Hello", fields = { body = text } })',
    ask: (table, values) => parseCoreInsert(table, values),
  }),
  hostFunction({
    name: 'update',
    doc: [
      'Changes rows, one after the other, each with its hooks and a change event; setting `status` publishes or',
      'archives. A column that holds JSON is replaced as a whole. The rows are counted first, and more than',
      `${coreLimits.writeRowsMax} are refused. When a row fails, those before it stay changed and the message tells how many.`,
      'Raises without `set` or without a filter that compares with a value.',
    ].join('\n'),
    params: [
      tableParam,
      { name: 'options', type: 'table', luaType: 'core.UpdateOptions', doc: 'What and which.' },
    ],
    returns: [{ luaType: 'integer?', doc: 'How many were changed; nil when one failed.' }, errorReturned],
    example:
      'local changed, err = core.update("content_data", { set = { status = "archived" }, where = { id = id } })',
    ask: (table, options) => parseCoreUpdate(table, options),
  }),
  hostFunction({
    name: 'delete',
    doc: [
      'Removes rows, one after the other, each with its hooks and a change event; counts, refuses and raises as',
      '`core.update` does.',
    ].join('\n'),
    params: [
      tableParam,
      { name: 'options', type: 'table', luaType: 'core.DeleteOptions', doc: 'Which rows.' },
    ],
    returns: [{ luaType: 'integer?', doc: 'How many were removed; nil when one failed.' }, errorReturned],
    example: 'local removed, err = core.delete("media", { where = { id = db.in_list(ids) } })',
    ask: (table, options) => parseCoreDelete(table, options),
  }),
]

/** The Lua module `core`: tables of the host. */
export const coreCapability = defineCapability({
  name: 'core',
  doc: [
    'Content of the host: entries, media, datatypes and the trail of changes. A plugin asks for a table in `core_access`',
    'of its `plugin_info`, e.g. `core_access = { content_data = { "read", "write" } }`, and an admin approves it; until',
    'then every call gives `nil, message`. Conditions are those of `db`. Writes are checked, run the hooks of plugins and',
    `are recorded; hooks may lead to one another ${coreLimits.hookDepthMax} deep. Every call costs one operation.`,
  ].join('\n'),
  functions: [...readFunctions, ...writeFunctions],
  classes: coreClasses,
})
