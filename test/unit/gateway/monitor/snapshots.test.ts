import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { it, type TestContext } from 'node:test'
import Fastify from 'fastify'
import { monitorLimits } from '../../../../src/base/limits/gateway.js'
import { SnapshotStreams } from '../../../../src/gateway/monitor/snapshots.js'
import { openStream } from '../../../helpers/event-stream.js'
import { adminCredential, silentLog, startGatewayServer } from '../../../helpers/gateway-server.js'
import { until } from '../../../helpers/until.js'

async function startStreams(
  test: TestContext,
  snapshot: () => unknown,
  options: { readonly everyMs?: number; readonly streamsMax?: number } = {},
) {
  const streams = new SnapshotStreams({ snapshot, log: silentLog(), everyMs: 5, ...options })
  const app = Fastify()
  app.addHook('preClose', (done) => {
    streams.close()
    done()
  })
  app.get('/sse', (_request, reply) => streams.open(reply))
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  test.after(() => app.close())
  return { app, streams, url: `${url}/sse` }
}

/** Timers that keep the process alive. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
}

it('the first event comes at once, has no name, and is a whole snapshot', async (test) => {
  const metrics = { totalRequests: 1, blockedRequests: 0, allowedRequests: 1, activeBuckets: 1 }
  const config = { requests: 100, window: '1m', keyBy: 'ip' }
  const shell = { enabled: true, dir: '/a', envExcludes: [], excludes: [] }
  const server = await startGatewayServer(test, {
    views: {
      limiter: { metrics: () => metrics, config: () => config },
      cors: { rules: () => [{ id: 'r' }] },
      shell: { view: () => shell },
    },
  })
  for (let n = 0; n < 12; n += 1) await server.send('GET', `/none/${n}`)
  await until('all are logged', () => server.monitor.requestLog.stats().total === 12)
  for (const prefix of ['/gateway/api', '/api/gateway']) {
    const stream = await openStream(`${server.url}${prefix}/sse`, adminCredential)
    test.after(() => stream.close())
    assert.equal(stream.status, 200)
    assert.match(String(stream.headers['content-type']), /^text\/event-stream/)
    assert.equal(stream.headers['cache-control'], 'no-store')
    const first = await stream.next('message')
    assert.deepEqual([first?.id, first?.retry], [undefined, undefined])
    const { timestamp, recentLogs, ...rest } = JSON.parse(first?.data ?? '')
    assert.ok(Number.isInteger(timestamp))
    assert.deepEqual(
      recentLogs.map(({ path }: { path: string }) => path),
      Array.from({ length: 10 }, (_, n) => `/none/${11 - n}`),
    )
    assert.deepEqual(rest, {
      rateLimit: { metrics, config },
      cors: { enabled: true, rules: [{ id: 'r' }] },
      shell,
    })
  }
  assert.equal(server.monitor.streams.size, 2)
  for (let n = 2; n < monitorLimits.streamsMax; n += 1) {
    const stream = await openStream(`${server.url}/gateway/api/sse`, adminCredential)
    test.after(() => stream.close())
  }
  const refused = await server.send('GET', '/api/gateway/sse', { headers: adminCredential })
  assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '5'])
  assert.equal(refused.json().code, 'GATEWAY_STREAMS_EXHAUSTED')
})

it('all streams share one snapshot, and clients that leave leave no timer and no listener', async (test) => {
  let made = 0
  const { app, streams, url } = await startStreams(test, () => ({ n: ++made }))
  const idleTimers = timers()
  const opened = await Promise.all(Array.from({ length: 8 }, () => openStream(url, {})))
  const seen = await Promise.all(
    opened.map(async (stream) => {
      const texts: (string | undefined)[] = []
      for (let n = 0; n < 5; n += 1) texts.push((await stream.next('message'))?.data)
      return texts
    }),
  )
  assert.equal(streams.size, 8)
  assert.equal(timers(), idleTimers + 1)
  const different = new Set(seen.flat())
  assert.ok(different.size < 40 && different.size <= made, `${different.size} events for 8 streams`)
  const listeners = app.server.eventNames().map((name) => app.server.listenerCount(name))
  for (const stream of opened) stream.close()
  await until('all have left', () => streams.size === 0)
  assert.equal(timers(), idleTimers)
  const atEnd = made
  const again = await openStream(url, {})
  assert.deepEqual(JSON.parse((await again.next('message'))?.data ?? ''), { n: atEnd + 1 })
  again.close()
  await until('it has left', () => streams.size === 0)
  assert.deepEqual(
    app.server.eventNames().map((name) => app.server.listenerCount(name)),
    listeners,
  )
})

it('a reader that is too slow misses snapshots, costs no more than one, and is given up in the end', async (test) => {
  const text = 'x'.repeat(200_000)
  let made = 0
  const responses: ServerResponse[] = []
  let queuedMax = 0
  const snapshot = () => {
    queuedMax = Math.max(queuedMax, ...responses.map(({ writableLength }) => writableLength))
    return { n: ++made, text }
  }
  const { app, streams, url } = await startStreams(test, snapshot, { everyMs: 2 })
  app.server.on('request', (_request, response) => responses.push(response))
  const { hostname, port } = new URL(url)
  const slow = connect(Number(port), hostname)
  slow.on('error', () => {})
  test.after(() => slow.destroy())
  slow.pause()
  slow.write('GET /sse HTTP/1.1\r\nHost: x\r\n\r\n')
  await until('it is there', () => streams.size === 1)
  const quick = await openStream(url, {})
  test.after(() => quick.close())
  await until('the slow one is given up', () => streams.size === 1)
  assert.ok(queuedMax > 0, 'nothing ever waited')
  assert.ok(queuedMax < 2 * text.length, `${queuedMax} bytes waited for the slow reader`)
  assert.ok(quick.events.length > 20, 'the other one has got its snapshots')
})

it('one stream more than there may be is refused, and a place that is left is free again', async (test) => {
  const { streams, url } = await startStreams(test, () => 1, { streamsMax: 2 })
  const [first] = [await openStream(url, {}), await openStream(url, {})]
  const refused = await openStream(url, {})
  assert.equal(refused.status, 503)
  first?.close()
  await until('there is a place', () => streams.size === 1)
  const next = await openStream(url, {})
  assert.equal((await next.next('message'))?.data, '1')
})

it('streams end when the server is closed, also of a reader that does not read', async (test) => {
  const { app, streams, url } = await startStreams(test, () => 'x'.repeat(200_000))
  const stream = await openStream(url, {})
  const stuck = await openStream(url, {}, { isPaused: true })
  await stream.next('message')
  await app.close()
  assert.equal(streams.size, 0)
  await until('it is over', () => stream.isOver)
  stuck.close()
})

it('a snapshot that fails ends nothing', async (test) => {
  let made = 0
  const { url } = await startStreams(test, async () => {
    made += 1
    if (made < 3) throw new Error('not yet')
    return made
  })
  const stream = await openStream(url, {})
  test.after(() => stream.close())
  assert.equal((await stream.next('message'))?.data, '3')
})
