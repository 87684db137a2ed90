import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { it } from 'node:test'
import fc from 'fast-check'
import { type EndedRequest, RequestLog } from '../../../../src/gateway/monitor/request-log.js'
import type { Stage } from '../../../../src/gateway/stage.js'
import { startGatewayServer } from '../../../helpers/gateway-server.js'
import { until } from '../../../helpers/until.js'

function ended(change: Partial<EndedRequest> = {}): EndedRequest {
  return {
    url: '/',
    method: 'GET',
    ip: '192.0.2.1',
    status: 200,
    durationMs: 1,
    isRateLimited: false,
    ...change,
  }
}

const shell: Stage = {
  name: 'shell',
  priority: 15,
  onRequest(exchange) {
    if (exchange.path === '/apps/page') exchange.rewrite('/index.html')
    if (exchange.path !== '/limited') return undefined
    exchange.isRateLimited = true
    return { status: 429, headers: [], body: 'slow down' }
  },
}

it('every request is logged with its own status, whoever answers it', async (test) => {
  const server = await startGatewayServer(test, {
    stages: [shell],
    addRoutes(app) {
      app.get('/index.html', async () => 'shell')
      app.get('/broken', async () => {
        throw new Error('broken')
      })
      app.get('/slow', async () => {
        await new Promise((resolve) => setTimeout(resolve, 30))
        return 'slow'
      })
    },
  })
  await server.send('GET', '/apps/page?token=secret')
  await server.send('GET', '/limited')
  await server.send('POST', '/nothing')
  await server.send('GET', '/a/../b')
  await server.send('GET', '/broken')
  await server.send('GET', '/slow')
  await server.send('GET', `/${'x'.repeat(3000)}?y=1`)
  const { requestLog } = server.monitor
  await until('all have ended', () => requestLog.stats().total === 7)
  const logged = requestLog.query()
  assert.deepEqual(
    logged.map(({ method, path, status, rateLimited }) => [method, path, status, rateLimited]),
    [
      ['GET', `/${'x'.repeat(511)}`, 404, false],
      ['GET', '/slow', 200, false],
      ['GET', '/broken', 500, false],
      ['GET', '/a/../b', 400, false],
      ['POST', '/nothing', 404, false],
      ['GET', '/limited', 429, true],
      ['GET', '/apps/page', 200, false],
    ],
  )
  assert.ok((logged[1]?.duration ?? 0) >= 25, 'the time of the handler is in the duration')
  assert.doesNotMatch(JSON.stringify(logged), /secret/)
  for (const { id, timestamp, ip } of logged) {
    assert.match(id, new RegExp(`^${timestamp}-[0-9a-z]{7}$`))
    assert.equal(ip, '127.0.0.1')
  }
  assert.equal(new Set(logged.map(({ id }) => id)).size, 7)
  assert.deepEqual(requestLog.query(), logged)
  const stats = requestLog.stats()
  assert.deepEqual(stats.byStatus, { '2xx': 2, '4xx': 4, '5xx': 1 })
  assert.equal(stats.rateLimited, 1)
})

it('a request whose client leaves is logged as 499, with its address', async (test) => {
  const server = await startGatewayServer(test, {
    addRoutes: (app) => app.get('/never', () => new Promise(() => {})),
  })
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  const arrived = once(server.app.server, 'request')
  socket.write('GET /never?x=1 HTTP/1.1\r\nHost: x\r\n\r\n')
  await arrived
  socket.destroy()
  const { requestLog } = server.monitor
  await until('it has ended', () => requestLog.stats().total === 1)
  const [logged] = requestLog.query()
  assert.deepEqual([logged?.status, logged?.path, logged?.ip], [499, '/never', '127.0.0.1'])
})

it('filters choose, the newest come first, and the limit comes last', () => {
  const log = new RequestLog({ now: () => 5 })
  log.add(ended({ url: '/a?q=/b', status: 404 }))
  log.add(ended({ url: '/b', status: 429, isRateLimited: true, ip: '192.0.2.2' }))
  log.add(ended({ url: '/b/c%20d', status: 500 }))
  const paths = (query: Parameters<RequestLog['query']>[0]) => log.query(query).map(({ path }) => path)
  assert.deepEqual(paths({ limit: 0 }), ['/b/c d', '/b', '/a'])
  assert.deepEqual(paths({ limit: 1 }), ['/b/c d'])
  assert.deepEqual(paths({ statusRange: 4 }), ['/b', '/a'])
  assert.deepEqual(paths({ statusRange: 4, limit: 1 }), ['/b'])
  assert.deepEqual(paths({ status: 404 }), ['/a'])
  assert.deepEqual(paths({ rateLimited: true }), ['/b'])
  assert.deepEqual(paths({ rateLimited: false }), ['/b/c d', '/a'])
  assert.deepEqual(paths({ ip: '192.0.2.2' }), ['/b'])
  assert.deepEqual(paths({ path: '/b' }), ['/b/c d', '/b'])
  assert.deepEqual(paths({ path: '.*' }), [])
  log.clear()
  assert.deepEqual(log.query(), [])
  assert.deepEqual(log.stats(), { total: 0, rateLimited: 0, byStatus: {}, avgDuration: 0 })
})

it('a log of no requests keeps none', () => {
  const log = new RequestLog({ size: 0 })
  log.add(ended())
  assert.deepEqual(log.query(), [])
})

it('the log is the end of the list of all requests since it was cleared', () => {
  const step = fc.oneof({ weight: 20, arbitrary: fc.integer({ min: 100, max: 599 }) }, fc.constant('clear'))
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 7 }), fc.array(step, { maxLength: 60 }), (size, steps) => {
      const log = new RequestLog({ size })
      let all: number[] = []
      for (const each of steps) {
        if (typeof each === 'number') {
          log.add(ended({ status: each, durationMs: each }))
          all.push(each)
        } else {
          log.clear()
          all = []
        }
        const kept = all.slice(-size)
        assert.deepEqual(
          log.query().map(({ status }) => status),
          kept.toReversed(),
        )
        const sum = kept.reduce((left, right) => left + right, 0)
        const { total, avgDuration } = log.stats()
        assert.equal(total, kept.length)
        assert.ok(Math.abs(avgDuration - (kept.length && sum / kept.length)) < 1e-6)
      }
      assert.equal(new Set(log.query().map(({ id }) => id)).size, log.query().length)
    }),
  )
})
