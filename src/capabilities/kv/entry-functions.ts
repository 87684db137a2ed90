import { kvLimits, kvLuaLimits } from '../../base/limits/kv.js'
import type { LuaObject, LuaValue } from '../../sandbox/lua-value.js'
import type { FunctionDefinition } from '../define.js'
import type { Access } from './access.js'
import { defineKvFunction, type KvFunction, type KvLookups } from './bind.js'
import { errorReturned, keyParam, optionsParam, prefixParam, valueLimits } from './docs.js'
import { readKeys } from './read-values.js'
import { countEntries, getEntries, getEntry, readOnePage } from './reading.js'
import { deleteEntries, setEntry } from './writing.js'

const reads = (): readonly Access[] => ['read']
const writes = (): readonly Access[] => ['write']

/** Declares the functions that read and write entries. */
export function entryFunctions(lookups: KvLookups): readonly FunctionDefinition[] {
  return [get, getMany, set, remove, paginate, count].flatMap((fn) => defineKvFunction(lookups, fn))
}

const get: KvFunction = {
  name: 'get',
  doc: [
    'Reads an entry. Where there is none, or it has expired, the table has neither value nor versionstamp, so that it',
    'can be handed to `check` of an atomic commit in any case.',
    '',
    'Raises for what is no key. Costs an operation.',
  ].join('\n'),
  params: [keyParam],
  returns: [{ luaType: 'kv.Entry?', doc: 'The entry; nil when it failed.' }, errorReturned],
  example: [
    'local entry, err = kv.get({ "users", 42 })',
    'if not entry then error(err) end',
    'local name = entry.value and entry.value.name',
  ].join('\n'),
  access: reads,
  run: (use, key) => getEntry(use, key),
}

const getMany: KvFunction = {
  name: 'get_many',
  doc: [
    'Reads several entries at one moment.',
    '',
    `Limits: ${kvLimits.keysMax} keys, ${kvLimits.pageBytesMax} bytes of values. Costs an operation for each key.`,
  ].join('\n'),
  params: [{ name: 'keys', type: 'any', luaType: 'kv.Key[]', doc: 'Where the entries are.' }],
  returns: [
    { luaType: 'kv.Entry[]?', doc: 'The entries in the order of the keys; nil when it failed.' },
    errorReturned,
  ],
  example: 'local pair = assert(kv.get_many({ { "accounts", from }, { "accounts", to } }))',
  cost: 0,
  access: reads,
  run: (use, keys) => getEntries(use, readKeys(keys, 'keys')),
}

const set: KvFunction = {
  name: 'set',
  doc: [
    'Writes an entry, in place of one that is there. Its time to live ends with `expires_in`, and without it never: a',
    'new value does not go on with the time of the old one.',
    '',
    valueLimits,
  ].join('\n'),
  params: [
    keyParam,
    { name: 'value', type: 'any', luaType: 'kv.Value', doc: 'What to store.' },
    optionsParam('kv.SetOptions?', 'How long it stays; for ever when missing.'),
  ],
  returns: [{ luaType: 'kv.SetResult?', doc: 'The versionstamp; nil when it failed.' }, errorReturned],
  example: 'local ok, err = kv.set({ "sessions", id }, { user = 42 }, { expires_in = 30 * 60 * 1000 })',
  access: writes,
  run: (use, key, value, options) => setEntry(use, key, value, options),
}

const remove: KvFunction = {
  name: 'delete',
  doc: [
    'Deletes the entry at a key; with `exact = false` the entry and everything below it, and with `{}` everything. With',
    '`where` only entries whose value matches.',
    '',
    `More than ${kvLuaLimits.deleteEntries} entries go in several commits: a call that is stopped has deleted a part.`,
    `Costs an operation; with \`exact = false\` or \`where\` one more for each ${kvLuaLimits.deleteEntries} entries that go,`,
    `and for each ${kvLuaLimits.entriesPerOperation} that are looked at beyond the first.`,
  ].join('\n'),
  params: [keyParam, optionsParam('kv.DeleteOptions?', 'What to delete; only the key when missing.')],
  returns: [
    { luaType: 'integer?', doc: 'How many entries there were and are gone; nil when it failed.' },
    errorReturned,
  ],
  example: [
    'kv.delete({ "sessions", id })',
    'local gone = kv.delete({ "users", 42 }, { exact = false })',
  ].join('\n'),
  access: (_key, options) => (hasWhere(options) ? ['read', 'write'] : ['write']),
  run: (use, key, options) => deleteEntries(use, key, options),
}

function hasWhere(options: LuaValue): boolean {
  return typeof options === 'object' && options !== null && 'where' in options
}

const paginate: KvFunction = {
  name: 'paginate',
  doc: [
    'Reads one page of a range, for answers that have a next page.',
    '',
    `Limits: ${kvLimits.pageEntriesDefault} entries unless \`limit\` says otherwise, ${kvLimits.pageEntriesMax} at most;`,
    `${kvLimits.pageBytesMax} bytes; with \`where\`, ${kvLimits.scanEntriesMax} entries are looked at. A page may have fewer`,
    'entries than its limit, or none, and go on all the same: ask `has_more`. Costs an operation for each',
    `${kvLuaLimits.entriesPerOperation} entries that are looked at, and one at least. A cursor that is none of this range`,
    'gives nil and a message.',
  ].join('\n'),
  params: [optionsParam('kv.PageOptions?', 'Which entries; all when missing.')],
  returns: [{ luaType: 'kv.Page?', doc: 'The page; nil when it failed.' }, errorReturned],
  example: [
    'local page, err = kv.paginate({ prefix = { "posts" }, limit = 20, cursor = req.query.cursor })',
    'if not page then return { status = 400, json = { error = err } } end',
    'return { json = { posts = page.entries, next = page.cursor } }',
  ].join('\n'),
  access: reads,
  run(use, options) {
    const { entries, cursor } = readOnePage(use, options)
    const page = Object.create(null) as LuaObject
    page.entries = entries
    page.cursor = cursor
    page.has_more = cursor !== undefined
    return page
  },
}

const count: KvFunction = {
  name: 'count',
  doc: [
    'Counts the entries below a prefix.',
    '',
    `Costs an operation for each ${kvLuaLimits.entriesPerOperation * kvLuaLimits.countedPerEntry} entries, with \`where\``,
    `for each ${kvLuaLimits.entriesPerOperation} that are looked at, and one at least. Keep a counter with \`sum\` where`,
    'there are many.',
  ].join('\n'),
  params: [prefixParam, optionsParam('kv.CountOptions?', 'Which entries; all when missing.')],
  returns: [{ luaType: 'integer?', doc: 'How many there are; nil when it failed.' }, errorReturned],
  example: 'local open = kv.count({ "tasks" }, { where = { done = false } })',
  access: reads,
  run: (use, prefix, options) => countEntries(use, prefix, options),
}
