import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { afterEach, test } from 'node:test'
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import type { FastifyReply } from 'fastify'
import type { CompressionOptions } from '../../../src/gateway/compression.js'
import { type CacheServer, startCacheServer } from '../../helpers/cache-server.js'

let server: CacheServer
afterEach(() => server.close())

const long = JSON.stringify({ text: 'again and '.repeat(500) })
const gzip = { headers: { 'accept-encoding': 'gzip' } }

async function serve(
  answer: (reply: FastifyReply) => unknown,
  options: Partial<CompressionOptions> = {},
): Promise<void> {
  server = await startCacheServer(
    (app) => {
      app.get('/*', async (_request, reply) => answer(reply))
    },
    { compression: { enabled: true, ...options } },
  )
}

test('what is kept is not compressed, and every client gets it as it asks', async () => {
  await serve((reply) => reply.type('application/json').header('etag', '"strong"').send(long))
  const first = await server.ask('/a', gzip)
  assert.equal(first.headers['x-cache'], 'MISS')
  assert.equal(first.headers['content-encoding'], 'gzip')
  assert.equal(gunzipSync(first.bytes).toString(), long)
  const plain = await server.ask('/a')
  assert.equal(plain.headers['x-cache'], 'HIT')
  assert.equal(plain.headers['content-encoding'], undefined)
  assert.equal(plain.headers['content-length'], String(long.length))
  assert.equal(plain.headers.etag, '"strong"')
  assert.equal(plain.body, long)
  const brotli = await server.ask('/a', { headers: { 'accept-encoding': 'gzip, br' } })
  assert.equal(brotli.headers['x-cache'], 'HIT')
  assert.equal(brotli.headers['content-encoding'], 'br')
  assert.equal(brotliDecompressSync(brotli.bytes).toString(), long)
  const again = await server.ask('/a', gzip)
  assert.equal(again.headers['x-cache'], 'HIT')
  assert.equal(gunzipSync(again.bytes).toString(), long)
  assert.equal(server.cache.stats().entries, 1)
  for (const answer of [first, plain, brotli, again]) assert.equal(answer.headers.vary, 'accept-encoding')
})

test('the tag of compressed bytes is weak, and finds the answer again', async () => {
  await serve((reply) => reply.type('application/json').header('etag', '"strong"').send(long))
  const first = await server.ask('/a', gzip)
  assert.equal(first.headers.etag, 'W/"strong"')
  const known = await server.ask('/a', { headers: { ...gzip.headers, 'if-none-match': 'W/"strong"' } })
  assert.equal(known.status, 304)
  assert.equal(known.bytes.length, 0)
  assert.equal(known.headers['content-encoding'], undefined)
})

test('HEAD does not say a length that GET does not have', async () => {
  await serve((reply) => reply.type('application/json').send(long))
  for (const _ of ['before it is kept', 'when it is kept']) {
    const head = await server.ask('/a', { method: 'HEAD', ...gzip })
    assert.equal(head.status, 200)
    assert.equal(head.headers['content-length'], undefined)
    assert.equal(head.headers.vary, 'accept-encoding')
    assert.equal(head.bytes.length, 0)
    const plain = await server.ask('/a', { method: 'HEAD' })
    assert.equal(plain.headers['content-length'], String(long.length))
    await server.ask('/a')
  }
})

test('a stream is compressed as it passes, and kept as it was', async () => {
  await serve((reply) =>
    reply
      .type('text/plain')
      .header('content-length', String(long.length))
      .send(Readable.from([long])),
  )
  const first = await server.ask('/a', gzip)
  assert.equal(first.headers['content-length'], undefined)
  assert.equal(gunzipSync(first.bytes).toString(), long)
  const plain = await server.ask('/a')
  assert.equal(plain.headers['x-cache'], 'HIT')
  assert.equal(plain.body, long)
})

const untouched: readonly (readonly [string, Readonly<Record<string, string>>, string | Buffer])[] = [
  ['a tiny answer', { 'content-type': 'application/json' }, '{"a":1}'],
  ['a stream of events', { 'content-type': 'text/event-stream' }, `data: ${long}\n\n`],
  [
    'what is encoded already',
    { 'content-type': 'text/plain', 'content-encoding': 'gzip', etag: '"a"' },
    gzipSync(long),
  ],
  ['an image', { 'content-type': 'image/png' }, Buffer.alloc(5000)],
  ['bytes of no known kind', { 'content-type': 'application/octet-stream' }, Buffer.alloc(5000)],
  ['what must not be transformed', { 'content-type': 'text/plain', 'cache-control': 'no-transform' }, long],
]
for (const [name, headers, body] of untouched) {
  test(`${name} passes as it is`, async () => {
    await serve((reply) => reply.headers(headers).send(body))
    const answer = await server.ask('/a', gzip)
    assert.equal(answer.headers['content-encoding'], headers['content-encoding'])
    assert.equal(answer.headers['content-length'], String(Buffer.byteLength(body)))
    assert.equal(answer.headers.etag, headers.etag)
    assert.ok(answer.bytes.equals(Buffer.from(body as string)))
  })
}

test('events arrive one by one', async () => {
  let next: (() => void) | undefined
  const isSeen = new Promise<void>((resolve) => {
    next = resolve
  })
  await serve((reply) =>
    reply.type('text/event-stream').send(
      Readable.from(
        (async function* () {
          yield 'data: 1\n\n'
          await isSeen
          yield 'data: 2\n\n'
        })(),
      ),
    ),
  )
  const answer = await server.ask('/a', {
    ...gzip,
    onRequest: (sent) => sent.once('response', (stream) => stream.once('data', () => next?.())),
  })
  assert.equal(answer.body, 'data: 1\n\ndata: 2\n\n')
})

test('the names of Vary that are there stay', async () => {
  await serve((reply) => reply.type('text/plain').header('vary', 'Origin').send(long))
  assert.equal((await server.ask('/a', gzip)).headers.vary, 'Origin, accept-encoding')
})

test('the encodings and the threshold are those of the options', async () => {
  await serve((reply) => reply.type('text/plain').send('x'.repeat(20)), {
    thresholdBytes: 10,
    encodings: ['gzip'],
  })
  const answer = await server.ask('/a', { headers: { 'accept-encoding': 'br, gzip;q=0.5' } })
  assert.equal(answer.headers['content-encoding'], 'gzip')
  assert.equal(
    (await server.ask('/a', { headers: { 'accept-encoding': 'gzip;q=0' } })).headers['content-encoding'],
    undefined,
  )
})

test('without compression nothing is compressed', async () => {
  await serve((reply) => reply.type('text/plain').send(long), { enabled: false })
  const answer = await server.ask('/a', gzip)
  assert.equal(answer.body, long)
  assert.equal(answer.headers.vary, undefined)
})
