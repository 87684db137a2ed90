import assert from 'node:assert/strict'
import { it } from 'node:test'
import Fastify from 'fastify'
import { createOpenApi } from '../../../../src/admin/openapi.js'
import { anyCredential } from '../../../../src/areas/credentials.js'
import { defineError } from '../../../../src/base/errors.js'
import type { GatewayViews } from '../../../../src/gateway/monitor/views.js'
import { createAdminArea, type RoutesPart } from '../../../../src/gateway/routes/admin-area.js'
import { actorOf } from '../../../../src/gateway/routes/gate.js'
import { proxyPrefixes } from '../../../../src/gateway/routes/gateway-routes.js'
import {
  adminCredential,
  authenticateByRole,
  silentLog,
  startGatewayServer,
} from '../../../helpers/gateway-server.js'
import { createHttpClient } from '../../../helpers/http-client.js'
import { until } from '../../../helpers/until.js'

const admin = { headers: adminCredential }
const prefixes = ['/gateway/api', '/api/gateway']

const figures = { totalRequests: 4, blockedRequests: 1, allowedRequests: 3, activeBuckets: 2 }
const limiterMetrics = { ...figures, config: { capacity: 100, windowSeconds: 60 } }
const limiterConfig = { requests: 100, window: '1m', keyBy: 'ip' }
const rule = { id: 'r', name: 'all', origins: ['*'] }
const shell = {
  enabled: true,
  dir: '/apps/shell',
  envExcludes: ['cpanel'],
  excludes: [{ basename: 'cpanel', source: 'env' }],
}
const views: GatewayViews = {
  limiter: { metrics: () => limiterMetrics, config: () => limiterConfig },
  cors: { rules: () => [rule] },
  shell: { view: () => shell },
  cache: { stats: () => ({ entries: 5 }), config: () => ({ ttl: 60 }) },
}

it('every endpoint answers as it should, under both prefixes', async (test) => {
  const server = await startGatewayServer(test, { views })
  const logs = { total: 0, rateLimited: 0, byStatus: {}, avgDuration: 0 }
  const stats = {
    rateLimit: { enabled: true, metrics: limiterMetrics, config: limiterConfig },
    cors: { enabled: true, rulesCount: 1 },
    cache: { entries: 5, enabled: true },
    shell: { enabled: true, dir: '/apps/shell', excludesCount: 1 },
    logs,
  }
  const config = {
    rateLimit: limiterConfig,
    cors: [rule],
    cache: { ttl: 60 },
    shell: { dir: '/apps/shell', envExcludes: ['cpanel'] },
  }
  const pipeline = [{ name: 'metrics', priority: 0, phases: ['request', 'finish'], requests: 0, size: 100 }]
  const bad = 400
  const table: readonly (readonly [method: string, path: string, status: number, answer?: unknown])[] = [
    ['GET', '/stats', 200, stats],
    ['GET', '/config', 200, config],
    ['GET', '/logs', 200, []],
    ['GET', '/logs?limit=0&ip=::1&rateLimited=false&statusRange=4&status=404&path=x', 200, []],
    ['GET', '/logs?limit=&ip=&rateLimited=', 200, []],
    ['DELETE', '/logs', 200, { cleared: true }],
    ['GET', '/logs/stats', 200, logs],
    // What is in it depends on how long the test has run.
    ['GET', '/metrics/history?limit=3600', 200],
    ['DELETE', '/metrics/history', 200, { cleared: true }],
    ['GET', '/pipeline', 200, pipeline],
    ['GET', '/logs?limit=-1', bad],
    ['GET', '/logs?limit=1e3', bad],
    ['GET', '/logs?limit=1&limit=2', bad],
    ['GET', '/logs?rateLimited=yes', bad],
    ['GET', '/logs?statusRange=4xx', bad],
    ['GET', '/logs?status=99', bad],
    ['GET', '/logs?since=1', bad],
    ['GET', '/metrics/history?limit=3601', bad],
    ['GET', '/stats?x=1', bad],
    ['GET', '/%zz', bad],
    ['GET', '/nothing', 404],
    ['POST', '/stats', 404],
    ['HEAD', '/sse', 404],
  ]
  for (const prefix of prefixes) {
    for (const [method, path, status, answer] of table) {
      const got = await server.send(method, prefix + path, admin)
      // A path that cannot be decoded comes to no hook.
      if (path !== '/%zz') await until('it is logged', () => server.monitor.requestLog.stats().total === 1)
      server.monitor.requestLog.clear()
      assert.equal(got.status, status, `${method} ${prefix}${path}: ${got.text}`)
      assert.equal(got.headers['cache-control'], 'no-store', path)
      assert.equal(got.headers['x-content-type-options'], 'nosniff', path)
      assert.match(String(got.headers['content-type']), /^application\/json/, path)
      if (answer !== undefined) assert.deepEqual(got.json(), answer, path)
      if (status >= 400 && method !== 'HEAD') {
        assert.deepEqual(Object.keys(got.json()), ['error', 'code'], got.text)
      }
    }
  }
  assert.deepEqual(server.failures, [])
})

it('parts that are off are shown as off', async (test) => {
  const server = await startGatewayServer(test)
  const stats = (await server.send('GET', '/gateway/api/stats', admin)).json()
  assert.deepEqual(
    { ...stats, logs: undefined },
    {
      rateLimit: { enabled: false, metrics: null, config: null },
      cors: { enabled: false, rulesCount: 0 },
      cache: { enabled: false },
      shell: { enabled: false, dir: null, excludesCount: 0 },
      logs: undefined,
    },
  )
  const config = (await server.send('GET', '/gateway/api/config', admin)).json()
  assert.deepEqual(config, { rateLimit: null, cors: [], cache: null, shell: null })
})

it('a wrong parameter is named with its value and what to send', async (test) => {
  const server = await startGatewayServer(test)
  const error = async (query: string) =>
    (await server.send('GET', `/gateway/api/logs?${query}`, admin)).json().error
  assert.equal(
    await error('limit=ten'),
    'limit is "ten"; send a whole number from 0 to 1000000, or leave it out.',
  )
  assert.equal(await error('rateLimited=1'), 'rateLimited is "1"; send true or false, or leave it out.')
  const long = (await error(`limit=${'9'.repeat(5000)}`)) as string
  assert.ok(long.length < 250, long)
})

it('nothing is there for those who are no admins, unknown paths neither', async (test) => {
  const server = await startGatewayServer(test, {
    parts: [(app) => app.post('/part', async () => assert.fail('it was let in'))],
  })
  const doors: readonly (readonly [headers: Record<string, string>, status: number, code: string])[] = [
    [{}, 401, 'UNAUTHORIZED'],
    [{ authorization: 'Bearer nobody' }, 401, 'UNAUTHORIZED'],
    [{ authorization: 'Basic admin' }, 401, 'UNAUTHORIZED'],
    [{ cookie: 'token=admin' }, 401, 'UNAUTHORIZED'],
    [{ authorization: 'Bearer editor' }, 403, 'FORBIDDEN'],
    [{ authorization: 'Bearer __proto__' }, 403, 'FORBIDDEN'],
  ]
  const calls = ['GET /sse', 'GET /stats', 'GET /config', 'GET /logs', 'DELETE /logs', 'GET /logs/stats']
  calls.push('GET /metrics/history', 'DELETE /metrics/history', 'GET /pipeline', 'POST /part', 'GET /none')
  for (const prefix of prefixes) {
    for (const call of calls) {
      const [method = '', path = ''] = call.split(' ')
      for (const [headers, status, code] of doors) {
        const answer = await server.send(method, prefix + path, { headers })
        assert.deepEqual([answer.status, answer.json().code], [status, code], `${call}: ${answer.text}`)
        assert.equal(answer.headers['www-authenticate'], status === 401 ? 'Bearer' : undefined)
      }
    }
  }
  assert.equal(server.monitor.streams.size, 0)
})

const tooMany = defineError('PART_FULL', 503, 'Full of {count}.')

const part: RoutesPart = (app) => {
  app.post('/echo', async (request) => ({ got: request.body ?? null, by: actorOf(request) }))
  app.get('/full', async () => {
    throw tooMany({ count: 3 }, { retryAfterSeconds: 7 })
  })
  app.get('/broken', async () => {
    throw new Error('secret of /etc')
  })
  const body = { type: 'object', required: ['dir'], properties: { dir: { type: 'string' } } }
  app.put('/checked', { schema: { body, response: { 200: body } } }, async () => ({ dir: 'x', more: 1 }))
}

it('routes of parts get the same gate and the same failures', async (test) => {
  const server = await startGatewayServer(test, { parts: [part] })
  const send = (method: string, path: string, sending = {}) =>
    server.send(method, `/api/gateway${path}`, { ...admin, ...sending })
  const typed = { ...adminCredential, 'content-type': 'application/json' }
  assert.deepEqual((await send('POST', '/echo', { json: { a: 1 } })).json(), { got: { a: 1 }, by: 'test' })
  assert.deepEqual((await send('POST', '/echo', { headers: typed, body: '' })).json(), {
    got: null,
    by: 'test',
  })
  for (const text of ['{', '{"__proto__":{"x":1}}', '{"constructor":{"prototype":{}}}']) {
    const answer = await send('POST', '/echo', { headers: typed, body: text })
    assert.deepEqual([answer.status, answer.json().code], [400, 'GATEWAY_REQUEST_INVALID'], answer.text)
  }
  const large = await send('POST', '/echo', { json: 'x'.repeat(300_000) })
  assert.deepEqual([large.status, large.json().code], [413, 'GATEWAY_BODY_TOO_LARGE'])
  const plain = await send('POST', '/echo', {
    headers: { ...adminCredential, 'content-type': 'text/plain' },
    body: 'x',
  })
  assert.equal(plain.status, 415)
  // Schemas are for the document: parts refuse by themselves, and nothing of an answer is left out.
  assert.equal((await send('PUT', '/checked', { json: {} })).status, 200)
  assert.deepEqual((await send('PUT', '/checked', { json: { dir: 'y' } })).json(), { dir: 'x', more: 1 })
  const full = await send('GET', '/full')
  assert.deepEqual([full.status, full.headers['retry-after']], [503, '7'])
  assert.deepEqual(full.json(), { error: 'Full of 3.', code: 'PART_FULL' })
  assert.deepEqual(server.failures, [])
  const broken = await send('GET', '/broken')
  assert.deepEqual([broken.status, broken.json().code], [500, 'INTERNAL_ERROR'])
  assert.doesNotMatch(broken.text, /secret/)
  assert.equal(server.failures.length, 1)
})

it('an area at other prefixes is documented once, with a name for each operation', async (test) => {
  const app = Fastify()
  test.after(() => app.close())
  await app.register(createOpenApi({ version: '1', session: { header: 'x-session-id', cookie: 'sid' } }))
  const rules: RoutesPart = (area) => {
    const schema = { tags: ['Gateway'], summary: 'Rules', response: { 200: { type: 'array' } } }
    area.get('/rules', { schema }, async () => [])
    area.get('/rules/:id', { schema }, async () => ({}))
  }
  for (const prefix of proxyPrefixes) {
    const isDocumented = prefix === proxyPrefixes[0]
    const options = { authenticate: authenticateByRole, isDocumented, log: silentLog(), parts: [rules] }
    await app.register(createAdminArea(options), { prefix })
  }
  const client = createHttpClient(await app.listen({ host: '127.0.0.1', port: 0 }))
  test.after(() => client.close())
  for (const prefix of proxyPrefixes) {
    assert.equal((await client.send('GET', `${prefix}/rules`)).status, 401)
    assert.deepEqual((await client.send('GET', `${prefix}/rules`, admin)).json(), [])
    assert.equal((await client.send('GET', `${prefix}/other`, admin)).status, 404)
  }
  const { paths } = (await client.send('GET', '/api/v1/openapi.json')).json<{
    paths: Record<string, { get: { operationId: string; security: unknown; responses: object } }>
  }>()
  assert.deepEqual(Object.keys(paths), ['/redirects/api/rules', '/redirects/api/rules/{id}'])
  const [first, second] = Object.values(paths)
  assert.equal(first?.get.operationId, 'redirectsGetRules')
  assert.equal(second?.get.operationId, 'redirectsGetRulesId')
  assert.deepEqual(first?.get.security, anyCredential)
  assert.deepEqual(Object.keys(first?.get.responses ?? {}), ['200', '400', '401', '403', '500'])
})
