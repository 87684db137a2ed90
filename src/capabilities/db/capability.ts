import { dbLimits } from '../../base/limits/database.js'
import { Results } from '../../sandbox/lua-value.js'
import { type Capability, defineCapability, type FunctionDefinition, type LuaFunctionDoc } from '../define.js'
import { databasePhases, defineDatabaseFunction } from './bind.js'
import { dbClasses } from './class-docs.js'
import { migrationFunction } from './migration-function.js'
import { aggregateMakers, conditionFunctions, valueFunctions } from './operator-functions.js'
import { readFunctions } from './read-functions.js'
import type { SessionLookup } from './session.js'
import { beginTransaction, commitTransaction, rollbackTransaction, transactionLua } from './transaction.js'
import { schemaFunctions, writeFunctions } from './write-functions.js'

/**
 * Creates the Lua module `db`: a plugin's own tables.
 *
 * @param sessions What is kept for connections; shared with the modules that join transactions of `db`.
 */
export function createDbCapability(sessions: SessionLookup): Capability {
  return defineCapability({
    name: 'db',
    doc: [
      "The plugin's own tables. Names are short: the host adds the plugin's prefix and checks that the table belongs",
      'to it. What goes wrong in the database gives `nil, message`; misuse raises. Values are always bound.',
    ].join('\n'),
    functions: [
      ...schemaFunctions(sessions),
      migrationFunction,
      ...readFunctions(sessions),
      ...writeFunctions(sessions),
      ...transactionFunctions(sessions),
      ...conditionFunctions(),
      ...aggregateMakers(),
      ...valueFunctions(),
    ],
    classes: dbClasses,
    constants: [
      {
        name: 'null',
        value: null,
        luaType: 'lightuserdata',
        doc: 'SQL NULL: to write it, and to look for it in a map filter. The same as `json.null`.',
      },
    ],
    lua: transactionLua,
    luaFunctions: [transactionDoc],
  })
}

/** What the Lua side of `db.transaction` is built on; plugins do not see it. */
function transactionFunctions(sessions: SessionLookup): readonly FunctionDefinition[] {
  const internal = { doc: 'Part of `db.transaction`.', params: [], returns: [], cost: 0 }
  return [
    defineDatabaseFunction(sessions, {
      ...internal,
      name: '_begin',
      run({ session, call }) {
        beginTransaction(session, call)
        return true
      },
    }),
    defineDatabaseFunction(sessions, {
      ...internal,
      name: '_commit',
      run({ session, call }) {
        commitTransaction(session, call)
        return true
      },
    }),
    defineDatabaseFunction(sessions, {
      ...internal,
      name: '_rollback',
      run({ session, call }) {
        rollbackTransaction(session, call)
        return new Results()
      },
    }),
  ]
}

const transactionDoc: LuaFunctionDoc = {
  name: 'transaction',
  doc: [
    'Calls a function whose changes are made together or not at all. When the function raises, everything is undone.',
    'A failed call inside gives `nil, err` and undoes nothing by itself: raise to undo. What the',
    'function returns is dropped. Transactions cannot be nested, and nothing that waits may be called inside.',
    '',
    `Lasts ${dbLimits.transactionMs} ms at most, because all other writes wait for it; then it is rolled back and the`,
    'next call in it raises. Costs no operation itself.',
  ].join('\n'),
  params: [{ name: 'fn', type: 'function', luaType: 'fun()', doc: 'What to do.' }],
  returns: [
    { luaType: 'boolean', doc: 'Whether the changes were made.' },
    { luaType: 'string?', doc: 'Why not: what the function raised, or why the commit failed.' },
  ],
  phases: databasePhases,
  example: [
    'local ok, err = db.transaction(function()',
    '  local _, problem = db.insert("orders", order)',
    '  if problem then error(problem) end',
    '  _, problem = db.update("stock", { set = { count = left }, where = { id = id } })',
    '  if problem then error(problem) end',
    'end)',
  ].join('\n'),
}
