import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { kvSearchLimits } from '../../../../src/base/limits/kv.js'
import { encodePrefix } from '../../../../src/kv/key.js'
import type { KvIndexOptions } from '../../../../src/kv/kv.js'
import { createSearchFixture, type SearchFixture } from '../../../helpers/kv-search.js'
import { remove, set } from '../../../helpers/kv-store.js'

async function fixture(t: TestContext, bytesMax?: () => number): Promise<SearchFixture> {
  const search = await createSearchFixture(bytesMax)
  t.after(() => search.close())
  return search
}

/** Writes so many entries below `p` that two steps do not take them in. */
function fill(search: SearchFixture, count = 3 * kvSearchLimits.stepEntriesMax): number {
  for (let from = 0; from < count; from += 500) {
    const length = Math.min(500, count - from)
    search.commit(...Array.from({ length }, (_, at) => set(['p', from + at], `word n${from + at}`)))
  }
  return count
}

function isComplete(search: SearchFixture): boolean {
  const indexes = search.indexes.list(search.namespace)
  return indexes.length > 0 && indexes.every(({ backfillFrom }) => backfillFrom === undefined)
}

test('existing entries are taken in step by step, and then the index is complete', async (t) => {
  const search = await fixture(t)
  const count = fill(search)
  search.put(['q', 1], 'word')
  search.index(['p'], { fields: [''] })
  assert.equal(isComplete(search), false)
  assert.equal(search.maintenance.step(search.nowMs), true)
  assert.equal(isComplete(search), false)
  assert.equal(search.count('kv_documents'), kvSearchLimits.stepEntriesMax)
  search.settle()
  assert.equal(isComplete(search), true)
  assert.equal(search.count('kv_documents'), count)
  assert.equal(search.maintenance.step(search.nowMs), false)
  assert.deepEqual(search.found(['p'], `n${count - 1}`), [count - 1])
})

test('what is written while existing entries are taken in is there exactly once', async (t) => {
  const search = await fixture(t)
  const count = fill(search)
  search.index(['p'], { fields: [''] })
  search.maintenance.step(search.nowMs)
  search.commit(set(['p', 1], 'fresh'), set(['p', count - 1], 'fresh'), set(['p', count], 'fresh'))
  search.commit(remove(['p', 2]), remove(['p', count - 2]))
  search.settle()
  assert.deepEqual(search.found(['p'], 'fresh'), [1, count - 1, count])
  assert.deepEqual(search.found(['p'], `n1 OR n2 OR n${count - 1} OR n${count - 2}`), [])
  assert.equal(search.count('kv_documents'), count - 1)
})

test('another connection goes on where one has stopped', async (t) => {
  const search = await fixture(t)
  const count = fill(search)
  search.index(['p'], { fields: [''] })
  search.maintenance.step(search.nowMs)
  const other = search.open()
  search.session.connection.close()
  let steps = 0
  while (other.maintenance.step(search.nowMs)) steps += 1
  assert.ok(steps <= 3, `${steps} steps`)
  const documents = other.session.connection.prepare('select count(*) from kv_documents').pluck().get()
  assert.equal(documents, count)
})

test('indexes take turns', async (t) => {
  const search = await fixture(t)
  fill(search)
  search.index(['p'], { fields: [''] })
  search.store.commit('plugin:small', { checks: [], mutations: [set(['p', 1], 'word')] })
  search.index(['p'], { fields: [''] }, 'plugin:small')
  search.maintenance.step(search.nowMs)
  search.maintenance.step(search.nowMs)
  assert.equal(search.indexes.list('plugin:small')[0]?.backfillFrom, undefined)
  assert.equal(isComplete(search), false)
})

test('entries that have expired are not taken in', async (t) => {
  const search = await fixture(t)
  search.put(['p', 'a'], 'word', search.nowMs + 5)
  search.put(['p', 'b'], 'word')
  search.nowMs += 5
  search.index(['p'], { fields: [''] })
  search.settle()
  assert.equal(search.count('kv_documents'), 1)
})

test('large values make small steps', async (t) => {
  const search = await fixture(t)
  const text = 'word '.repeat(12_000)
  for (let at = 0; at < 10; at += 1) search.put(['p', at], text)
  search.index(['p'], { fields: [''] })
  search.maintenance.step(search.nowMs)
  assert.ok(search.count('kv_documents') < 10)
  search.settle()
  assert.equal(search.count('kv_documents'), 10)
})

test('indexes count to the room of their namespace', async (t) => {
  const search = await fixture(t)
  search.put(['p', 'a'], 'some words')
  const before = search.bytes()
  search.index(['p'], { fields: [''] })
  search.settle()
  const words = search.bytes() - before
  assert.ok(words > 'some words'.length)
  search.index(['p'], { fields: [''], tokenize: 'trigram' })
  search.settle()
  assert.ok(search.bytes() - before > words)
  search.put(['p', 'a'], 'some words')
  search.put(['p', 'b'], 'more words')
  search.commit(remove(['p', 'b']))
  search.indexes.remove(search.namespace, encodePrefix(['p']), search.nowMs)
  search.settle()
  assert.equal(search.bytes(), before)
})

test('a namespace without room waits with its new indexes, and others do not', async (t) => {
  let bytesMax = 2 ** 40
  const search = await fixture(t, () => bytesMax)
  fill(search)
  search.index(['p'], { fields: [''] })
  search.store.commit('plugin:small', { checks: [], mutations: [set(['p', 1], 'word')] })
  search.index(['p'], { fields: [''] }, 'plugin:small')
  bytesMax = search.bytes()
  assert.equal(search.settle(), 1)
  assert.equal(isComplete(search), false)
  assert.equal(search.indexes.list('plugin:small')[0]?.backfillFrom, undefined)
  bytesMax = 2 ** 40
  search.settle()
  assert.equal(isComplete(search), true)
})

test('a removed index is gone at once, its rows and table bit by bit', async (t) => {
  const search = await fixture(t)
  search.index(['p'], { fields: [''] })
  fill(search)
  const prefix = encodePrefix(['p'])
  assert.equal(search.indexes.remove(search.namespace, encodePrefix(['q']), search.nowMs), false)
  assert.equal(search.indexes.remove('plugin:none', prefix, search.nowMs), false)
  assert.equal(search.indexes.remove(search.namespace, prefix, search.nowMs), true)
  assert.equal(search.indexes.remove(search.namespace, prefix, search.nowMs), false)
  assert.deepEqual(search.indexes.list(search.namespace), [])
  assert.throws(() => search.found(['p'], 'word'), { code: 'KV_INDEX_MISSING' })
  assert.ok(search.settle() > 1)
  assert.deepEqual([search.count('kv_documents'), search.count('kv_indexes')], [0, 0])
  assert.deepEqual(search.tables(), [])
})

test('the same index again changes nothing, another one replaces it', async (t) => {
  const search = await fixture(t)
  fill(search, 10)
  assert.equal(search.index(['p'], { fields: [''] }), true)
  search.settle()
  assert.equal(search.index(['p'], { fields: [''], tokenize: 'unicode61' }), false)
  assert.equal(isComplete(search), true)
  assert.equal(search.index(['p'], { fields: [''], tokenize: 'trigram' }), true)
  search.settle()
  assert.deepEqual(search.found(['p'], '"rd n7"'), [7])
  assert.deepEqual(search.found(['p'], 'ord'), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  assert.equal(search.count('kv_documents'), 10)
  assert.equal(search.tables().length, 1)
})

test('a namespace has so many indexes and no more, in a loop of replacements too', async (t) => {
  const search = await fixture(t)
  for (let at = 0; at < kvSearchLimits.indexesMax; at += 1) search.index(['p', at], { fields: [''] })
  assert.throws(() => search.index(['p', 'one more'], { fields: [''] }), {
    code: 'KV_INDEX_LIMIT',
    status: 409,
  })
  search.index(['p', 1], { fields: [''] }, 'plugin:other')
  const replaceOften = () => {
    for (let at = 0; at < 100; at += 1) search.index(['p', 1], { fields: [`f${at}`] })
  }
  assert.throws(replaceOften, { code: 'KV_INDEX_LIMIT' })
  search.settle()
  assert.equal(search.tables().length, kvSearchLimits.indexesMax + 1)
  assert.equal(search.index(['p', 1], { fields: ['again'] }), true)
})

test('all namespaces together have so many indexes and no more', async (t) => {
  const search = await fixture(t)
  const { allIndexesMax, indexesMax } = kvSearchLimits
  for (let made = 0; made < allIndexesMax; made += 1) {
    search.index(['p', made], { fields: [''] }, `shared:n${Math.floor(made / indexesMax)}`)
  }
  assert.throws(
    () => search.index(['p'], { fields: [''] }),
    (error: Error) => /^The store has 512 search indexes/.test(error.message),
  )
})

test('a definition that cannot be used is refused, and nothing of it reaches a statement', async (t) => {
  const search = await fixture(t)
  const wrong: unknown[] = [
    { fields: [] },
    { fields: 'title' },
    {},
    { fields: [1] },
    { fields: ['a..b'] },
    { fields: ['a', 'a'] },
    { fields: Array.from({ length: kvSearchLimits.fieldsMax + 1 }, (_, at) => `f${at}`) },
    { fields: ['a'], tokenize: "unicode61'); drop table kv_entries; --" },
    { fields: ['a'], tokenize: 'constructor' },
    { fields: ['a'], tokenize: '__proto__' },
    { fields: ['a'], tokenize: ['unicode61'] },
    { fields: ['a'], tokenize: null },
  ]
  for (const options of wrong) {
    assert.throws(
      () => search.index(['p'], options as KvIndexOptions),
      { code: 'KV_INDEX_INVALID', status: 400 },
      JSON.stringify(options),
    )
  }
  assert.deepEqual(search.tables(), [])
})

test('names of fields are data', async (t) => {
  const search = await fixture(t)
  const fields = ["a'); drop table kv_entries; --", 'a b', 'rank', 'rowid', '["x\\"y"]', '__proto__', 'ключ']
  search.index(['p'], { fields })
  search.put(
    ['p', 1],
    JSON.parse(`{"a b":"one","rank":"two","x\\"y":"three","__proto__":"four","ключ":"five"}`),
  )
  for (const word of ['one', 'two', 'three', 'four', 'five']) assert.deepEqual(search.found(['p'], word), [1])
  assert.deepEqual(search.indexes.list(search.namespace)[0]?.fields, fields)
  const [hit] = search.hits(['p'], 'four five', { highlight: { open: '<', close: '>' } })
  assert.deepEqual(Object.entries(hit?.highlights ?? {}), [
    ['__proto__', '<four>'],
    ['ключ', '<five>'],
  ])
})
