import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { encodeKey, encodePrefix } from '../../../../src/kv/key.js'
import { compileStoredWhere } from '../../../../src/kv/where/compile-where.js'
import { createSearchFixture, namesOf, type SearchFixture } from '../../../helpers/kv-search.js'
import { remove, set } from '../../../helpers/kv-store.js'

async function fixture(t: TestContext): Promise<SearchFixture> {
  const search = await createSearchFixture()
  t.after(() => search.close())
  return search
}

test('entries are found by the words of their fields, best first', async (t) => {
  const search = await fixture(t)
  search.index(['posts'], { fields: ['title', 'author.name'] })
  search.put(['posts', 'a'], { title: 'Rivers of the north', body: 'lakes', author: { name: 'Ada' } })
  search.put(['posts', 'b'], { title: 'Lakes and lakes and lakes', author: { name: 'Bob' } })
  search.put(['posts', 'c'], {
    title: 'Lakes and many other things of the wide world',
    author: { name: 'Cy' },
  })
  search.put(['other', 'd'], { title: 'Lakes' })
  assert.deepEqual(search.found(['posts'], 'lakes'), ['b', 'c'])
  assert.deepEqual(search.found(['posts'], 'ada'), ['a'])
  assert.deepEqual(search.found(['posts'], 'nothing'), [])
  const [first, second] = search.hits(['posts'], 'lakes')
  assert.ok((first?.score ?? 0) > (second?.score ?? 0))
  assert.ok((second?.score ?? 0) > 0)
})

test('equal hits come in the order of their keys', async (t) => {
  const search = await fixture(t)
  search.index(['p'], { fields: [''] })
  for (const name of ['c', 'a', 'd', 'b']) search.put(['p', name], 'same words')
  assert.deepEqual(search.found(['p'], 'words'), ['a', 'b', 'c', 'd'])
  assert.deepEqual(search.found(['p'], 'words', { limit: 2 }), ['a', 'b'])
})

test('commits keep the index up, whatever they are made of', async (t) => {
  const search = await fixture(t)
  search.index(['p'], { fields: ['', 'text'] })
  search.commit(set(['p', 'a'], 'one'), set(['p', 'b'], { text: 'two' }), set(['p', 'c'], ['three']))
  assert.deepEqual(search.found(['p'], 'one OR two OR three').sort(), ['a', 'b', 'c'])
  search.commit(set(['p', 'a'], 'four'), remove(['p', 'b']), {
    type: 'append',
    key: encodeKey(['p', 'c']),
    value: { kind: 0, data: '["five"]', bytes: 8 },
  })
  assert.deepEqual(search.found(['p'], 'one OR two'), [])
  assert.deepEqual(search.found(['p'], 'four'), ['a'])
  assert.deepEqual(search.found(['p'], 'three five'), ['c'])
  search.commit(
    set(['p', 'a'], 'six'),
    set(['p', 'a'], 'seven'),
    remove(['p', 'c']),
    set(['p', 'c'], 'eight'),
  )
  assert.deepEqual(search.found(['p'], 'four OR six OR three'), [])
  assert.deepEqual(search.found(['p'], 'seven OR eight'), ['a', 'c'])
  assert.equal(search.count('kv_documents'), 2)
  search.commit(set(['p', 'a'], null), remove(['p', 'c']))
  assert.equal(search.count('kv_documents'), 0)
})

test('a commit that is refused leaves the index as it was', async (t) => {
  const search = await fixture(t)
  search.index(['p'], { fields: [''] })
  search.put(['p', 'a'], 'one')
  const checks = [{ key: encodeKey(['p', 'a']), versionstamp: 99 }]
  const result = search.store.commit(search.namespace, { checks, mutations: [set(['p', 'a'], 'two')] })
  assert.equal(result.ok, false)
  assert.throws(() => {
    search.session.write(() => {
      search.put(['p', 'a'], 'three')
      throw new Error('rolled back')
    })
  }, /rolled back/)
  assert.deepEqual(search.found(['p'], 'one'), ['a'])
  assert.deepEqual(search.found(['p'], 'two OR three'), [])
})

test('the limit counts entries that are there and match', async (t) => {
  const search = await fixture(t)
  search.index(['p'], { fields: ['text'] })
  for (let at = 0; at < 20; at += 1) {
    search.put(['p', at], { text: 'word', even: at % 2 === 0 }, at < 10 ? search.nowMs + 1 : undefined)
  }
  search.nowMs += 1
  assert.deepEqual(search.found(['p'], 'word', { limit: 3 }), [10, 11, 12])
  const matches = compileStoredWhere({ even: false }, search.nowMs)
  assert.deepEqual(search.found(['p'], 'word', { limit: 3, matches }), [11, 13, 15])
})

test('an entry that has expired is not found, and its document goes with it', async (t) => {
  const search = await fixture(t)
  search.index(['p'], { fields: [''] })
  search.put(['p', 'a'], 'word', search.nowMs + 5)
  assert.deepEqual(search.found(['p'], 'word'), ['a'])
  const bytes = search.bytes()
  search.nowMs += 5
  assert.deepEqual(search.found(['p'], 'word'), [])
  assert.equal(search.store.sweepExpired(10), 1)
  assert.equal(search.count('kv_documents'), 0)
  assert.ok(bytes > 0)
  assert.equal(search.bytes(), 0)
})

test('all indexes whose prefix is above a key take it in, and the nearest one answers', async (t) => {
  const search = await fixture(t)
  search.index([], { fields: ['all'] })
  search.index(['p'], { fields: ['some'] })
  search.put(['p', 'x', 1], { all: 'wide', some: 'narrow' })
  search.put(['q', 'y'], { all: 'wide', some: 'narrow' })
  search.put(['p'], { some: 'narrow' })
  assert.deepEqual(search.found(['p'], 'narrow'), [1])
  assert.deepEqual(search.found(['p'], 'wide'), [])
  assert.deepEqual(search.found([], 'wide'), [1, 'y'])
  assert.deepEqual(search.found(['q'], 'wide'), ['y'])
  assert.deepEqual(search.found(['p', 'x'], 'narrow'), [1])
  assert.deepEqual(search.found(['p', 'z'], 'narrow'), [])
})

test('keys that only begin alike are not below a prefix', async (t) => {
  const search = await fixture(t)
  search.index(['p'], { fields: [''] })
  search.put(['p2', 'a'], 'word')
  search.put(['p', 'b'], 'word')
  assert.deepEqual(search.found(['p'], 'word'), ['b'])
})

test('an index is found by another connection, and after the file was closed', async (t) => {
  const search = await fixture(t)
  const other = search.open()
  search.index(['p'], { fields: [''] })
  other.store.commit(search.namespace, { checks: [], mutations: [set(['p', 'a'], 'word')] })
  assert.deepEqual(search.found(['p'], 'word'), ['a'])
  const request = { prefix: encodePrefix(['p']), query: 'word' }
  search.session.connection.close()
  assert.deepEqual(namesOf(other.finder.search(search.namespace, request, search.nowMs)), ['a'])
  const later = search.open()
  assert.deepEqual(namesOf(later.finder.search(search.namespace, request, search.nowMs)), ['a'])
})

test('a change of indexes reaches connections that remember the old ones', async (t) => {
  const search = await fixture(t)
  const other = search.open()
  const put = (name: string, text: string) =>
    other.store.commit(search.namespace, {
      checks: [],
      mutations: [set(['p', name], { old: text, new: text })],
    })
  search.index(['p'], { fields: ['old'] })
  put('a', 'first')
  search.index(['p'], { fields: ['new'] })
  put('b', 'second')
  search.settle()
  put('c', 'third')
  assert.deepEqual(search.found(['p'], 'first OR second OR third'), ['a', 'b', 'c'])
  search.indexes.remove(search.namespace, encodePrefix(['p']), search.nowMs)
  put('d', 'fourth')
  search.settle()
  put('e', 'fifth')
  assert.equal(search.count('kv_documents'), 0)
})

test('what a rollback took back is not remembered', async (t) => {
  const search = await fixture(t)
  search.put(['p', 'z'], 'word')
  assert.throws(() => {
    search.session.write(() => {
      search.index(['p'], { fields: ['gone'] })
      search.put(['p', 'a'], { gone: 'word' })
      throw new Error('rolled back')
    })
  }, /rolled back/)
  search.index(['p'], { fields: ['text'] })
  search.put(['p', 'b'], { text: 'word' })
  assert.deepEqual(search.found(['p'], 'word'), ['b'])
  assert.equal(search.tables().length, 1)
})

test('namespaces see neither the documents nor the statistics of others', async (t) => {
  const search = await fixture(t)
  search.index(['p'], { fields: [''] })
  search.put(['p', 'a'], 'rare words here')
  search.put(['p', 'b'], 'other words here')
  const [before] = search.hits(['p'], 'rare')
  search.index(['p'], { fields: [''] }, 'plugin:other')
  const mutations = Array.from({ length: 200 }, (_, at) => set(['p', at], 'rare secret'))
  search.store.commit('plugin:other', { checks: [], mutations })
  const [after, ...others] = search.hits(['p'], 'rare')
  assert.equal(after?.score, before?.score)
  assert.deepEqual(others, [])
  assert.deepEqual(search.found(['p'], 'secret'), [])
})

test('without an index that covers the prefix a search is refused', async (t) => {
  const search = await fixture(t)
  assert.throws(() => search.hits(['p'], 'word'), { code: 'KV_INDEX_MISSING', status: 404 })
  search.index(['p', 'q'], { fields: [''] })
  assert.throws(() => search.hits(['p'], 'word'), { code: 'KV_INDEX_MISSING' })
  assert.throws(() => search.finder.search('plugin:x', { prefix: encodePrefix([]), query: 'a' }, 0), {
    code: 'KV_INDEX_MISSING',
  })
})

test('the limit of a search has bounds', async (t) => {
  const search = await fixture(t)
  search.index(['p'], { fields: [''] })
  for (const limit of [0, -1, 1.5, 1001, Number.NaN, '5' as unknown as number]) {
    assert.throws(() => search.hits(['p'], 'word', { limit }), { code: 'KV_OPTION_INVALID' })
  }
})
