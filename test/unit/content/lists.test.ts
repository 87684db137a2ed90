import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { HostError } from '../../../src/base/errors.js'
import { contentLimits } from '../../../src/base/limits/content.js'
import { cursorText, parseCursor } from '../../../src/content/cursor.js'
import { parseListQuery } from '../../../src/content/list-query.js'
import { type ReadableTable, tableShapes } from '../../../src/content/table-catalogue.js'
import { createContentFixture, testContext } from '../../helpers/content-fixture.js'

const tables = Object.keys(tableShapes) as ReadableTable[]

it('a cursor gives back what was put into it, and only for its own order', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), fc.string(), (value, id) => {
      const text = cursorText({ sort: '-title', value, id })
      assert.deepEqual(parseCursor(text, '-title'), { sort: '-title', value, id })
      assert.throws(() => parseCursor(text, 'title'), /The cursor does not belong to this list/)
    }),
  )
})

it('no query and no cursor does anything but give a page or an error of the client', () => {
  const key = fc.oneof(
    fc.constantFrom('sort', 'limit', 'cursor', 'filter[status]', 'filter[fields]', 'filter[__proto__]'),
    fc.string(),
  )
  const odd = fc.oneof(fc.string(), fc.base64String(), fc.array(fc.string()), fc.integer(), fc.constant(null))
  const json = fc.json().map((text) => Buffer.from(text).toString('base64url'))
  fc.assert(
    fc.property(fc.constantFrom(...tables), fc.dictionary(key, fc.oneof(odd, json)), (table, query) => {
      try {
        const { limit, order } = parseListQuery(table, query)
        assert.ok(limit >= 1 && limit <= contentLimits.pageRowsMax)
        assert.ok(tableShapes[table].sorts.includes(order.column))
      } catch (error) {
        assert.ok(error instanceof HostError, String(error))
        assert.equal(error.status, 400)
      }
    }),
    { numRuns: 1000 },
  )
})

const badQueries: readonly (readonly [Readonly<Record<string, unknown>>, RegExp])[] = [
  [{ 'filter[fields]': 'x' }, /cannot be filtered by "fields"; it can by id, datatype/],
  [{ 'filter[status': 'x' }, /unknown key "filter\[status"/],
  [{ sort: 'fields' }, /cannot be sorted by "fields"/],
  [{ sort: '--title' }, /cannot be sorted/],
  [{ sort: 'constructor' }, /cannot be sorted/],
  [{ limit: '0' }, /limit is "0"; it must be a number from 1 to 200/],
  [{ limit: '201' }, /limit is "201"/],
  [{ limit: '1e2' }, /limit is "1e2"/],
  [{ limit: ['1', '2'] }, /limit is given more than once/],
  [{ 'filter[slug]': 'x'.repeat(301) }, /has 301 characters; the limit is 300/],
  [{ page: '2' }, /unknown key "page"/],
]
for (const [query, message] of badQueries) {
  it(`a query is refused: ${message.source}`, () => {
    assert.throws(() => parseListQuery('content_data', query), message)
  })
}

it('pages follow one another without a gap and without a repetition, also when rows tie and come and go', async (test) => {
  const { entry, content } = await createContentFixture(test)
  for (let at = 0; at < 23; at += 1) await entry(`e-${at}`, { title: `same ${at % 3}` })
  for (const sort of ['title', '-title', '-updated_at', 'created_at', 'slug', '-id']) {
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await content.list('content_data', { sort, limit: '5', ...(cursor && { cursor }) })
      assert.ok(page.items.length <= 5)
      seen.push(...page.items.map(({ slug }) => String(slug)))
      cursor = page.nextCursor
    } while (cursor !== undefined)
    assert.equal(seen.length, 23, sort)
    assert.equal(new Set(seen).size, 23, sort)
  }
  const first = await content.list('content_data', { sort: 'slug', limit: '2' })
  await content.writer.remove('content_data', String(first.items[1]?.id), {}, testContext)
  await entry('e-00')
  const second = await content.list('content_data', { sort: 'slug', limit: '2', cursor: first.nextCursor })
  assert.deepEqual(
    second.items.map(({ slug }) => slug),
    ['e-10', 'e-11'],
  )
})

it('filters select, and combine with an order', async (test) => {
  const { entry, content } = await createContentFixture(test)
  await entry('a')
  await entry('b', { status: 'published' })
  await entry('c', { status: 'published' })
  const { items } = await content.list('content_data', { 'filter[status]': 'published', sort: '-slug' })
  assert.deepEqual(
    items.map(({ slug }) => slug),
    ['c', 'b'],
  )
  const none = await content.list('content_data', { 'filter[status]': "x' or 1=1 --" })
  assert.deepEqual(none.items, [])
  const trail = await content.list('change_events', { 'filter[table_name]': 'content_data' })
  assert.deepEqual(
    trail.items.map(({ event }) => event),
    ['publish', 'create', 'publish', 'create', 'create'],
  )
})

it('a page of large rows ends early and goes on with its cursor', async (test) => {
  const { entry, content } = await createContentFixture(test)
  const datatype = await content.reader.datatype('article')
  await content.writer.update(
    'datatypes',
    String(datatype?.id),
    { schema: { type: 'object' } },
    'merge',
    {},
    testContext,
  )
  const body = 'x'.repeat(contentLimits.fieldsBytesMax - 100)
  for (let at = 0; at < 18; at += 1) await entry(`e-${at}`, { fields: { body } })
  const first = await content.list('content_data', {})
  assert.ok(first.items.length < 18 && first.items.length >= 10, `${first.items.length} rows`)
  const second = await content.list('content_data', { cursor: first.nextCursor })
  assert.equal(first.items.length + second.items.length, 18)
  assert.equal(second.nextCursor, undefined)
})

it('a read that would look at very many rows is stopped, and the next one works', async (test) => {
  const { entry, content, database } = await createContentFixture(test)
  const row = await entry('one')
  await database.transaction(async (transaction) => {
    const rows = Array.from({ length: 500 }, (_, at) => at)
    for (let batch = 0; batch * 500 < contentLimits.scanRowsMax + 1000; batch += 1) {
      await transaction
        .insertInto('media')
        .values(
          rows.map((at) => ({
            id: `${batch}-${at}`,
            author: 'ann',
            version: 1,
            created_at: 'x',
            updated_at: 'x',
            name: 'n',
            mime_type: 'image/png',
            bytes: 1,
            url: '/x',
          })),
        )
        .execute()
    }
  })
  const where = { op: '=', column: 'alt', value: 'nothing' } as const
  const started = performance.now()
  const scan = content.reader.rows('media', { where, orderBy: [], limit: 10, bytesMax: 1000 })
  await assert.rejects(scan, (error: unknown) => {
    assert.ok(error instanceof HostError)
    assert.equal(error.code, 'DATABASE_SCAN_TOO_LONG')
    return true
  })
  assert.ok(performance.now() - started < 2000)
  await assert.rejects(content.reader.count('media', where, 1000), /was stopped/)
  assert.ok((await content.reader.count('media', undefined, 1_000_000)) > contentLimits.scanRowsMax)
  const page = await content.list('media', { 'filter[mime_type]': 'image/png', limit: '200' })
  assert.equal(page.items.length, 200)
  assert.deepEqual(await content.reader.get('content_data', String(row.id)), row)
})
