import assert from 'node:assert/strict'
import { it } from 'node:test'
import { contentLimits } from '../../src/base/limits/content.js'
import { plugin, startHost, type TestHost, useHost } from '../helpers/create-host.js'
import type { Answer, Sending } from '../helpers/http-client.js'

const host = useHost({ plugins: {} })

const base = '/api/v1/content'

function send(
  method: string,
  path: string,
  sending: Sending = {},
  server: TestHost = host(),
): Promise<Answer> {
  const headers = { ...server.credentials, ...sending.headers }
  return server.send(method, `${base}${path}`, { ...sending, headers })
}

interface Row {
  readonly id: string
  readonly version: number
  readonly [column: string]: unknown
}

async function made(table: string, json: unknown, server: TestHost = host()): Promise<Row> {
  const answer = await send('POST', `/${table}`, { json }, server)
  assert.equal(answer.status, 201, answer.text)
  assert.equal(answer.headers.location, `${base}/${table}/${answer.json<Row>().id}`)
  return answer.json()
}

const schema = { type: 'object', properties: { body: { type: 'string' } }, required: ['body'] }

async function article(slug: string, more: object = {}, server: TestHost = host()): Promise<Row> {
  const known = await send('GET', '/datatypes?filter%5Bname%5D=article', {}, server)
  if (known.json<{ items: unknown[] }>().items.length === 0) {
    await made('datatypes', { name: 'article', schema }, server)
  }
  return made(
    'content_data',
    { datatype: 'article', slug, title: 'T', fields: { body: slug }, ...more },
    server,
  )
}

it('an entry goes its way: created, changed, published, delivered, archived, deleted', async () => {
  const row = await article('way')
  assert.equal((await host().send('GET', `${base}/by-slug/way`)).status, 404)
  const changed = await send('PATCH', `/content_data/${row.id}`, { json: { title: 'New', version: 1 } })
  assert.equal(changed.headers.etag, '"2"')
  const published = await send('POST', `/content_data/${row.id}/publish`, { headers: { 'if-match': '"2"' } })
  assert.equal(published.json<Row>().status, 'published')
  const delivered = await host().send('GET', `${base}/by-slug/way`)
  assert.equal(delivered.status, 200)
  const { author, ...known } = published.json<Row>()
  assert.equal(author, 'admin')
  assert.deepEqual(delivered.json(), known)
  assert.equal(delivered.headers['cache-control'], 'no-store')
  const shown = await send('GET', `/content_data/${row.id}`)
  assert.deepEqual(shown.json(), published.json())
  const archived = await send('POST', `/content_data/${row.id}/archive`)
  assert.equal(archived.json<Row>().version, 4)
  assert.equal((await host().send('GET', `${base}/by-slug/way`)).code, 'CONTENT_NOT_FOUND')
  const gone = await send('DELETE', `/content_data/${row.id}`, { headers: { 'if-match': '"4"' } })
  assert.equal(gone.status, 204)
  assert.equal(gone.text, '')
  assert.equal((await send('GET', `/content_data/${row.id}`)).code, 'CONTENT_NOT_FOUND')
  const trail = await send('GET', `/change_events?filter%5Brow_id%5D=${row.id}&sort=id`)
  const items = trail.json<{ items: { event: string; actor: string; after: Row | null }[] }>().items
  assert.deepEqual(
    items.map(({ event }) => event),
    ['create', 'update', 'publish', 'archive', 'delete'],
  )
  assert.equal(items[1]?.actor, 'admin')
  assert.equal(items[1]?.after?.title, 'New')
  assert.equal(items[4]?.after, null)
})

it('of two changes for the same version exactly one wins', async () => {
  const row = await article('race')
  const patch = (title: string) => send('PATCH', `/content_data/${row.id}`, { json: { title, version: 1 } })
  const answers = await Promise.all([patch('a'), patch('b'), patch('c')])
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409, 409])
  assert.ok(answers.every(({ status, code }) => status === 200 || code === 'CONTENT_VERSION_CONFLICT'))
  const stale = await send('DELETE', `/content_data/${row.id}`, { headers: { 'if-match': '"1"' } })
  assert.equal(stale.status, 409)
})

const denied: readonly (readonly [string, string])[] = [
  ['GET', '/content_data'],
  ['GET', '/content_data/x'],
  ['POST', '/content_data'],
  ['PATCH', '/content_data/x'],
  ['PUT', '/content_data/x'],
  ['DELETE', '/content_data/x'],
  ['POST', '/content_data/x/publish'],
  ['POST', '/content_data/x/archive'],
  ['GET', '/datatypes'],
  ['GET', '/media'],
  ['GET', '/change_events'],
]
for (const [method, path] of denied) {
  it(`${method} ${path} needs the credential of an admin`, async () => {
    const without = await host().send(method, base + path)
    assert.equal(without.status, 401)
    assert.equal(without.code, 'UNAUTHORIZED')
    assert.equal(without.headers['www-authenticate'], 'Bearer')
    const cookie = { cookie: `modulacms_session=${host().host.adminToken.token}` }
    assert.equal((await host().send(method, base + path, { headers: cookie })).status, 401)
    const wrong = { authorization: 'Bearer wrong-wrong-wrong-wrong' }
    assert.equal((await host().send(method, base + path, { headers: wrong })).status, 401)
  })
}

it('change events cannot be written, and other tables are not there', async () => {
  for (const [method, path] of [
    ['POST', '/change_events'],
    ['DELETE', '/change_events/x'],
    ['GET', '/plugins'],
    ['GET', '/core_migrations'],
    ['POST', '/media/x/publish'],
    ['GET', '/content_data/..%2f..%2fadmin'],
  ] as const) {
    const answer = await send(method, path, method === 'POST' ? { json: {} } : {})
    assert.equal(answer.status, 404, `${method} ${path}: ${answer.text}`)
  }
})

const refusals: readonly (readonly [string, string, string, Sending, number, string, RegExp])[] = [
  ['no body', 'POST', '/media', {}, 400, 'INVALID_REQUEST', /must be a JSON object/],
  ['a list', 'POST', '/media', { json: [] }, 400, 'INVALID_REQUEST', /must be a JSON object/],
  [
    'no JSON',
    'POST',
    '/media',
    { body: '{', headers: { 'content-type': 'application/json' } },
    400,
    'INVALID_REQUEST',
    /could not be read/,
  ],
  [
    'a form',
    'POST',
    '/media',
    { body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    415,
    'INVALID_REQUEST',
    /./,
  ],
  [
    'a prototype',
    'POST',
    '/media',
    { body: '{"__proto__":{"a":1}}', headers: { 'content-type': 'application/json' } },
    400,
    'INVALID_REQUEST',
    /./,
  ],
  [
    'too much',
    'POST',
    '/media',
    { json: { name: 'x'.repeat(contentLimits.bodyBytesMax) } },
    413,
    'INVALID_REQUEST',
    /limit of 524288/,
  ],
  [
    'every problem at once',
    'POST',
    '/media',
    { json: { bytes: -1, evil: 1 } },
    422,
    'CONTENT_INVALID',
    /no column "evil".*name is missing.*mime_type is missing.*url is missing.*bytes must be/,
  ],
  [
    'a bad version',
    'PATCH',
    '/media/x',
    { json: { version: '1' } },
    400,
    'INVALID_REQUEST',
    /version must be/,
  ],
  [
    'a bad If-Match',
    'PATCH',
    '/media/x',
    { json: {}, headers: { 'if-match': '"a"' } },
    400,
    'INVALID_REQUEST',
    /If-Match/,
  ],
  [
    'two versions',
    'PATCH',
    '/media/x',
    { json: { version: 1 }, headers: { 'if-match': '"2"' } },
    400,
    'INVALID_REQUEST',
    /different versions/,
  ],
  [
    'columns for a publication',
    'POST',
    '/content_data/x/publish',
    { json: { title: 'a' } },
    400,
    'INVALID_REQUEST',
    /takes no columns/,
  ],
  [
    'a filter of its own',
    'GET',
    '/media?filter%5Burl%5D=x',
    {},
    400,
    'CONTENT_QUERY_INVALID',
    /cannot be filtered by "url"/,
  ],
  ['a key twice', 'GET', '/media?sort=name&sort=id', {}, 400, 'CONTENT_QUERY_INVALID', /more than once/],
  [
    'a cursor of its own',
    'GET',
    '/media?cursor=abc',
    {},
    400,
    'CONTENT_CURSOR_INVALID',
    /cursor does not belong/,
  ],
  ['an absent row', 'PATCH', '/media/x', { json: {} }, 404, 'CONTENT_NOT_FOUND', /no row of media "x"/],
  [
    'a schema with a reference',
    'POST',
    '/datatypes',
    { json: { name: 'r', schema: { type: 'object', $ref: 'http://127.0.0.1/' } } },
    422,
    'CONTENT_INVALID',
    /\$ref is not supported/,
  ],
]
for (const [what, method, path, sending, status, code, message] of refusals) {
  it(`a request is refused for ${what}`, async () => {
    const answer = await send(method, path, sending)
    assert.equal(answer.status, status, answer.text)
    const { error } = answer.json<{ error: { code: string; message: string; request_id: string } }>()
    assert.equal(error.code, code)
    assert.match(error.message, message)
    assert.equal(error.request_id, answer.headers['x-request-id'])
  })
}

it('replacing and listing work over sockets, page by page', async () => {
  for (let at = 0; at < 5; at += 1) {
    await made('media', { name: `${at}.png`, mime_type: 'image/webp', bytes: at, url: `/${at}.png` })
  }
  const query = '/media?filter%5Bmime_type%5D=image/webp&sort=-name&limit=2'
  const first = (await send('GET', query)).json<{ items: Row[]; next_cursor: string }>()
  const second = (await send('GET', `${query}&cursor=${first.next_cursor}`)).json<typeof first>()
  const last = (await send('GET', `${query}&cursor=${second.next_cursor}`)).json<typeof first>()
  const names = [...first.items, ...second.items, ...last.items].map(({ name }) => name)
  assert.deepEqual(names, ['4.png', '3.png', '2.png', '1.png', '0.png'])
  assert.equal(last.next_cursor, undefined)
  const row = first.items[0]
  const put = await send('PUT', `/media/${row?.id}`, {
    json: { name: 'new.png', mime_type: 'image/webp', bytes: 1, url: '/new.png' },
  })
  assert.equal(put.json<Row>().version, 2)
  assert.equal(put.json<Row>().alt, '')
})

it('a duplicate is told without SQL', async () => {
  await article('twice')
  const json = { datatype: 'article', slug: 'twice', title: 'T', fields: { body: 'x' } }
  const answer = await send('POST', '/content_data', { json })
  assert.equal(answer.status, 409)
  assert.equal(answer.code, 'CONTENT_DUPLICATE')
  assert.doesNotMatch(answer.text, /sqlite|constraint/i)
})

it('deliveries are limited by address', async (test) => {
  const server = await startHost(test, { plugins: {}, config: { plugin_rate_limit: 3 } })
  const answers = await Promise.all(Array.from({ length: 8 }, () => server.send('GET', `${base}/by-slug/x`)))
  const limited = answers.filter(({ status }) => status === 429)
  assert.ok(limited.length >= 4, `${limited.length} were limited`)
  assert.equal(limited[0]?.code, 'RATE_LIMITED')
  assert.equal(limited[0]?.headers['retry-after'], '1')
})

it('content outlives the host, and the OpenAPI document knows its operations', async (test) => {
  const server = await startHost(test, { plugins: {} })
  await article('lasting', { status: 'published' }, server)
  await server.restart()
  assert.equal((await server.send('GET', `${base}/by-slug/lasting`)).status, 200)
  const document = (await server.send('GET', '/api/v1/openapi.json')).json<{
    paths: Record<string, object>
  }>()
  assert.ok('post' in (document.paths[`${base}/content_data/{id}/publish`] ?? {}))
  assert.ok('get' in (document.paths[`${base}/by-slug/{slug}`] ?? {}))
})

it('a plugin without an approval gets nothing of the core tables', async (test) => {
  const curious = plugin(
    'curious',
    `http.handle("GET", "/", function()
       local rows, read = core.query("content_data")
       local id, write = core.insert("content_data", { slug = "x" })
       local _, other = core.query("plugins")
       local misuse, text = pcall(core.update, "content_data", { set = { title = "x" }, where = {} })
       return { json = { rows = rows, read = read, id = id, write = write, other = other, misuse = misuse, text = tostring(text) } }
     end, { public = true })`,
    '1.0.0',
    'core_access = { content_data = { "read", "write" } }',
  )
  const server = await startHost(test, { plugins: { 'curious/init.lua': curious }, approve: false })
  const { plugins } = server.host
  await plugins.approveRoutes(plugins.routes(), 'test')
  const answer = (await server.call('GET', '/curious/')).json<Record<string, unknown>>()
  assert.equal(answer.rows, undefined)
  assert.equal(answer.id, undefined)
  assert.match(String(answer.read), /has no approved access/)
  assert.match(String(answer.write), /has no approved access/)
  assert.match(String(answer.other), /not accessible to plugins/)
  assert.equal(answer.misuse, false)
  assert.match(String(answer.text), /non-empty where/)
})
