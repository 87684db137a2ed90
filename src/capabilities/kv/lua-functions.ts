import { kvLimits, kvLuaLimits } from '../../base/limits/kv.js'
import { encodeKey } from '../../kv/key.js'
import { sharedNamespace } from '../../kv/namespace.js'
import { readInteger } from '../../kv/options.js'
import { showCursor } from '../../kv/range.js'
import { LuaRaise, type LuaValue, Results } from '../../sandbox/lua-value.js'
import { phases } from '../../sandbox/phase.js'
import type { FunctionDefinition, LuaFunctionDoc } from '../define.js'
import { defineKvFunction, type KvLookups, kvPhases, translate } from './bind.js'
import { errorReturned, optionsParam } from './docs.js'
import { readOptions } from './options.js'
import { describe, readKey } from './read-values.js'
import { listPage } from './reading.js'
import { commitSteps, hasChecks } from './writing.js'

const internal = { doc: 'Part of the functions that are written in Lua.', returns: [] } as const
const param = (name: string) => ({ name, type: 'any', optional: true, doc: 'Internal.' }) as const

/** Declares what the Lua part is built on; plugins do not see it. */
export function hiddenFunctions(lookups: KvLookups): readonly FunctionDefinition[] {
  return [
    ...defineKvFunction(lookups, {
      ...internal,
      name: '_page',
      title: 'list',
      params: [param('options'), param('cursor'), param('taken')],
      access: () => ['read'],
      run(use, options, cursor, taken) {
        const page = listPage(use, options, cursor, taken as number)
        return new Results(page.entries, page.cursor)
      },
    }),
    ...defineKvFunction(lookups, {
      ...internal,
      name: '_commit',
      title: 'commit',
      params: [param('steps')],
      cost: 0,
      // A check tells what is there.
      access: (steps) => (hasChecks(steps) ? ['read', 'write'] : ['write']),
      run: (use, steps) => commitSteps(use, steps),
    }),
    plain('_retries', 'transaction', readRetries),
    plain('_cursor', 'list', (key) => showCursor(encodeKey(readKey(key)))),
    plain('_name', 'get', (key) => encodeKey(readKey(key)).toString('base64url')),
    plain('_check_name', 'shared', checkName),
  ]
}

function plain(name: string, title: string, run: (value: LuaValue) => LuaValue): FunctionDefinition {
  return {
    ...internal,
    name,
    title,
    params: [param('value')],
    phases,
    cost: 0,
    mode: 'sync',
    handler(_call, value) {
      try {
        return run(value)
      } catch (error) {
        throw translate(error, title)
      }
    },
  }
}

function readRetries(given: LuaValue): number {
  const { max_retries } = readOptions(given, ['max_retries'])
  const range = { min: 0, max: kvLimits.transactionRetriesMax }
  return readInteger(max_retries, 'max_retries', range, kvLuaLimits.retriesDefault)
}

function checkName(name: LuaValue): undefined {
  if (typeof name !== 'string') throw new LuaRaise(`the name must be a string, not ${describe(name)}`)
  sharedNamespace(name)
}

/** What is written in Lua. */
export const luaFunctionDocs: readonly LuaFunctionDoc[] = [
  {
    name: 'list',
    doc: [
      'Goes through the entries of a range in a `for`, in the order of their keys. They are read in batches as the loop',
      'goes on, and are not a picture of one moment: what is written behind the place where the loop stands is seen, and',
      'what is deleted there is not.',
      '',
      'A failure in the loop raises, as a loop that ends early would look like one that is done. Costs an operation for',
      `each ${kvLuaLimits.entriesPerOperation} entries that are looked at, and one at least for each batch.`,
    ].join('\n'),
    params: [optionsParam('kv.ListOptions?', 'Which entries; all when missing.')],
    returns: [{ luaType: 'kv.List', doc: 'For a `for`; nothing is read before its first step.' }],
    phases: kvPhases,
    example: [
      'for entry in kv.list({ prefix = { "users" }, limit = 50 }) do',
      '  log.info(entry.value.name, { id = entry.key[2] })',
      'end',
    ].join('\n'),
  },
  {
    name: 'atomic',
    doc: [
      'Begins a commit: its checks and mutations are chained, and `commit` applies all of them or none.',
      '',
      `Limits: ${kvLimits.checksMax} checks, ${kvLimits.mutationsMax} mutations, ${kvLimits.commitBytesMax} bytes. A type that`,
      'does not fit (a sum on a string), and a result out of range, give nil and a message, and nothing is written. Costs an',
      'operation for each check and mutation. Inside `db.transaction` it becomes a part of that.',
    ].join('\n'),
    params: [],
    returns: [{ luaType: 'kv.Atomic', doc: 'To be chained.' }],
    phases,
    example: [
      'local stock = assert(kv.get({ "stock", id }))',
      'local result, err = kv.atomic()',
      '  :check(stock)',
      '  :set({ "stock", id }, (stock.value or 0) - 1)',
      '  :enqueue({ id = id }, { queue = "orders" })',
      '  :commit()',
      'if not result then error(err) end',
      'if not result.ok then return { status = 409, json = { error = "somebody was faster" } } end',
    ].join('\n'),
  },
  {
    name: 'transaction',
    doc: [
      'Calls a function that reads and writes through what it gets, and then commits: with a check of each key that it',
      'read, and with what it wrote. Where others wrote one of those keys meanwhile, it is called again. What it raises is',
      'passed on, and nothing is written. Ranges are not checked.',
      '',
      `Limits: ${kvLimits.checksMax} keys read. Costs as the reads and the commit.`,
    ].join('\n'),
    params: [
      { name: 'fn', type: 'function', luaType: 'fun(tx: kv.Transaction): any', doc: 'What to do.' },
      optionsParam('kv.TransactionOptions?', 'How often it is tried.'),
    ],
    returns: [{ luaType: 'kv.TransactionResult?', doc: 'The outcome; nil when it failed.' }, errorReturned],
    phases: kvPhases,
    example: [
      'local result = assert(kv.transaction(function(tx)',
      '  local from = assert(tx:get({ "accounts", "a" })).value',
      '  if from < 10 then error("not enough") end',
      '  tx:set({ "accounts", "a" }, from - 10)',
      '  tx:sum({ "accounts", "b" }, 10)',
      'end))',
    ].join('\n'),
  },
  {
    name: 'shared',
    doc: [
      'Gives a handle for a shared namespace: a table with the functions of this module that use one, and `on_change`.',
      'What they do is looked up in the approvals at every call: declare it as',
      '`kv_access = { <name> = { "read", "write" } }` in `plugin_info`. Without approval they give nil and a message.',
      'Raises for a name that no namespace can have.',
    ].join('\n'),
    params: [
      { name: 'name', type: 'any', luaType: 'string', doc: 'Name of the namespace, without `shared:`.' },
    ],
    returns: [{ luaType: 'kv', doc: 'The handle; it has no `listen`, `shared` and makers of values.' }],
    phases,
    example: ['local settings = kv.shared("settings")', 'local entry, err = settings.get({ "theme" })'].join(
      '\n',
    ),
  },
]
