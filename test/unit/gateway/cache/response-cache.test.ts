import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { HostError } from '../../../../src/base/errors.js'
import { addCacheRoutes } from '../../../../src/gateway/cache/cache-routes.js'
import { ResponseCache, type ResponseCacheOptions } from '../../../../src/gateway/cache/response-cache.js'
import { type CacheServer, startCacheServer, type WireAnswer } from '../../../helpers/cache-server.js'

let server: CacheServer
afterEach(() => server.close())

async function serve(
  answer: (request: FastifyRequest, reply: FastifyReply, count: number) => unknown,
  cache: Partial<ResponseCacheOptions> = {},
): Promise<void> {
  let count = 0
  server = await startCacheServer(
    (app) => {
      app.setErrorHandler((error, _request, reply) => {
        const { status, code, message } = error as HostError
        return reply.code(error instanceof HostError ? status : 400).send({ error: message, code })
      })
      app.get('/*', async (request, reply) => {
        count += 1
        return answer(request, reply, count)
      })
      app.post('/*', async () => 'written')
      app.register(
        async (area) => {
          addCacheRoutes(area, later())
        },
        { prefix: '/late' },
      )
    },
    { cache },
  )
}

/** The routes are added before the server is there. */
function later(): ResponseCache {
  return {
    stats: () => server.cache.stats(),
    invalidate: (what: object) => server.cache.invalidate(what as never),
  } as never
}

const lived: readonly (readonly [string, number, Readonly<Record<string, string>>, number])[] = [
  ['nothing at all', 200, {}, 60],
  ['max-age', 200, { 'cache-control': 'max-age=10' }, 10],
  ['max-age in quotes', 200, { 'cache-control': 'Max-Age="10"' }, 10],
  ['s-maxage over max-age', 200, { 'cache-control': 'max-age=1, s-maxage=10' }, 10],
  ['max-age less Age', 200, { 'cache-control': 'max-age=15', age: '5' }, 10],
  ['max-age over Expires', 200, { 'cache-control': 'max-age=10', expires: '0' }, 10],
  ['Expires', 200, { date: 'Thu, 01 Jan 2026 00:00:00 GMT', expires: 'Thu, 01 Jan 2026 00:00:10 GMT' }, 10],
  [
    'Surrogate-Control over no-store',
    200,
    { 'cache-control': 'no-store', 'surrogate-control': 'max-age=10' },
    10,
  ],
  ['Surrogate-Control with stale seconds', 200, { 'surrogate-control': 'max-age=10+60' }, 10],
  ['status 404 and max-age', 404, { 'cache-control': 'max-age=10' }, 10],
  ['status 301 and max-age', 301, { location: '/b', 'cache-control': 'max-age=10' }, 10],
]
for (const [name, status, headers, seconds] of lived) {
  test(`an answer with ${name} lives for ${seconds} seconds`, async () => {
    let nowMs = 1000
    await serve((_request, reply, count) => reply.code(status).headers(headers).send(`answer ${count}`), {
      now: () => nowMs,
    })
    assert.equal((await server.ask('/a')).headers['x-cache'], 'MISS')
    nowMs += seconds * 1000 - 1
    const hit = await server.ask('/a')
    assert.equal(hit.headers['x-cache'], 'HIT')
    assert.equal(hit.status, status)
    assert.equal(hit.body, 'answer 1')
    assert.equal(hit.headers.age, String(Number(headers.age ?? 0) + seconds - 1))
    assert.equal(hit.headers['cache-control'], headers['cache-control'])
    assert.equal(hit.headers['surrogate-control'], undefined)
    nowMs += 1
    assert.equal((await server.ask('/a')).body, 'answer 2')
  })
}

test('a client may ask for a fresh answer, which is kept for others', async () => {
  let nowMs = 0
  await serve((_request, _reply, count) => `answer ${count}`, { now: () => nowMs })
  await server.ask('/a')
  let count = 1
  for (const headers of [
    { 'cache-control': 'no-cache' },
    { 'cache-control': 'max-age=0' },
    { pragma: 'no-cache' },
  ]) {
    count += 1
    nowMs += 1
    assert.equal((await server.ask('/a', { headers: headers as never })).body, `answer ${count}`)
    assert.equal((await server.ask('/a')).body, `answer ${count}`)
  }
  nowMs += 5000
  assert.equal(
    (await server.ask('/a', { headers: { 'cache-control': 'max-age=5' } })).headers['x-cache'],
    'HIT',
  )
  nowMs += 1
  assert.equal(
    (await server.ask('/a', { headers: { 'cache-control': 'max-age=5' } })).headers['x-cache'],
    'MISS',
  )
})

test('HEAD is answered from GET, and GET not from HEAD', async () => {
  await serve((_request, _reply, count) => `answer ${count}`)
  assert.equal((await server.ask('/a', { method: 'HEAD' })).headers['x-cache'], 'MISS')
  assert.equal((await server.ask('/a')).headers['x-cache'], 'MISS')
  const head = await server.ask('/a', { method: 'HEAD' })
  assert.equal(head.headers['x-cache'], 'HIT')
  assert.equal(head.headers['content-length'], String('answer 2'.length))
  assert.equal(head.body, '')
})

test('a client that has the answer is told so', async () => {
  await serve((_request, reply) =>
    reply.header('last-modified', 'Thu, 01 Jan 2026 00:00:00 GMT').header('vary', 'accept').send('hello'),
  )
  await server.ask('/a')
  const tag = String((await server.ask('/a')).headers.etag)
  assert.match(tag, /^W\/"[\w-]+"$/)
  for (const known of [tag, tag.slice(2), `"x", ${tag}`, '*']) {
    const answer = await server.ask('/a', { headers: { 'if-none-match': known } })
    assert.equal(answer.status, 304, known)
    assert.equal(answer.body, '')
    assert.equal(answer.headers.etag, tag)
    assert.equal(answer.headers.vary, 'accept')
    assert.equal(answer.headers['content-type'], undefined)
  }
  assert.equal(
    (
      await server.ask('/a', {
        headers: { 'if-none-match': '"x"', 'if-modified-since': 'Fri, 02 Jan 2026 00:00:00 GMT' },
      })
    ).status,
    200,
  )
  assert.equal(
    (await server.ask('/a', { headers: { 'if-modified-since': 'Thu, 01 Jan 2026 00:00:00 GMT' } })).status,
    304,
  )
  assert.equal(
    (await server.ask('/a', { headers: { 'if-modified-since': 'Wed, 31 Dec 2025 00:00:00 GMT' } })).status,
    200,
  )
})

test('bytes come back as they were', async () => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, at) => at))
  await serve((_request, reply) => reply.type('image/png').send(bytes))
  await server.ask('/a')
  const hit = await server.ask('/a')
  assert.equal(hit.headers['x-cache'], 'HIT')
  assert.equal(hit.headers['content-type'], 'image/png')
  assert.ok(hit.bytes.equals(bytes))
})

test('excluded paths and methods that are not held are left alone', async () => {
  await serve((_request, _reply, count) => `answer ${count}`, {
    isExcluded: (path) => path.startsWith('/health'),
  })
  for (const count of [1, 2]) assert.equal((await server.ask('/health')).body, `answer ${count}`)
  await server.close()
  await serve((_request, _reply, count) => `answer ${count}`, { methods: ['HEAD'] })
  for (const count of [1, 2]) assert.equal((await server.ask('/a')).body, `answer ${count}`)
  assert.throws(() => new ResponseCache({ enabled: true, methods: ['POST'] }), {
    code: 'CACHE_METHOD_INVALID',
  })
  assert.throws(() => new ResponseCache({ enabled: true, varyBy: ['a b'] }), {
    code: 'CACHE_VARY_BY_INVALID',
  })
})

test('bounds of entries and bytes hold, and what was used last stays', async () => {
  await serve(() => 'x'.repeat(1000), { maxEntries: 3 })
  for (const path of ['/a', '/b', '/c', '/a', '/d']) await server.ask(path)
  const is = async (path: string) => (await server.ask(path, { method: 'HEAD' })).headers['x-cache']
  assert.deepEqual(
    [await is('/a'), await is('/b'), await is('/c'), await is('/d')],
    ['HIT', 'MISS', 'HIT', 'HIT'],
  )
  assert.equal(server.cache.stats().evictions, 1)
  await server.close()
  await serve(() => 'x'.repeat(1000), { maxBytes: 5000 })
  for (const path of ['/a', '/b', '/c', '/d', '/e']) await server.ask(path)
  const { entries, bytes } = server.cache.stats()
  assert.ok(entries >= 1 && entries < 5 && bytes <= 5000)
})

function invalidate(body: unknown): Promise<WireAnswer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return server.ask('/late/cache/invalidate', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) },
    onRequest: (sent) => sent.write(text),
  })
}

test('answers are taken out by key, tag, pattern, and all at once', async () => {
  await serve((request, reply) =>
    reply.header('cache-tag', request.url.startsWith('/p') ? 'pages, all' : 'all').send('x'),
  )
  const fill = async () => {
    for (const path of ['/p/1', '/p/2', '/q?x=1']) await server.ask(path)
    await server.ask('/p/1', { headers: { host: 'other.test' } })
  }
  const cases: readonly (readonly [object, string, number])[] = [
    [{ key: 'GET:/p/1' }, '{"invalidated":1}', 2],
    [{ key: 'GET:other.test/p/1' }, '{"invalidated":1}', 3],
    [{ key: '/q' }, '{"invalidated":0}', 4],
    [{ key: '/q?x=1' }, '{"invalidated":1}', 3],
    [{ tag: 'pages' }, '{"invalidated":3}', 1],
    [{ tag: 'none' }, '{"invalidated":0}', 4],
    [{ pattern: '/p/*' }, '{"invalidated":3}', 1],
    [{ pattern: 'other.test/*' }, '{"invalidated":1}', 3],
    [{ pattern: '/q?x=*' }, '{"invalidated":1}', 3],
    [{}, '{"invalidated":"all"}', 0],
  ]
  for (const [body, expected, left] of cases) {
    await fill()
    assert.equal(server.cache.stats().entries, 4)
    const answer = await invalidate(body)
    assert.equal(answer.status, 200, answer.body)
    assert.equal(answer.body, expected)
    assert.equal(server.cache.stats().entries, left, JSON.stringify(body))
  }
})

test('what cannot be read takes nothing out', async () => {
  await serve(() => 'x')
  await server.ask('/a')
  const bodies = [
    { keys: '/a' },
    { key: '/a', tag: 'b' },
    { key: 1 },
    { key: '' },
    { pattern: 'x'.repeat(2049) },
    [],
    'null1',
    '"x"',
  ]
  for (const body of bodies) {
    assert.equal((await invalidate(body)).status, 400, JSON.stringify(body))
    assert.equal(server.cache.stats().entries, 1)
  }
})

test('a cache that is off holds nothing, and what is meant for it still reaches nobody', async () => {
  await serve(
    (_request, reply, count) =>
      reply.headers({ 'surrogate-control': 'max-age=60', 'cache-tag': 'a' }).send(`answer ${count}`),
    { enabled: false },
  )
  for (const count of [1, 2]) {
    const answer = await server.ask('/a')
    assert.equal(answer.body, `answer ${count}`)
    for (const name of ['surrogate-control', 'cache-tag', 'x-cache'])
      assert.equal(answer.headers[name], undefined)
  }
  const answer = await invalidate({})
  assert.equal(answer.status, 400)
  assert.deepEqual(JSON.parse(answer.body), { error: 'Cache not enabled', code: 'CACHE_NOT_ENABLED' })
  assert.equal(server.cache.stats().enabled, false)
})
