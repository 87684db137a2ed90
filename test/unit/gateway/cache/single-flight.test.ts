import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { afterEach, test } from 'node:test'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { cacheLimits } from '../../../../src/base/limits/gateway.js'
import { type CacheServer, type CacheServerOptions, startCacheServer } from '../../../helpers/cache-server.js'

let server: CacheServer
afterEach(() => server.close())

interface Gate {
  readonly opened: Promise<void>
  open(): void
}

function gate(): Gate {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}

async function serve(
  answer: (request: FastifyRequest, reply: FastifyReply) => unknown,
  options?: CacheServerOptions,
): Promise<void> {
  server = await startCacheServer((app) => {
    app.get('/*', async (request, reply) => answer(request, reply))
  }, options)
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve))
}

const crowd = 50

function askAll(path = '/a') {
  return Promise.all(Array.from({ length: crowd }, () => server.ask(path)))
}

test('of many who ask at once, one goes on', async () => {
  const door = gate()
  let calls = 0
  await serve(async () => {
    calls += 1
    await door.opened
    return `answer ${calls}`
  })
  const all = askAll()
  await until(() => server.cache.stats().waits === crowd - 1)
  door.open()
  const answers = await all
  assert.equal(calls, 1)
  assert.deepEqual(new Set(answers.map(({ body }) => body)), new Set(['answer 1']))
  assert.equal(answers.filter(({ headers }) => headers['x-cache'] === 'MISS').length, 1)
  assert.equal(server.cache.stats().hits, crowd - 1)
})

/** Asks with a crowd of which the first is held; tells how many were in the handler at once after it. */
async function crowdBehind(
  first: (reply: FastifyReply) => unknown,
): Promise<{ atOnce: number; bodies: Set<string> }> {
  const door = gate()
  const crowdDoor = gate()
  let calls = 0
  await serve(async (_request, reply) => {
    calls += 1
    if (calls === 1) {
      await door.opened
      return first(reply)
    }
    if (calls === crowd) crowdDoor.open()
    // Would never open if they came one after the other.
    await crowdDoor.opened
    return reply.header('cache-control', 'no-store').send('other')
  })
  const all = askAll()
  await until(() => server.cache.stats().waits === crowd - 1)
  door.open()
  const answers = await all
  return { atOnce: calls, bodies: new Set(answers.map(({ body }) => body)) }
}

test('when the first fails, all others go on at once', async () => {
  const { atOnce } = await crowdBehind(() => {
    throw new Error('down')
  })
  assert.equal(atOnce, crowd)
})

test('when the answer to the first is for it alone, nobody else gets it, and all go on at once', async () => {
  const { bodies, atOnce } = await crowdBehind((reply) =>
    reply.header('set-cookie', 'a=secret').send('secret'),
  )
  assert.equal(atOnce, crowd)
  assert.deepEqual(bodies, new Set(['secret', 'other']))
})

test('others do not wait for the body of an answer that cannot be kept', async () => {
  const { atOnce } = await crowdBehind((reply) =>
    reply.header('cache-control', 'private').send(
      Readable.from(
        (async function* () {
          yield 'first'
          await until(() => server.cache.stats().misses === crowd)
          yield 'last'
        })(),
      ),
    ),
  )
  assert.equal(atOnce, crowd)
})

test('when the client of the first leaves, all others go on', async () => {
  let calls = 0
  const never = gate()
  const arrived = gate()
  await serve(async () => {
    calls += 1
    if (calls === 1) {
      arrived.open()
      await never.opened
    }
    return 'answer'
  })
  const leader = connect(server.port, '127.0.0.1', () =>
    leader.write('GET /a HTTP/1.1\r\nHost: site.test\r\n\r\n'),
  )
  await arrived.opened
  const all = askAll()
  await until(() => server.cache.stats().waits === crowd)
  leader.destroy()
  assert.deepEqual(new Set((await all).map(({ body }) => body)), new Set(['answer']))
  never.open()
})

test('a first one that is slow is waited for no longer than the bound', async () => {
  let calls = 0
  const never = gate()
  await serve(
    async () => {
      calls += 1
      if (calls === 1) await never.opened
      return 'answer'
    },
    { cache: { waitMs: 50 } },
  )
  const slow = server.ask('/a')
  await until(() => calls === 1)
  assert.equal((await server.ask('/a')).body, 'answer')
  never.open()
  await slow
})

test('one who waits and leaves is not answered for', async () => {
  let calls = 0
  const door = gate()
  await serve(async (_request, reply) => {
    calls += 1
    await door.opened
    return reply.header('cache-control', 'no-store').send('x')
  })
  const leader = server.ask('/a')
  await until(() => calls === 1)
  const leaving = connect(server.port, '127.0.0.1', () =>
    leaving.write('GET /a HTTP/1.1\r\nHost: site.test\r\n\r\n'),
  )
  await until(() => server.cache.stats().waits === 1)
  leaving.destroy()
  await once(leaving, 'close')
  const drained = async () =>
    (await new Promise<number>((resolve) =>
      server.app.server.getConnections((_error, count) => resolve(count)),
    )) === 1
  while (!(await drained())) await new Promise((resolve) => setImmediate(resolve))
  // A connection is not counted any more a moment before its end is told.
  await new Promise((resolve) => setImmediate(resolve))
  door.open()
  await leader
  assert.equal(calls, 1)
})

test('nobody waits for answers that were not kept before', async () => {
  let calls = 0
  const both = gate()
  await serve(async (_request, reply) => {
    calls += 1
    if (calls === 3) both.open()
    if (calls > 1) await both.opened
    return reply.header('cache-control', 'private').send('x')
  })
  await server.ask('/a')
  await Promise.all([server.ask('/a'), server.ask('/a')])
  assert.equal(server.cache.stats().waits, 0)
})

test('a body that comes in pieces is kept once it is whole, however slowly its first client reads', async () => {
  const size = cacheLimits.bodyBytesMax - 1
  let calls = 0
  await serve((_request, reply) => {
    calls += 1
    const piece = Buffer.alloc(65_536, 'x')
    const pieces = function* () {
      for (let left = size; left > 0; left -= piece.length)
        yield piece.subarray(0, Math.min(left, piece.length))
    }
    return reply.header('cache-control', 'max-age=60').type('text/plain').send(Readable.from(pieces()))
  })
  const slow = connect(server.port, '127.0.0.1', () =>
    slow.write('GET /a HTTP/1.1\r\nHost: site.test\r\n\r\n'),
  )
  slow.pause()
  await until(() => server.cache.stats().entries === 1)
  const hit = await server.ask('/a')
  assert.equal(hit.headers['x-cache'], 'HIT')
  assert.equal(hit.bytes.length, size)
  assert.equal(calls, 1)
  slow.destroy()
})

const broken: readonly (readonly [string, () => Readable, Readonly<Record<string, string>>])[] = [
  ['breaks off', () => Readable.from(failing()), {}],
  ['is shorter than it says', () => Readable.from(['short']), { 'content-length': '9' }],
  ['is too large', () => Readable.from([Buffer.alloc(cacheLimits.bodyBytesMax), Buffer.alloc(1)]), {}],
  [
    'says that it is too large',
    () => Readable.from([Buffer.alloc(cacheLimits.bodyBytesMax + 1)]),
    { 'content-length': String(cacheLimits.bodyBytesMax + 1) },
  ],
]

async function* failing() {
  yield 'half'
  throw new Error('broken')
}

for (const [name, body, headers] of broken) {
  test(`a body that ${name} is not kept`, async () => {
    let calls = 0
    await serve((_request, reply) => {
      calls += 1
      return reply.headers({ 'cache-control': 'max-age=60', ...headers }).send(body())
    })
    for (const _ of [1, 2])
      await server
        .ask('/a', { onRequest: (sent) => sent.setTimeout(300, () => sent.destroy()) })
        .catch(() => undefined)
    assert.equal(calls, 2)
    assert.equal(server.cache.stats().entries, 0)
  })
}

test('when what answers come from has changed, nothing from before is served, nor kept when it arrives', async () => {
  let origin = {}
  let calls = 0
  let door: Gate | undefined
  const other = {}
  await serve(
    async () => {
      calls += 1
      const text = `answer ${calls}`
      await door?.opened
      return text
    },
    { cache: { origins: [() => other, () => origin] } },
  )
  assert.equal((await server.ask('/a')).body, 'answer 1')
  assert.equal((await server.ask('/a')).body, 'answer 1')
  origin = {}
  door = gate()
  const late = server.ask('/a')
  await until(() => calls === 2)
  origin = {}
  door.open()
  assert.equal((await late).body, 'answer 2')
  assert.equal((await server.ask('/a')).body, 'answer 3')
  assert.equal((await server.ask('/a')).body, 'answer 3')
  assert.equal(server.cache.stats().entries, 1)
})
