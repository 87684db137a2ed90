import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type CacheServer, type CacheServerOptions, startCacheServer } from '../../../helpers/cache-server.js'

let server: CacheServer
afterEach(() => server.close())

/** Starts a server whose answers quote a number, so that each one is known again. */
async function counting(
  answer: (request: FastifyRequest, reply: FastifyReply, count: number) => unknown = (
    _request,
    _reply,
    count,
  ) => `answer ${count}`,
  options?: CacheServerOptions,
): Promise<{ calls: number }> {
  const state = { calls: 0 }
  server = await startCacheServer((app) => {
    app.all('/*', async (request, reply) => {
      state.calls += 1
      return answer(request, reply, state.calls)
    })
  }, options)
  return state
}

const personal: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['Authorization', { authorization: 'Bearer a' }],
  ['an empty Authorization', { authorization: '' }],
  ['Cookie', { cookie: 'session=a' }],
  ['an API key', { 'x-api-key': 'a' }],
  ['Range', { range: 'bytes=0-3' }],
  ['no-store', { 'cache-control': 'no-store' }],
  ['another method by header', { 'x-http-method-override': 'DELETE' }],
  ['If-Match', { 'if-match': '"a"' }],
  ['a Cache-Control that is too long to be read', { 'cache-control': `${'a,'.repeat(600)}` }],
]
for (const [name, headers] of personal) {
  test(`a request with ${name} neither gets what is kept nor gives what is kept`, async () => {
    await counting()
    assert.equal((await server.ask('/a', { headers })).body, 'answer 1')
    assert.equal((await server.ask('/a')).body, 'answer 2', 'the answer was kept')
    const again = await server.ask('/a', { headers })
    assert.equal(again.body, 'answer 3', 'it came from the cache')
    assert.equal(again.headers['x-cache'], undefined)
    assert.equal((await server.ask('/a')).body, 'answer 2')
  })
}

test('a GET with a body neither gets what is kept nor gives what is kept', async () => {
  await counting()
  const headers = { 'content-length': '4', 'content-type': 'text/plain' }
  const onRequest = (sent: { write(text: string): void }) => sent.write('evil')
  await server.ask('/a', { headers, onRequest })
  assert.equal((await server.ask('/a')).headers['x-cache'], 'MISS')
})

test('the answer to a user whom the host knows is not kept', async () => {
  let isKnown = true
  const stage = {
    name: 'who',
    priority: 10,
    onRequest(exchange: object) {
      if (isKnown) Object.defineProperty(exchange, 'user', { value: { id: 'a' } })
      return undefined
    },
  }
  await counting(undefined, { stages: [stage] })
  assert.equal((await server.ask('/a')).body, 'answer 1')
  isKnown = false
  assert.equal((await server.ask('/a')).body, 'answer 2')
})

test('the answer to a request that a stage behind has given an identity is not kept', async () => {
  const stage = {
    name: 'plugin:authn/key',
    priority: 50,
    onRequest(exchange: { setRequestHeader(name: string, value: string): void }) {
      exchange.setRequestHeader('X-Identity', '{"sub":"a"}')
      return undefined
    },
  }
  await counting(undefined, { stages: [stage] })
  assert.equal((await server.ask('/a')).body, 'answer 1')
  assert.equal((await server.ask('/a')).body, 'answer 2')
  assert.equal(server.cache.stats().entries, 0)
})

const unkept: readonly (readonly [string, number, Readonly<Record<string, string>>])[] = [
  ['Set-Cookie', 200, { 'set-cookie': 'session=a' }],
  ['Set-Cookie and Surrogate-Control', 200, { 'set-cookie': 'a=b', 'surrogate-control': 'max-age=60' }],
  ['private', 200, { 'cache-control': 'private, max-age=60' }],
  ['PRIVATE in capitals', 200, { 'cache-control': 'PRIVATE,max-age=60' }],
  ['private for one header', 200, { 'cache-control': 'max-age=60, private="x-user"' }],
  ['no-store', 200, { 'cache-control': 'public, no-store, max-age=60' }],
  ['no-cache', 200, { 'cache-control': 'no-cache, s-maxage=60' }],
  ['max-age=0', 200, { 'cache-control': 'max-age=0' }],
  ['s-maxage=0 beside max-age', 200, { 'cache-control': 's-maxage=0, max-age=60' }],
  ['two ages', 200, { 'cache-control': 'max-age=60, max-age=1' }],
  ['an age that is no number', 200, { 'cache-control': 'max-age=soon' }],
  ['an age below 0', 200, { 'cache-control': 'max-age=-1' }],
  ['no age in Cache-Control', 200, { 'cache-control': 'public' }],
  ['an Age beyond its max-age', 200, { 'cache-control': 'max-age=60', age: '60' }],
  ['Expires in the past', 200, { expires: 'Thu, 01 Jan 1970 00:00:00 GMT' }],
  ['Expires that is no date', 200, { expires: '0' }],
  ['Pragma alone', 200, { pragma: 'no-cache' }],
  ['Surrogate-Control without an age', 200, { 'surrogate-control': 'content="ESI/1.0"' }],
  [
    'Surrogate-Control: no-store',
    200,
    { 'surrogate-control': 'no-store, max-age=60', 'cache-control': 'max-age=60' },
  ],
  ['Vary: *', 200, { vary: 'Accept, *', 'cache-control': 'max-age=60' }],
  ['a Vary that cannot be read', 200, { vary: 'a b', 'cache-control': 'max-age=60' }],
  ['a Vary of too many', 200, { vary: 'abcdefghijkl'.split('').join(','), 'cache-control': 'max-age=60' }],
  ['too many tags', 200, { 'cache-tag': Array.from({ length: 33 }, (_, at) => `t${at}`).join() }],
  ['rules for another origin', 200, { 'access-control-allow-origin': 'https://a.test' }],
  ['a stream of events', 200, { 'content-type': 'text/event-stream', 'cache-control': 'max-age=60' }],
  ['a part', 206, { 'content-range': 'bytes 0-3/9', 'cache-control': 'max-age=60' }],
  ['status 500', 500, { 'cache-control': 'max-age=60' }],
  ['status 302', 302, { location: '/b', 'cache-control': 'max-age=60' }],
  ['status 404 that does not say for how long', 404, {}],
  ['status 301 that does not say for how long', 301, { location: '/b' }],
]
for (const [name, status, headers] of unkept) {
  test(`an answer with ${name} is not kept`, async () => {
    const state = await counting((_request, reply, count) =>
      reply.code(status).headers(headers).send(`answer ${count}`),
    )
    for (const count of [1, 2]) {
      const answer = await server.ask('/a')
      assert.equal(answer.body, `answer ${count}`)
      assert.equal(answer.headers['x-cache'], 'MISS')
      assert.equal(answer.headers['surrogate-control'], undefined)
      assert.equal(answer.headers['cache-tag'], undefined)
    }
    assert.equal(state.calls, 2)
    assert.equal(server.cache.stats().entries, 0)
  })
}

test('headers of one request are not given to the next one', async () => {
  const names = [
    'x-request-id',
    'x-ratelimit-remaining',
    'ratelimit',
    'access-control-allow-origin',
    'x-hop',
    'x-early',
  ]
  let request = 0
  const front = {
    name: 'cors',
    priority: 15,
    onRequest({ reply }: { reply: FastifyReply }) {
      request += 1
      if (request === 1) for (const name of names) reply.header(name, `first of ${name}`)
      return undefined
    },
  }
  await counting(
    (_request, reply, count) =>
      reply
        .headers({ connection: 'x-hop, keep-alive', 'x-hop': 'late', 'x-kept': 'yes', date: 'x' })
        .send(`answer ${count}`),
    { stages: [front] },
  )
  assert.equal((await server.ask('/a')).headers['x-request-id'], 'first of x-request-id')
  const second = await server.ask('/a')
  assert.equal(second.headers['x-cache'], 'HIT')
  assert.equal(second.headers['x-kept'], 'yes')
  assert.notEqual(second.headers.date, 'x')
  for (const name of names) assert.equal(second.headers[name], undefined, name)
})

test('what a stage behind does to an answer is done to each one anew, and once', async () => {
  let count = 0
  const stage = {
    name: 'plugin:a/b',
    priority: 50,
    onAnswer(
      _exchange: unknown,
      answer: {
        setHeader(name: string, value: string): void
        body: unknown
        replaceBody(body: unknown): void
      },
    ) {
      count += 1
      answer.setHeader('set-cookie', `visit=${count}`)
      answer.replaceBody(`${String(answer.body)}!`)
    },
  }
  await counting(undefined, { stages: [stage] })
  assert.equal((await server.ask('/a')).body, 'answer 1!')
  const hit = await server.ask('/a')
  assert.equal(hit.headers['x-cache'], 'HIT')
  assert.equal(hit.body, 'answer 1!')
  assert.deepEqual(hit.headers['set-cookie'], ['visit=2'])
})
