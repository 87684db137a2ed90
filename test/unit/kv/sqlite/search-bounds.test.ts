import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { kvSearchLimits } from '../../../../src/base/limits/kv.js'
import { createSearchFixture, type SearchFixture } from '../../../helpers/kv-search.js'
import { remove, set } from '../../../helpers/kv-store.js'

async function fixture(t: TestContext): Promise<SearchFixture> {
  const search = await createSearchFixture()
  t.after(() => search.close())
  return search
}

function fill(search: SearchFixture, count: number, textOf: (at: number) => string): void {
  for (let from = 0; from < count; from += 1000) {
    const length = Math.min(1000, count - from)
    search.commit(...Array.from({ length }, (_, at) => set(['p', from + at], textOf(from + at))))
  }
}

test('a search that finds too much is ended, and a narrower one is not', async (t) => {
  const search = await fixture(t)
  search.index(['p'], { fields: [''] })
  fill(search, kvSearchLimits.matchesMax + 1, (at) => `common n${at}`)
  assert.throws(
    () => search.hits(['p'], 'common'),
    (error: Error) => /finds more than 10000 documents\. Add words/.test(error.message),
  )
  assert.throws(() => search.hits(['p'], 'common'), { code: 'KV_SEARCH_TOO_BROAD', status: 400 })
  assert.deepEqual(search.found(['p'], 'common n77'), [77])
  assert.equal(search.found(['p'], 'common n12*').length, 100)
})

test('words that stand in too many documents end a search before they are ranked', async (t) => {
  const search = await fixture(t)
  search.index(['p'], { fields: [''] })
  const words = Array.from({ length: kvSearchLimits.queryTermsMax }, (_, at) => `w${at}`)
  const all = words.join(' ')
  fill(search, Math.floor(kvSearchLimits.postingsMax / words.length) + 1, (at) =>
    at === 5 ? `${all} rare` : all,
  )
  assert.throws(() => search.hits(['p'], all), { code: 'KV_SEARCH_TOO_BROAD' })
  assert.throws(() => search.hits(['p'], 'rare w* w1* w2* w3*'), { code: 'KV_SEARCH_TOO_BROAD' })
  assert.deepEqual(search.found(['p'], `rare ${words.slice(2).join(' ')}`), [5])
})

test('a search does not read more values than its bound', async (t) => {
  const search = await fixture(t)
  search.index(['p'], { fields: ['t'] })
  const body = 'x'.repeat(60_000)
  const count = Math.ceil(kvSearchLimits.readBytesMax / body.length)
  for (let from = 0; from < count; from += 10) {
    search.commit(...Array.from({ length: 10 }, (_, at) => set(['p', from + at], { t: 'word', body })))
  }
  const matches = () => false
  assert.throws(() => search.hits(['p'], 'word', { matches }), { code: 'KV_SEARCH_TOO_BROAD' })
  assert.throws(() => search.hits(['p'], 'word', { limit: 1000 }), /Ask for fewer with "limit"/)
  assert.equal(search.hits(['p'], 'word', { limit: 10 }).length, 10)
})

test('the time of a search ends it inside of a statement', async (t) => {
  const search = await fixture(t)
  const statement = search.session.connection.prepare('select kv_search_guard(1, ?)').pluck()
  assert.equal(statement.get(performance.now() + 60_000), 1)
  assert.throws(() => statement.get(performance.now() - 1), { code: 'KV_SEARCH_TOO_BROAD' })
})

test('several searches on one connection do not count for one another', async (t) => {
  const search = await fixture(t)
  search.index(['p'], { fields: [''] })
  fill(search, 3000, () => 'common')
  for (let round = 0; round < 5; round += 1)
    assert.equal(search.hits(['p'], 'common', { limit: 1 }).length, 1)
})

test('a commit that writes one key again and again makes one document of it', async (t) => {
  const search = await fixture(t)
  search.index(['p'], { fields: [''] })
  const before = search.session.connection.prepare('select total_changes()').pluck().get() as number
  search.commit(...Array.from({ length: 1000 }, (_, at) => set(['p', 'a'], `text ${at}`)))
  const after = search.session.connection.prepare('select total_changes()').pluck().get() as number
  assert.ok(after - before < 50, `${after - before} rows`)
  assert.deepEqual(search.found(['p'], 'text 999'), ['a'])
})

test('a commit whose text would take long to sort into all indexes is refused, and leaves nothing behind', async (t) => {
  const search = await fixture(t)
  const prefix = Array.from({ length: kvSearchLimits.indexesMax }, () => 'p')
  for (const at of prefix.keys()) search.index(prefix.slice(0, at), { fields: ['t'], tokenize: 'trigram' })
  const perSet = 60_000 * kvSearchLimits.indexesMax * kvSearchLimits.trigramFactor
  const sets = Array.from({ length: Math.ceil(kvSearchLimits.commitTextBytesMax / perSet) }, (_, at) =>
    set([...prefix, at], { t: 'x'.repeat(60_000) }),
  )
  assert.throws(() => search.commit(set(['p', 'small'], 1), ...sets), {
    code: 'KV_COMMIT_TOO_LARGE',
    message: /bytes of text for search indexes, and 2097152 are allowed/,
  })
  const state = search.session.statement('select entries, bytes, versionstamp from kv_namespaces').get()
  assert.deepEqual(state, [0, 0, 0])
  search.commit(...sets.slice(1))
  assert.equal(search.hits(prefix, 'xxxx').length, sets.length - 1)
})

test('deletes leave the parts of an index as they are, so that none of them takes long', async (t) => {
  const search = await fixture(t)
  search.index(['p'], { fields: [''] })
  const textOf = (at: number) => Array.from({ length: 2000 }, (_, n) => `w${at * 2000 + n}`).join(' ')
  for (let at = 0; at < 100; at += 1) search.put(['p', at], textOf(at))
  const rows = () => {
    const [count] = search.session.statement('select count(*) from kv_fts_1_data').get() as [number]
    return count
  }
  const before = rows()
  for (let at = 0; at < 50; at += 1) search.commit(remove(['p', at]))
  assert.ok(rows() >= before, `${rows()} rows of ${before}`)
  assert.deepEqual(search.found(['p'], 'w7'), [])
  assert.deepEqual(search.found(['p'], 'w199999'), [99])
})

test('marks in many long texts end a search, and those in a few do not', async (t) => {
  const search = await fixture(t)
  search.index(['p'], { fields: ['t'], tokenize: 'trigram' })
  const body = 'word '.repeat(12_000)
  for (let at = 0; at < 24; at += 6) {
    search.commit(...Array.from({ length: 6 }, (_, n) => set(['p', at + n], { t: body })))
  }
  const highlight = { open: '<', close: '>' }
  assert.throws(() => search.hits(['p'], 'word', { highlight }), {
    code: 'KV_SEARCH_TOO_BROAD',
    message: /marking what it finds took longer than 250 ms\. Ask for fewer with "limit"/,
  })
  assert.match(search.hits(['p'], 'word', { limit: 1, highlight })[0]?.highlights?.t ?? '', /<word>/)
})
