import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { afterEach, test } from 'node:test'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { cacheLimits } from '../../../../src/base/limits/gateway.js'
import { type CacheServer, type CacheServerOptions, startCacheServer } from '../../../helpers/cache-server.js'

let server: CacheServer
afterEach(() => server.close())

async function serve(
  answer: (request: FastifyRequest, reply: FastifyReply) => unknown,
  options?: CacheServerOptions,
): Promise<void> {
  server = await startCacheServer((app) => {
    app.all('/*', async (request, reply) => answer(request, reply))
  }, options)
}

const quoted = [
  'host',
  'forwarded',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-prefix',
  'x-forwarded-scheme',
  'x-original-url',
  'x-rewrite-url',
  'x-host',
] as const
for (const name of quoted) {
  test(`an answer that quotes ${name} is not given to who did not send it`, async () => {
    await serve((request) => `see ${request.headers[name]}`)
    assert.equal((await server.ask('/a', { headers: { [name]: 'evil.test' } })).body, 'see evil.test')
    const honest = await server.ask('/a')
    assert.ok(!honest.body.includes('evil'), honest.body)
    assert.equal((await server.ask('/a')).headers['x-cache'], 'HIT')
    assert.equal((await server.ask('/a', { headers: { [name]: 'evil.test' } })).headers['x-cache'], 'HIT')
  })
}

for (const name of [
  'x_forwarded_host',
  'X_Original_URL',
  'x_forwarded-host',
  'x_api_key',
  'X_HTTP_Method_Override',
]) {
  test(`an answer that a server behind takes from ${name} is given to nobody else`, async () => {
    await serve((request) => `see ${request.headers[name.toLowerCase()]}`)
    assert.equal((await server.ask('/a', { headers: { [name]: 'evil.test' } })).body, 'see evil.test')
    const honest = await server.ask('/a')
    assert.ok(!honest.body.includes('evil'), honest.body)
    const again = await server.ask('/a', { headers: { [name]: 'evil.test' } })
    assert.equal(again.body, 'see evil.test')
  })
}

test('a second Host is of no use', async () => {
  await serve((request) => `see ${request.headers.host}`)
  const text = await new Promise<string>((resolve, reject) => {
    let all = ''
    const socket = connect(server.port, '127.0.0.1', () =>
      socket.write('GET /a HTTP/1.1\r\nHost: site.test\r\nHost: evil.test\r\nConnection: close\r\n\r\n'),
    )
    socket.on('data', (chunk) => {
      all += String(chunk)
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(all))
  })
  const honest = await server.ask('/a')
  assert.ok(!honest.body.includes('evil'), text)
})

test('spellings of a URL do not share an answer', async () => {
  await serve((request) => `at ${request.raw.url}`)
  const urls = ['/a', '/a?', '/a?x=1', '/a?x=1&', '/a?X=1', '/%61', '/a/', '//a', '/a%3Fx=1', '/A']
  for (const url of urls) assert.equal((await server.ask(url)).body, `at ${url}`)
  for (const url of urls) {
    const again = await server.ask(url)
    assert.equal(again.body, `at ${url}`)
    assert.equal(again.headers['x-cache'], 'HIT')
  }
})

test('a host and a path cannot be cut elsewhere', async () => {
  await serve((request) => `${request.headers.host} ${request.raw.url}`)
  assert.equal((await server.ask('/b/c', { headers: { host: 'a' } })).body, 'a /b/c')
  assert.equal((await server.ask('/c', { headers: { host: 'a/b' } })).headers['x-cache'], 'MISS')
})

test('an answer that depends on a header is given to those who send the same', async () => {
  await serve((request, reply) =>
    reply.header('vary', 'X-Tone, Accept-Language').send(`tone ${request.headers['x-tone']}`),
  )
  const tones = ['a', 'b', '', undefined, 'a, b', 'A']
  const headers = (tone: string | undefined) => (tone === undefined ? {} : { 'x-tone': tone })
  for (const tone of tones)
    assert.equal((await server.ask('/a', { headers: headers(tone) })).body, `tone ${tone}`)
  for (const tone of tones) {
    const again = await server.ask('/a', { headers: headers(tone) })
    assert.equal(again.body, `tone ${tone}`)
    assert.equal(again.headers['x-cache'], 'HIT')
  }
})

test('the headers that count are those of the client, not those of stages behind', async () => {
  const stage = {
    name: 'plugin:tenant/key',
    priority: 50,
    onRequest(exchange: { setRequestHeader(name: string, value: string): void }) {
      exchange.setRequestHeader('X-Tenant', 'acme')
      return undefined
    },
  }
  await serve(
    (request, reply) => reply.header('vary', 'x-tenant').send(`of ${request.headers['x-tenant']}`),
    {
      stages: [stage],
    },
  )
  await server.ask('/a', { headers: { 'x-tenant': 'evil' } })
  assert.equal((await server.ask('/a', { headers: { 'x-tenant': 'acme' } })).headers['x-cache'], 'MISS')
  assert.equal((await server.ask('/a', { headers: { 'x-tenant': 'evil' } })).headers['x-cache'], 'HIT')
})

test('an answer that forgets its Vary takes the place of those before', async () => {
  let vary: string | undefined = 'x-tone'
  let count = 0
  await serve((_request, reply) => {
    count += 1
    if (vary !== undefined) reply.header('vary', vary)
    return reply.send(`answer ${count}`)
  })
  const a = { headers: { 'x-tone': 'a' } }
  assert.equal((await server.ask('/a', a)).body, 'answer 1')
  vary = undefined
  await server.ask('/a', { headers: { 'x-tone': 'a', 'cache-control': 'no-cache' } })
  assert.equal((await server.ask('/a', a)).body, 'answer 2')
})

test('headers named in varyBy count whatever the answer says', async () => {
  await serve((request) => `for ${request.headers['x-brand']}`, { cache: { varyBy: ['X-Brand'] } })
  await server.ask('/a', { headers: { 'x-brand': 'evil' } })
  assert.equal((await server.ask('/a')).body, 'for undefined')
  assert.equal((await server.ask('/a', { headers: { 'x-brand': 'evil' } })).headers['x-cache'], 'HIT')
})

test('an encoded answer is not given to who did not ask for the encoding', async () => {
  await serve((request, reply) => {
    const isAsked = request.headers['accept-encoding'] === 'x-odd'
    if (isAsked) reply.header('content-encoding', 'x-odd')
    return reply.type('text/plain').send(isAsked ? 'ddo' : 'odd')
  })
  assert.equal((await server.ask('/a', { headers: { 'accept-encoding': 'x-odd' } })).body, 'ddo')
  const plain = await server.ask('/a')
  assert.equal(plain.body, 'odd')
  assert.equal(plain.headers['content-encoding'], undefined)
})

test('variants of one URL are bounded, and do not push out those of another', async () => {
  await serve((request, reply) => reply.header('vary', 'x-tone').send(`tone ${request.headers['x-tone']}`))
  await server.ask('/other')
  for (let at = 0; at < cacheLimits.variantsMax + 10; at += 1) {
    await server.ask('/a', { headers: { 'x-tone': String(at) } })
  }
  assert.equal(server.cache.stats().entries, cacheLimits.variantsMax + 1)
  assert.equal((await server.ask('/other')).headers['x-cache'], 'HIT')
  assert.equal((await server.ask('/a', { headers: { 'x-tone': '0' } })).headers['x-cache'], 'MISS')
})

test('requests with huge keyed headers go past the cache', async () => {
  await serve((_request, reply) => reply.header('vary', 'x-tone').send('hello'))
  const huge = 'x'.repeat(cacheLimits.keyLengthMax)
  assert.equal(
    (await server.ask('/a', { headers: { 'x-forwarded-host': huge } })).headers['x-cache'],
    undefined,
  )
  assert.equal((await server.ask('/a', { headers: { 'x-tone': huge } })).headers['x-cache'], 'MISS')
  assert.equal(server.cache.stats().entries, 0)
})

test('what another server has at a URL is not given for what the host has there', async () => {
  let isProxied = true
  const proxy = {
    name: 'proxy',
    priority: 5,
    onRequest(exchange: { destination: unknown }) {
      if (isProxied) exchange.destination = ({ reply }: { reply: FastifyReply }) => reply.send('elsewhere')
      return undefined
    },
  }
  await serve(() => 'here', { stages: [proxy] })
  assert.equal((await server.ask('/a')).body, 'elsewhere')
  isProxied = false
  assert.equal((await server.ask('/a')).body, 'here')
})

test('an answer that was on its way when its URL was written to does not come in', async () => {
  let open: (() => void) | undefined
  const isOpen = new Promise<void>((resolve) => {
    open = resolve
  })
  let value = 'old'
  let isFirst = true
  let arrived: (() => void) | undefined
  const hasArrived = new Promise<void>((resolve) => {
    arrived = resolve
  })
  await serve(async (request) => {
    if (request.method === 'POST') {
      value = 'new'
      return 'written'
    }
    const read = value
    if (isFirst) {
      isFirst = false
      arrived?.()
      await isOpen
    }
    return read
  })
  const slow = server.ask('/a')
  await hasArrived
  await server.ask('/a', { method: 'POST', headers: { cookie: 'a=b' } })
  open?.()
  assert.equal((await slow).body, 'old')
  assert.equal((await server.ask('/a')).body, 'new')
  assert.equal((await server.ask('/a')).headers['x-cache'], 'HIT')
})

test('a write that fails leaves the answer where it is', async () => {
  await serve((request, reply) => reply.code(request.method === 'POST' ? 403 : 200).send('x'))
  await server.ask('/a')
  await server.ask('/a', { method: 'POST' })
  assert.equal((await server.ask('/a')).headers['x-cache'], 'HIT')
  await server.ask('/a', { method: 'OPTIONS' })
  assert.equal((await server.ask('/a')).headers['x-cache'], 'HIT')
})

test('what stages in front have made of a target counts as well as what was sent', async () => {
  let url = '/beta'
  const front = {
    name: 'plugin:front/key',
    priority: 1,
    onRequest(exchange: { rewrite(url: string): void; header(name: string): string | undefined }) {
      if (exchange.header('x-beta') !== undefined) exchange.rewrite(url)
      return undefined
    },
  }
  await serve((request) => `at ${request.raw.url}`, { stages: [front] })
  const beta = { headers: { 'x-beta': '1' } }
  assert.equal((await server.ask('/a', beta)).body, 'at /beta')
  assert.equal((await server.ask('/a')).body, 'at /a')
  assert.equal((await server.ask('/a', beta)).headers['x-cache'], 'HIT')
  url = '/gamma'
  assert.equal((await server.ask('/a', beta)).body, 'at /gamma')
})
