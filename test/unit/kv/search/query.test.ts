import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HostError } from '../../../../src/base/errors.js'
import { kvSearchLimits } from '../../../../src/base/limits/kv.js'
import { parseQuery } from '../../../../src/kv/search/query.js'
import { createSearchFixture } from '../../../helpers/kv-search.js'

const read: Readonly<Record<string, string>> = {
  'one two': '("one" "two")',
  '"one two" three': '("one two" "three")',
  'data*': '("data"*)',
  '"big dat"*': '("big dat"*)',
  'one -two -"three four"': '("one" NOT ("two" OR "three four"))',
  'one two OR three': '("one" "two") OR ("three")',
  'OR one OR OR two OR': '("one") OR ("two")',
  '"open phrase': '("open phrase")',
  'foo-bar': '("foo-bar")',
  'a AND b NOT c': '("a" "AND" "b" "NOT" "c")',
  'NEAR(a b)': '("NEAR(a" "b)")',
  'title:secret': '("title:secret")',
  '^a + b': '("^a" "+" "b")',
  '{f0 f1}: x': '("{f0" "f1}:" "x")',
  'a"b"c': '("a" "b" "c")',
  'a - b': '("a" "b")',
  'a * b**': '("a" "b"*)',
}

for (const [query, match] of Object.entries(read)) {
  test(`the query ${query} is read as words and nothing else`, () =>
    assert.equal(parseQuery(query).match, match))
}

test('a query in which nothing can be looked for is refused', () => {
  for (const query of ['', '  ', '""', '*', '-', 'OR', '" "', '-a', 'a OR -b']) {
    assert.throws(() => parseQuery(query), { code: 'KV_QUERY_INVALID', status: 400 }, query)
  }
  assert.throws(() => parseQuery(5 as unknown as string), { code: 'KV_QUERY_INVALID' })
})

test('the size of a query is bounded', () => {
  const { queryCharactersMax, queryTermsMax } = kvSearchLimits
  assert.throws(() => parseQuery('x'.repeat(queryCharactersMax + 1)), { code: 'KV_QUERY_INVALID' })
  assert.throws(() => parseQuery('x '.repeat(queryTermsMax + 1)), { code: 'KV_QUERY_INVALID' })
  assert.equal(parseQuery('x '.repeat(queryTermsMax)).terms.length, queryTermsMax)
})

const words = [
  'alpha',
  'beta',
  'alpha beta',
  '"',
  '""',
  '*',
  '-',
  'OR',
  'AND',
  'NOT',
  'NEAR(',
  ')',
  '(',
  '^',
  '+',
  ':',
]
const pieces = fc.oneof(
  fc.constantFrom(...words, 'f0:', '{f0}', "'", ';', '\0', '--', '\u2028', '\ud800', ' '),
  fc.string({ unit: 'binary', maxLength: 4 }),
)

test('whatever is asked, the database reads it as a search', async (t) => {
  const search = await createSearchFixture()
  t.after(() => search.close())
  for (const tokenize of ['unicode61', 'porter', 'ascii', 'trigram'] as const) {
    search.index([tokenize], { fields: ['', 'x'], tokenize })
    search.put([tokenize, 'a'], 'alpha beta')
    search.put([tokenize, 'b'], { x: 'beta gamma' })
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), fc.boolean(), (parts, isMarked) => {
        const highlight = isMarked ? { open: '<', close: '>' } : undefined
        try {
          for (const { entry } of search.hits([tokenize], parts.join(''), { highlight })) assert.ok(entry.key)
        } catch (error) {
          assert.ok(error instanceof HostError && error.code === 'KV_QUERY_INVALID', String(error))
        }
      }),
      { numRuns: 300 },
    )
    assert.deepEqual(search.found([tokenize], 'alpha'), ['a'])
  }
})

test('the language does what it says', async (t) => {
  const search = await createSearchFixture()
  t.after(() => search.close())
  search.index(['p'], { fields: ['', 'title'] })
  search.put(['p', 'a'], 'the quick brown fox')
  search.put(['p', 'b'], 'the brown quick dog')
  search.put(['p', 'c'], 'Quickly AND secretly')
  search.put(['p', 'd'], { title: 'Crème brûlée & coffee' })
  const found = (query: string) => search.found(['p'], query).sort()
  assert.deepEqual(found('quick brown'), ['a', 'b'])
  assert.deepEqual(found('"quick brown"'), ['a'])
  assert.deepEqual(found('quick*'), ['a', 'b', 'c'])
  assert.deepEqual(found('quick -dog'), ['a'])
  assert.deepEqual(found('fox OR secretly'), ['a', 'c'])
  assert.deepEqual(found('brown fox OR brown dog'), ['a', 'b'])
  assert.deepEqual(found('and'), ['c'])
  assert.deepEqual(found('creme & brulee'), ['d'])
  assert.deepEqual(found('title:creme'), [])
  assert.deepEqual(found('f1:creme'), [])
  assert.deepEqual(found('!!!'), [])
})

test('tokenizers differ', async (t) => {
  const search = await createSearchFixture()
  t.after(() => search.close())
  for (const tokenize of ['unicode61', 'porter', 'ascii', 'trigram'] as const) {
    search.index([tokenize], { fields: [''], tokenize })
    search.put([tokenize, 'x'], 'Cafés running')
  }
  const finders = (query: string) =>
    (['unicode61', 'porter', 'ascii', 'trigram'] as const).filter(
      (name) => search.found([name], query).length > 0,
    )
  assert.deepEqual(finders('cafes'), ['unicode61', 'porter'])
  assert.deepEqual(finders('run'), ['porter', 'trigram'])
  assert.deepEqual(finders('RUNNING'), ['unicode61', 'porter', 'ascii', 'trigram'])
})
