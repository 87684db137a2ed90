import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { it, type TestContext } from 'node:test'
import { Deferred } from '../../../../src/base/deferred.js'
import type { Kv, KvMessage, KvNamespaces } from '../../../../src/kv/kv.js'
import { openStream } from '../../../helpers/event-stream.js'
import { type KvServer, type KvServerOptions, startKvServer } from '../../../helpers/kv-server.js'
import { until } from '../../../helpers/until.js'

const credentials = { authorization: 'Bearer admin' }

async function start(test: TestContext, options?: KvServerOptions): Promise<KvServer> {
  const server = await startKvServer(options)
  test.after(() => server.close())
  return server
}

/** Puts something between the routes and the queues of all namespaces. */
function wrapQueues(change: (queues: Kv['queues']) => Partial<Kv['queues']>) {
  return (namespaces: KvNamespaces): KvNamespaces => ({
    namespace(name) {
      const kv = namespaces.namespace(name)
      const queues = over(kv.queues, change(kv.queues))
      return over(kv, { queues })
    },
  })
}

function over<T extends object>(object: T, members: Partial<T>): T {
  return new Proxy(object, {
    get(target, name) {
      if (Object.hasOwn(members, name)) return members[name as keyof T]
      const member = target[name as keyof T]
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}

it('a message that was taken for a client that has left is given to the next one at once', async (test) => {
  const taken = new Deferred<KvMessage>()
  const server = await start(test, {
    wrap: wrapQueues((queues) => ({
      async next(options) {
        const message = await queues.next({ ...options, lease: 3_600_000 })
        if (message === undefined) return undefined
        taken.resolve(message)
        if (!options.signal.aborted) await once(options.signal, 'abort')
        return message
      },
    })),
  })
  const { queues } = server.service.namespace('default')
  const stream = await openStream(`${server.url}/queue/listen`, credentials)
  await queues.enqueue('one')
  const { id } = await taken.promise
  stream.close()
  const message = await until('the message is there again', () => queues.dequeue())
  assert.deepEqual([message.id, message.value], [id, 'one'])
  await until('the place of the stream is free', () => server.streams.size === 0)
  assert.deepEqual(server.failures, [])
})

it('a message that has been sent in part stays leased', async (test) => {
  const server = await start(test)
  const kv = server.service.namespace('default')
  const { hostname, port } = new URL(server.url)
  const socket = connect(Number(port), hostname)
  test.after(() => socket.destroy())
  // A client that never reads: what its system takes is far less than the messages.
  socket.pause()
  socket.write(
    `GET /keyval/api/queue/listen?lease=3600000&concurrency=100 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\n\r\n`,
  )
  const count = 400
  for (let n = 0; n < count; n += 1) await kv.queues.enqueue('x'.repeat(60_000))
  let processing = 0
  await until('the socket is full', async () => {
    const before = processing
    processing = (await kv.queues.stats()).processing
    return processing > 0 && processing === before
  })
  // It leases one message at a time, and no more than the socket takes.
  assert.ok(processing < count, `${processing} messages were leased for a client that does not read`)
  socket.destroy()
  await until('the place of the stream is free', () => server.streams.size === 0)
  const stats = await kv.queues.stats()
  assert.ok(stats.processing >= processing, 'a message that may have arrived was given back')
  assert.equal(stats.total, count)
  assert.deepEqual(server.failures, [])
})

it('a quiet stream shows that it is alive', async (test) => {
  const server = await start(test, { options: { heartbeatMs: 20 } })
  for (const path of ['/watch?keys=a&initial=false', '/queue/listen']) {
    const stream = await openStream(`${server.url}${path}`, credentials)
    test.after(() => stream.close())
    assert.equal((await stream.next('ping'))?.data, '')
    assert.equal((await stream.next('ping'))?.data, '')
  }
})

it('a stream that cannot go on says why and ends', async (test) => {
  const fail = new Deferred<void>()
  const server = await start(test, {
    wrap: wrapQueues(() => ({
      async next() {
        await fail.promise
        throw new Error('secret')
      },
    })),
  })
  const stream = await openStream(`${server.url}/queue/listen`, credentials)
  fail.resolve()
  const failure = await stream.next('failure')
  assert.deepEqual(JSON.parse(failure?.data ?? ''), {
    error: 'The server failed to do this. The log line of this request tells why.',
    code: 'INTERNAL_ERROR',
    status: 500,
  })
  assert.equal(await stream.next('message'), undefined)
  assert.equal(server.failures.length, 1)
  await until('the place of the stream is free', () => server.streams.size === 0)
})

it('clients that leave at any moment leave nothing behind', async (test) => {
  const server = await start(test)
  const kv = server.service.namespace('default')
  for (let n = 0; n < 50; n += 1) await kv.set(['k', n], 'x'.repeat(20_000))
  const { hostname, port } = new URL(server.url)
  for (let round = 0; round < 60; round += 1) {
    const path = round % 2 === 0 ? '/watch/prefix?prefix=k' : '/queue/listen'
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {})
    socket.write(`GET /keyval/api${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\n\r\n`)
    if (round % 3 !== 0) await new Promise((resolve) => socket.once('data', resolve))
    socket.destroy()
    // The cap of one client is not what this is about.
    await until('there is room', () => server.streams.size < 10)
  }
  await until('all places are free', () => server.streams.size === 0)
  assert.deepEqual(server.failures, [])
})
