import { kvLimits, kvLuaLimits, kvSearchLimits } from '../../base/limits/kv.js'
import { decodeKey, encodePrefix } from '../../kv/key.js'
import type { KvIndexOptions } from '../../kv/kv.js'
import type { Marks } from '../../kv/search/marks.js'
import type { StoredHit } from '../../kv/sqlite/search/entry-search.js'
import { type LuaObject, LuaRaise } from '../../sandbox/lua-value.js'
import type { FunctionDefinition } from '../define.js'
import type { Access } from './access.js'
import { defineKvFunction, type KvFunction, type KvLookups, writing } from './bind.js'
import { errorReturned, indexPrefixParam, optionsParam } from './docs.js'
import { keyToLua, toTable } from './lua-values.js'
import { readOptions } from './options.js'
import { describe, readPrefix } from './read-values.js'
import { entryToLua } from './reading.js'
import { readFilter, Scan } from './scanning.js'

const reads = (): readonly Access[] => ['read']
const writes = (): readonly Access[] => ['write']

/** Declares the functions for full-text search. */
export function searchFunctions(lookups: KvLookups): readonly FunctionDefinition[] {
  return [createIndex, removeIndex, indexes, search].flatMap((fn) => defineKvFunction(lookups, fn))
}

const createIndex: KvFunction = {
  name: 'create_index',
  doc: [
    'Makes a full-text index over the entries below a prefix, or replaces the one with other fields; nothing happens',
    'where it is there as it is asked for, so `on_init` can call it each time. New entries are found at once, those that',
    'were there before bit by bit.',
    '',
    `Limits: ${kvSearchLimits.indexesMax} indexes in a namespace, ${kvSearchLimits.fieldsMax} fields in each; what is`,
    `indexed counts to the room of the namespace. Raises for options that are none. Costs ${kvLuaLimits.searchOperations}`,
    'operations.',
  ].join('\n'),
  params: [
    indexPrefixParam,
    { name: 'options', type: 'any', luaType: 'kv.IndexOptions', doc: 'What of the values is indexed.' },
  ],
  returns: [
    { luaType: 'boolean?', doc: 'True when it was made, false when it was there; nil when it failed.' },
    errorReturned,
  ],
  example: 'kv.create_index({ "posts" }, { fields = { "title", "body" }, tokenize = "porter" })',
  cost: kvLuaLimits.searchOperations,
  access: writes,
  run(use, prefix, given) {
    const options = readOptions(given, ['fields', 'tokenize']) as unknown as KvIndexOptions
    const encoded = encodePrefix(readPrefix(prefix))
    return writing(use, () => use.indexes.create(use.namespace, encoded, options, use.clock()))
  },
}

const removeIndex: KvFunction = {
  name: 'remove_index',
  doc: 'Removes the index over a prefix; the entries stay.',
  params: [indexPrefixParam],
  returns: [
    { luaType: 'boolean?', doc: 'False when there is none with this prefix; nil when it failed.' },
    errorReturned,
  ],
  example: 'kv.remove_index({ "posts" })',
  access: writes,
  run(use, prefix) {
    const encoded = encodePrefix(readPrefix(prefix))
    return writing(use, () => use.indexes.remove(use.namespace, encoded, use.clock()))
  },
}

const indexes: KvFunction = {
  name: 'indexes',
  doc: 'Lists the indexes of the namespace, in the order of their prefixes.',
  params: [],
  returns: [{ luaType: 'kv.Index[]?', doc: 'The indexes; nil when it failed.' }, errorReturned],
  example: 'for _, index in ipairs(assert(kv.indexes())) do log.info("index", { fields = index.fields }) end',
  access: reads,
  run: (use) =>
    use.indexes.list(use.namespace).map(({ prefix, fields, tokenizer, backfillFrom }) =>
      toTable({
        prefix: keyToLua(decodeKey(prefix)),
        fields: [...fields],
        tokenize: tokenizer,
        is_complete: backfillFrom === undefined,
      }),
    ),
}

const search: KvFunction = {
  name: 'search',
  doc: [
    'Finds entries by the words of their values, best first. The index with the longest prefix that the prefix of the',
    'search begins with answers. All words must be there; `"two words"` stand side by side, `wor*` is a beginning, `-word`',
    'leaves out.',
    '',
    `Limits: ${kvLimits.pageEntriesDefault} hits unless \`limit\` says otherwise, ${kvLimits.pageEntriesMax} at most; words`,
    'that stand in too many entries give nil and a message, and so do a query that cannot be read and a prefix without',
    `an index. Costs ${kvLuaLimits.searchOperations} operations, with \`where\` one more for each`,
    `${kvLuaLimits.entriesPerOperation} entries that are looked at beyond the first.`,
  ].join('\n'),
  params: [
    indexPrefixParam,
    { name: 'query', type: 'any', luaType: 'string', doc: 'Words, as a reader types them.' },
    optionsParam('kv.SearchOptions?', 'How many hits, and which.'),
  ],
  returns: [{ luaType: 'kv.Hit[]?', doc: 'The hits; nil when it failed.' }, errorReturned],
  example: [
    'local hits, err = kv.search({ "posts" }, req.query.q, { limit = 10, highlight = { open = "<b>", close = "</b>" } })',
    'if not hits then return { status = 400, json = { error = err } } end',
  ].join('\n'),
  cost: kvLuaLimits.searchOperations,
  access: reads,
  run(use, prefix, query, given) {
    if (typeof query !== 'string') throw new LuaRaise(`the query must be a string, not ${describe(query)}`)
    const { limit, where, highlight } = readOptions(given, ['limit', 'where', 'highlight'])
    const filter = readFilter(use, where)
    const scan = new Scan(use)
    const request = {
      prefix: encodePrefix(readPrefix(prefix)),
      query,
      limit: limit as number | undefined,
      matches: filter && scan.watching(filter),
      highlight:
        highlight === undefined ? undefined : (readOptions(highlight, ['open', 'close']) as unknown as Marks),
    }
    const hits = use.search.search(use.namespace, request, use.clock())
    scan.charge()
    return hits.map(hitToLua)
  },
}

function hitToLua({ entry, score, highlights }: StoredHit): LuaObject {
  const table = entryToLua(decodeKey(entry.key), entry)
  table.score = score
  if (highlights !== undefined) table.highlights = toTable(highlights)
  return table
}
