import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SqliteKvSearch } from '../../../../src/kv/sqlite/search/sqlite-search.js'
import { KvNow, KvU64 } from '../../../../src/kv/value.js'
import { createSearchFixture } from '../../../helpers/kv-search.js'

test('indexes and hits are given as embedding applications see them', async (t) => {
  const fixture = await createSearchFixture()
  t.after(() => fixture.close())
  const { namespace } = fixture
  const search = new SqliteKvSearch(fixture.session, () => fixture.nowMs)
  fixture.put(['p', 7n, true], { text: 'old words', at: 1, count: new KvU64(3n) })
  search.createIndex(namespace, ['p'], { fields: ['text'] })
  search.createIndex(namespace, [], { fields: ['text'], tokenize: 'trigram' })
  assert.deepEqual(search.indexes(namespace), [
    { prefix: [], fields: ['text'], tokenize: 'trigram', isComplete: false },
    { prefix: ['p'], fields: ['text'], tokenize: 'unicode61', isComplete: false },
  ])
  assert.deepEqual(search.search(namespace, ['p'], 'words'), [])
  fixture.settle()
  assert.ok(search.indexes(namespace).every(({ isComplete }) => isComplete))
  fixture.put(['p', 'b'], { text: 'new words', at: fixture.nowMs })
  const where = { at: { $lt: new KvNow(-10) } }
  const [hit, ...others] = search.search(namespace, ['p'], 'words', {
    where,
    highlight: { open: '[', close: ']' },
  })
  assert.deepEqual(others, [])
  assert.deepEqual(hit, {
    key: ['p', 7n, true],
    value: { text: 'old words', at: 1, count: new KvU64(3n) },
    versionstamp: '00000000000000000001',
    score: hit?.score,
    highlights: { text: 'old [words]' },
  })
  assert.throws(() => search.search(namespace, ['p'], 'words', { where: { at: { $gtt: 1 } } }), {
    code: 'KV_WHERE_INVALID',
  })
  assert.equal(search.removeIndex(namespace, ['p']), true)
  assert.equal(search.removeIndex(namespace, ['p']), false)
  // The index above takes over, with its own tokenizer.
  assert.equal(search.search(namespace, ['p'], 'ord').length, 2)
})
