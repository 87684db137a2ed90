import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { HostError } from '../../../src/base/errors.js'
import { createContent } from '../../../src/content/content-service.js'
import type { HookRow } from '../../../src/content/hook-runner.js'
import { noHooks } from '../../../src/content/noop-hooks.js'
import { type ContentFixture, createContentFixture, testContext } from '../../helpers/content-fixture.js'

function failure(code: string, message?: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof HostError, String(error))
    assert.equal(error.code, code)
    if (message !== undefined) assert.match(error.message, message)
    return true
  }
}

function change(
  { content }: ContentFixture,
  row: HookRow,
  set: Readonly<Record<string, unknown>>,
  version?: number,
): Promise<HookRow> {
  return content.writer.update('content_data', String(row.id), set, 'merge', { version }, testContext)
}

it('a new entry gets what the host sets, and is kept with its change event', async (test) => {
  const { entry, content, events, hooks, database } = await createContentFixture(test)
  const row = await entry('one')
  assert.match(String(row.id), /^[0-9A-HJKMNP-TV-Z]{26}$/)
  assert.equal(row.version, 1)
  assert.equal(row.author, 'ann')
  assert.equal(row.status, 'draft')
  assert.equal(row.published_at, null)
  assert.deepEqual(await content.reader.get('content_data', String(row.id)), row)
  assert.deepEqual(await events(), ['create datatypes', 'create content_data'])
  assert.deepEqual(hooks.notes, ['before create content_data', 'queued create content_data', 'committed'])
  const stored = await database.kysely
    .selectFrom('change_events')
    .selectAll()
    .orderBy('id', 'desc')
    .executeTakeFirst()
  assert.equal(stored?.before, null)
  assert.deepEqual(JSON.parse(stored?.after ?? ''), row)
  assert.equal(stored?.request_id, 'req-1')
  assert.equal(stored?.actor, 'ann')
})

it('an update that changes the status is an update and a publication', async (test) => {
  const fixture = await createContentFixture(test)
  const row = await fixture.entry('one')
  fixture.hooks.notes.length = 0
  const published = await change(fixture, row, { status: 'published', title: 'New' })
  assert.equal(published.published_at, published.updated_at)
  assert.deepEqual(fixture.hooks.notes, [
    'before update content_data',
    'before publish content_data',
    'queued update content_data',
    'queued publish content_data',
    'committed',
  ])
  const again = await change(fixture, published, { title: 'Newer' })
  assert.equal(again.published_at, published.published_at)
  const archived = await change(fixture, again, { status: 'archived' })
  assert.equal(archived.published_at, published.published_at)
  const events = await fixture.events()
  assert.deepEqual(events.slice(2), [
    'update content_data',
    'publish content_data',
    'update content_data',
    'update content_data',
    'archive content_data',
  ])
})

it('an entry that is created published fires both events', async (test) => {
  const { entry, hooks } = await createContentFixture(test)
  await entry('one', { status: 'published' })
  assert.deepEqual(hooks.notes.slice(0, 2), ['before create content_data', 'before publish content_data'])
})

it('publishing and archiving are events of their own', async (test) => {
  const { entry, hooks, content } = await createContentFixture(test)
  const row = await entry('one')
  hooks.notes.length = 0
  const published = await content.writer.setStatus('published', String(row.id), {}, testContext)
  assert.equal(published.status, 'published')
  const archived = await content.writer.setStatus('archived', String(row.id), { version: 2 }, testContext)
  assert.equal(archived.version, 3)
  assert.deepEqual(
    hooks.notes.filter((note) => note.startsWith('before')),
    ['before publish content_data', 'before archive content_data'],
  )
})

it('of two updates for the same version exactly one wins', async (test) => {
  const fixture = await createContentFixture(test)
  const row = await fixture.entry('one')
  const tries = ['a', 'b', 'c', 'd'].map((title) => change(fixture, row, { title }, 1))
  const results = await Promise.allSettled(tries)
  const won = results.filter(({ status }) => status === 'fulfilled')
  assert.equal(won.length, 1)
  for (const result of results) {
    if (result.status === 'rejected') failure('CONTENT_VERSION_CONFLICT')(result.reason)
  }
  const stored = await fixture.content.reader.get('content_data', String(row.id))
  assert.equal(stored?.version, 2)
  assert.equal(fixture.hooks.writes.filter(({ write }) => write.event === 'update').length, 1)
})

it('a row that changes while its hooks run is not overwritten, also when the client named no version', async (test) => {
  const fixture = await createContentFixture(test)
  const row = await fixture.entry('one')
  let runs = 0
  fixture.hooks.onBefore = async ({ row: proposed }) => {
    runs += 1
    if (runs === 1) await change(fixture, row, { title: 'from elsewhere' })
    return proposed
  }
  await assert.rejects(change(fixture, row, { title: 'mine' }), failure('CONTENT_VERSION_CONFLICT'))
  const stored = await fixture.content.reader.get('content_data', String(row.id))
  assert.equal(stored?.title, 'from elsewhere')
})

it('a row that is deleted while its hooks run is not written and not deleted twice', async (test) => {
  const { entry, content, hooks } = await createContentFixture(test)
  const row = await entry('one')
  const id = String(row.id)
  let runs = 0
  hooks.onBefore = async ({ row: proposed }) => {
    runs += 1
    if (runs === 1) await content.writer.remove('content_data', id, {}, testContext)
    return proposed
  }
  await assert.rejects(
    content.writer.remove('content_data', id, {}, testContext),
    failure('CONTENT_VERSION_CONFLICT'),
  )
  assert.equal(hooks.writes.filter(({ write }) => write.event === 'delete').length, 1)
})

it('what a hook changes is stored, checked and seen by the next event', async (test) => {
  const fixture = await createContentFixture(test)
  const row = await fixture.entry('one')
  fixture.hooks.onBefore = ({ event, row: proposed }) =>
    event === 'update' ? { ...proposed, status: 'published' } : { ...proposed, title: `${proposed.title}!` }
  const stored = await change(fixture, row, { title: 'New' })
  assert.equal(stored.title, 'New!')
  assert.equal(stored.status, 'published')
  assert.equal(stored.published_at, stored.updated_at)
  assert.deepEqual(await fixture.content.reader.get('content_data', String(row.id)), stored)
})

const badResults: readonly (readonly [string, (row: HookRow) => HookRow, RegExp])[] = [
  ['a column of the host', (row) => ({ ...row, author: 'mallory' }), /a hook cannot change author/],
  ['the id', (row) => ({ ...row, id: '0'.repeat(26) }), /a hook cannot change id/],
  ['the version', (row) => ({ ...row, version: 99 }), /a hook cannot change version/],
  ['an unknown column', (row) => ({ ...row, evil: 1 }), /there is no column "evil"/],
  ['a bad value', (row) => ({ ...row, slug: 'Not A Slug' }), /slug must be lower-case/],
  ['fields against the schema', (row) => ({ ...row, fields: {} }), /fields lacks the member "body"/],
  ['a datatype that is absent', (row) => ({ ...row, datatype: 'ghost' }), /datatype "ghost" does not exist/],
]
for (const [what, spoil, message] of badResults) {
  it(`a hook cannot set ${what}`, async (test) => {
    const { entry, hooks, events } = await createContentFixture(test)
    hooks.onBefore = ({ row }) => spoil(row)
    await assert.rejects(entry('one'), failure('CONTENT_HOOK_RESULT_INVALID', message))
    assert.deepEqual(await events(), ['create datatypes'])
  })
}

it('a hook of a publication cannot undo it in silence', async (test) => {
  const { entry, hooks, content } = await createContentFixture(test)
  const row = await entry('one')
  hooks.onBefore = ({ row: proposed }) => ({ ...proposed, status: 'draft' })
  const publishing = content.writer.setStatus('published', String(row.id), {}, testContext)
  await assert.rejects(publishing, failure('CONTENT_HOOK_RESULT_INVALID', /cannot change status/))
})

it('a veto leaves nothing behind', async (test) => {
  const { entry, hooks, events, content } = await createContentFixture(test)
  hooks.onBefore = () => {
    throw new HostError('HOOK_VETOED', 422, 'plugin "guard" refused')
  }
  await assert.rejects(entry('one'), failure('HOOK_VETOED'))
  assert.equal(await content.reader.count('content_data', undefined, 10), 0)
  assert.deepEqual(await events(), ['create datatypes'])
  assert.ok(!hooks.notes.includes('committed'))
})

it('when the deliveries cannot be queued, the write is undone', async (test) => {
  const { entry, hooks, events, content } = await createContentFixture(test)
  hooks.onEnqueue = () => {
    throw new Error('no room')
  }
  await assert.rejects(entry('one'), /no room/)
  assert.equal(await content.reader.count('content_data', undefined, 10), 0)
  assert.deepEqual(await events(), ['create datatypes'])
  assert.ok(!hooks.notes.includes('committed'))
})

it('before-hooks run outside any transaction: others can write meanwhile', async (test) => {
  const { entry, hooks, database } = await createContentFixture(test)
  let wrote = false
  hooks.onBefore = async ({ row }) => {
    await database.transaction(async (transaction) => {
      await transaction.selectFrom('datatypes').select('id').execute()
      wrote = true
    })
    return row
  }
  await entry('one')
  assert.ok(wrote)
})

it('a slug, and the name of a datatype, belong to one row', async (test) => {
  const fixture = await createContentFixture(test)
  const { entry, content } = fixture
  await entry('one')
  await assert.rejects(entry('one'), failure('CONTENT_DUPLICATE', /slug/))
  const second = await entry('two')
  await assert.rejects(change(fixture, second, { slug: 'one' }), failure('CONTENT_DUPLICATE'))
  const twin = content.writer.create(
    'datatypes',
    { name: 'article', schema: { type: 'object' } },
    testContext,
  )
  await assert.rejects(twin, failure('CONTENT_DUPLICATE', /name/))
  const racing = await Promise.allSettled([entry('three'), entry('three')])
  assert.equal(racing.filter(({ status }) => status === 'fulfilled').length, 1)
})

it('an entry is never stored against a schema that has changed meanwhile', async (test) => {
  const { entry, hooks, content } = await createContentFixture(test)
  const [datatype] = (await content.list('datatypes', {})).items
  const id = String(datatype?.id)
  let isFirst = true
  hooks.onEnqueue = () => undefined
  const strict = { type: 'object', properties: {}, additionalProperties: false }
  const original = content.reader.datatype.bind(content.reader)
  let reads = 0
  // The second look at the datatype is the last one before the transaction.
  content.reader.datatype = async (name) => {
    const row = await original(name)
    reads += 1
    if (reads === 2 && isFirst) {
      isFirst = false
      await content.writer.update('datatypes', id, { schema: strict }, 'merge', {}, testContext)
    }
    return row
  }
  await assert.rejects(entry('one'), failure('CONTENT_DATATYPE_CHANGED'))
})

it('a datatype with entries stays, and its name never changes', async (test) => {
  const { entry, content } = await createContentFixture(test)
  const row = await entry('one')
  const datatype = await content.reader.datatype('article')
  const id = String(datatype?.id)
  await assert.rejects(
    content.writer.remove('datatypes', id, {}, testContext),
    failure('CONTENT_DATATYPE_IN_USE'),
  )
  const renaming = content.writer.update('datatypes', id, { name: 'other' }, 'merge', {}, testContext)
  await assert.rejects(renaming, failure('CONTENT_INVALID', /name cannot be changed/))
  await content.writer.remove('content_data', String(row.id), {}, testContext)
  await content.writer.remove('datatypes', id, {}, testContext)
  assert.equal(await content.reader.datatype('article'), undefined)
})

it('an entry that has stayed behind a stricter schema can be archived and not published', async (test) => {
  const { entry, content } = await createContentFixture(test)
  const row = await entry('one')
  const datatype = await content.reader.datatype('article')
  const strict = { type: 'object', required: ['missing'] }
  await content.writer.update('datatypes', String(datatype?.id), { schema: strict }, 'merge', {}, testContext)
  const publishing = content.writer.setStatus('published', String(row.id), {}, testContext)
  await assert.rejects(publishing, failure('CONTENT_INVALID', /lacks the member "missing"/))
  const archived = await content.writer.setStatus('archived', String(row.id), {}, testContext)
  assert.equal(archived.status, 'archived')
})

it('replacing gives what is left out the value of a new row, and needs what is required', async (test) => {
  const { entry, content } = await createContentFixture(test)
  const row = await entry('one', { status: 'published' })
  const given = { datatype: 'article', slug: 'one', title: 'Replaced', fields: { body: 'b' } }
  const replaced = await content.writer.update(
    'content_data',
    String(row.id),
    given,
    'replace',
    {},
    testContext,
  )
  assert.equal(replaced.status, 'draft')
  const partial = content.writer.update(
    'content_data',
    String(row.id),
    { slug: 'one' },
    'replace',
    {},
    testContext,
  )
  await assert.rejects(partial, failure('CONTENT_INVALID', /^datatype is missing; title is missing$/))
})

async function invalid(
  test: TestContext,
  input: Readonly<Record<string, unknown>>,
  message: RegExp,
): Promise<void> {
  const { entry, hooks } = await createContentFixture(test)
  await assert.rejects(entry('one', input), failure('CONTENT_INVALID', message))
  assert.deepEqual(hooks.notes, [])
}

const badInputs: readonly (readonly [Readonly<Record<string, unknown>>, RegExp])[] = [
  [{ slug: 'a--b' }, /slug must be/],
  [{ slug: `${'a'.repeat(129)}` }, /slug has 129 characters; the limit is 128/],
  [{ slug: 'ä' }, /slug must be/],
  [{ slug: 7 }, /slug must be a text/],
  [{ title: '   ' }, /title must not be empty/],
  [{ title: 'a\u0000b' }, /title has a control character/],
  [{ title: '\ud800' }, /title is not valid Unicode/],
  [{ status: 'live' }, /status must be one of draft, published, archived/],
  [{ fields: [] }, /fields must be an object/],
  [{ fields: null }, /fields must be an object/],
  [{ fields: { body: 1 } }, /fields.body must be string/],
  [{ fields: { body: 'x', extra: 1 } }, /fields has the unknown member "extra"/],
  [{ fields: { body: 'x'.repeat(300_000) } }, /fields have 300011 bytes as JSON; the limit is 262144/],
  [{ id: 'x' }, /id is set by the host/],
  [{ author: 'mallory' }, /author is set by the host/],
  [{ constructor: 'x' }, /no column "constructor"/],
  [{ nonsense: 1 }, /content_data has no column "nonsense"; it takes datatype/],
  [{ datatype: 'ghost' }, /datatype "ghost" does not exist/],
]
for (const [input, message] of badInputs) {
  it(`input is refused before any hook runs: ${message.source}`, (test) => invalid(test, input, message))
}

const badUrls = [
  'javascript:alert(1)',
  '//evil.example/x',
  '/\\evil',
  'data:text/html,x',
  'http:// x',
  '',
  'x.png',
]
it('the address of a medium is one of the web or a path of this server', async (test) => {
  const { content } = await createContentFixture(test)
  const medium = { name: 'a.png', mime_type: 'image/png', bytes: 10 }
  for (const url of badUrls) {
    await assert.rejects(
      content.writer.create('media', { ...medium, url }, testContext),
      failure('CONTENT_INVALID'),
    )
  }
  for (const url of ['/media/a.png', 'https://cdn.example/a.png', 'HTTP://cdn.example/a.png']) {
    assert.equal((await content.writer.create('media', { ...medium, url }, testContext)).alt, '')
  }
})

it('content works in a host without plugins', async (test) => {
  const { database } = await createContentFixture(test)
  const content = createContent({ database, hooks: noHooks })
  const medium = { name: 'a.png', mime_type: 'image/png', bytes: 10, url: '/a.png' }
  const row = await content.writer.create('media', medium, testContext)
  await content.writer.remove('media', String(row.id), { version: 1 }, testContext)
  assert.equal(await content.reader.get('media', String(row.id)), undefined)
})
