import assert from 'node:assert/strict'
import { test } from 'node:test'
import Fastify from 'fastify'
import type { Exchange } from '../../../../src/gateway/exchange.js'
import { RateLimit, type RateLimitOptions } from '../../../../src/gateway/rate-limit/rate-limit.js'
import { addRateLimitRoutes } from '../../../../src/gateway/rate-limit/rate-limit-routes.js'
import {
  answerFailures,
  epoch,
  limitHeaders,
  silent,
  startWorld,
  statuses,
} from '../../../helpers/rate-limit-world.js'

test('every counted answer has the headers, whatever it is', async (t) => {
  const world = await startWorld(t, { requests: 5, window: '50s' })
  assert.deepEqual(limitHeaders(await world.send('GET', '/ok')), ['5', '4', String(epoch + 10_000)])
  const missing = await world.send('GET', '/missing')
  assert.equal(missing.status, 404)
  assert.deepEqual(limitHeaders(missing), ['5', '3', String(epoch + 20_000)])
  const failed = await world.send('GET', '/fails')
  assert.equal(failed.status, 500)
  assert.deepEqual(limitHeaders(failed), ['5', '2', String(epoch + 30_000)])
  const stream = await world.send('GET', '/stream')
  assert.equal(stream.headers['content-type'], 'text/event-stream')
  assert.deepEqual(limitHeaders(stream), ['5', '1', String(epoch + 40_000)])
  assert.deepEqual(limitHeaders(await world.send('GET', '/own')), ['5', '0', String(epoch + 50_000)])
  world.pass(2500)
  const refused = await world.send('GET', '/ok')
  assert.equal(refused.status, 429)
  assert.deepEqual(limitHeaders(refused), ['5', '0', String(epoch + 50_000)])
  assert.equal(refused.headers['retry-after'], '8')
  assert.equal(refused.headers['content-type'], 'application/json; charset=utf-8')
  assert.deepEqual(refused.json(), { error: 'Too Many Requests', code: 'RATE_LIMITED' })
  assert.equal(world.limited(), 1)
  world.pass(7500)
  assert.equal((await world.send('GET', '/ok')).status, 200)
  assert.deepEqual(world.limit.metrics(), {
    totalRequests: 7,
    allowedRequests: 6,
    blockedRequests: 1,
    activeBuckets: 1,
    config: { capacity: 5, windowSeconds: 50 },
  })
})

test('a header of the client about its address buys nothing', async (t) => {
  const world = await startWorld(t)
  const spoofed = Array.from({ length: 5 }, (_, count) => ({
    'x-forwarded-for': `198.51.100.${count}`,
    'x-real-ip': `198.51.100.${count}`,
    forwarded: `for=198.51.100.${count}`,
  }))
  assert.deepEqual(await statuses(world, '/ok', ...spoofed), [200, 200, 200, 429, 429])
  assert.deepEqual(
    world.limit.buckets({ limit: 10, sortBy: 'tokens' }).map(({ key }) => key),
    ['ip:127.0.0.1'],
  )
})

test('behind a trusted proxy only what the proxy appended counts', async (t) => {
  const world = await startWorld(t, {}, ['127.0.0.1'])
  const chains = Array.from({ length: 5 }, (_, count) => ({
    'x-forwarded-for': `192.0.2.${count}, 198.51.100.7`,
  }))
  assert.deepEqual(await statuses(world, '/ok', ...chains), [200, 200, 200, 429, 429])
  assert.deepEqual(await statuses(world, '/ok', { 'x-forwarded-for': '198.51.100.8' }), [200])
})

test('a client has one bucket for all addresses of its IPv6 network', async (t) => {
  const world = await startWorld(t, {}, ['127.0.0.1'])
  const own = ['::1', '::2', ':ffff::', ':1:2:3:4'].map((end) => ({
    'x-forwarded-for': `2001:db8:1:2${end}`,
  }))
  assert.deepEqual(await statuses(world, '/ok', ...own), [200, 200, 200, 429])
  assert.deepEqual(await statuses(world, '/ok', { 'x-forwarded-for': '2001:db8:1:3::1' }), [200])
})

const strategies: readonly (readonly [string, Readonly<Record<string, string>>, string | RegExp])[] = [
  ['user', { authorization: 'Bearer ann' }, 'user:id-ann'],
  ['user', { authorization: 'Bearer ?', 'x-identity': '{"sub":"root"}' }, 'ip:127.0.0.1'],
  ['tenant', { 'x-tenant-id': 'acme' }, 'tenant:acme'],
  ['tenant', { authorization: 'Bearer tina', 'x-tenant-id': 'globex' }, 'tenant:acme'],
  ['tenant', { authorization: 'Bearer ann', 'x-tenant-id': 'globex' }, 'tenant:globex'],
  ['tenant', {}, 'ip:127.0.0.1'],
  ['header:X-Plan', { 'x-plan': 'gold 100%' }, 'header:x-plan:gold 100%'],
  ['header:X-Plan', { 'x-plan': '' }, 'ip:127.0.0.1'],
  ['header:X-Plan', { 'x-plan': 'g'.repeat(5000) }, /^header:x-plan:sha256-[\w-]{43}$/],
  ['header:Authorization', { authorization: 'Bearer secret' }, /^header:authorization:sha256-[\w-]{43}$/],
  ['cookie:sid', { cookie: 'a=b; sid=secret; c=d' }, /^cookie:sid:sha256-[\w-]{43}$/],
  ['cookie:sid', { cookie: 'xsid=1; sid2=2' }, 'ip:127.0.0.1'],
]
for (const [keyBy, headers, expected] of strategies) {
  test(`${keyBy} with ${JSON.stringify(headers).slice(0, 60)} counts for ${expected}`, async (t) => {
    const world = await startWorld(t, { keyBy })
    await world.send('GET', '/ok', headers)
    const [bucket] = world.limit.buckets({ limit: 10, sortBy: 'tokens' })
    if (typeof expected === 'string') assert.equal(bucket?.key, expected)
    else assert.match(bucket?.key ?? '', expected)
  })
}

test('plugins give keys, at once or later, and without one the address counts', async (t) => {
  const texts: Readonly<Record<string, () => unknown>> = {
    now: () => 'a',
    later: async () => 'b',
    nothing: () => undefined,
    number: async () => undefined,
    throws: () => {
      throw new Error('broken')
    },
    rejects: async () => {
      throw new Error('broken')
    },
  }
  const world = await startWorld(t, {
    requests: 100,
    keyBy: 'lua:shop/by_plan',
    keyFunction: (name) =>
      name !== 'shop/by_plan'
        ? undefined
        : (exchange: Exchange) => texts[exchange.header('x-way') ?? '']?.() as string | undefined,
  })
  for (const way of [...Object.keys(texts), 'absent', 'throws'])
    assert.deepEqual(await statuses(world, '/ok', { 'x-way': way }), [200])
  const found = new Map(
    world.limit.buckets({ limit: 10, sortBy: 'tokens' }).map(({ key, tokens }) => [key, tokens]),
  )
  assert.deepEqual(
    [...found],
    [
      ['ip:127.0.0.1', 94],
      ['lua:shop/by_plan:a', 99],
      ['lua:shop/by_plan:b', 99],
    ],
  )
  assert.deepEqual(world.warnings, [{ key_function: 'shop/by_plan', error: 'broken' }])
})

test('strategies, windows, rules and paths that cannot be used stop the start', () => {
  const refusals: readonly (readonly [Partial<RateLimitOptions>, string])[] = [
    [{ keyBy: 'session' }, 'RATE_LIMIT_KEY_INVALID'],
    [{ keyBy: 'IP' }, 'RATE_LIMIT_KEY_INVALID'],
    [{ keyBy: 'header:' }, 'RATE_LIMIT_KEY_INVALID'],
    [{ keyBy: 'cookie:a b' }, 'RATE_LIMIT_KEY_INVALID'],
    [{ keyBy: 'lua:shop' }, 'RATE_LIMIT_KEY_INVALID'],
    [{ keyBy: 'ip:x' }, 'RATE_LIMIT_KEY_INVALID'],
    [{ window: '1w' }, 'RATE_LIMIT_WINDOW_INVALID'],
    [{ requests: 0 }, 'RATE_LIMIT_INVALID'],
    [{ excludePaths: ['/a('] }, 'GATEWAY_PATH_PATTERN_INVALID'],
    [{ rules: [{ paths: [] }] }, 'RATE_LIMIT_RULE_INVALID'],
    [{ rules: [{ paths: ['/a'], methods: [] }] }, 'RATE_LIMIT_RULE_INVALID'],
    [{ rules: [{ paths: ['/a'], cost: 4 }] }, 'RATE_LIMIT_INVALID'],
    [{ rules: [{ paths: ['/a'], keyBy: 'nobody' }] }, 'RATE_LIMIT_KEY_INVALID'],
    [{ rules: [{ paths: ['/a'], window: '-1' }] }, 'RATE_LIMIT_WINDOW_INVALID'],
    [{ rules: Array.from({ length: 101 }, () => ({ paths: ['/a'] })) }, 'RATE_LIMIT_RULE_INVALID'],
  ]
  for (const [options, code] of refusals)
    assert.throws(() => new RateLimit({ requests: 3, window: '30s', log: silent, ...options }), { code })
})

test('excluded paths are whole paths, and are neither counted nor marked', async (t) => {
  const world = await startWorld(t, { excludePaths: ['/ok'] })
  const free = {}
  assert.deepEqual(await statuses(world, '/ok', free, free, free, free), [200, 200, 200, 200])
  assert.deepEqual(limitHeaders(await world.send('GET', '/ok?x=1')), [undefined, undefined, undefined])
  assert.equal(world.limit.metrics().totalRequests, 0)
  for (const path of ['/okz', '/x/ok', '/ok/', '/missing?/ok']) {
    assert.notEqual((await world.send('GET', path)).headers['x-ratelimit-limit'], undefined, path)
  }
})

test('the first rule that means a request holds, with its own buckets or its cost', async (t) => {
  const world = await startWorld(t, {
    requests: 10,
    window: '100s',
    rules: [
      { paths: ['/ok'], methods: ['post'], requests: 1 },
      { paths: ['/ok'], methods: ['PUT'], cost: 5 },
      { paths: ['/own'], window: '10s', keyBy: 'tenant', cost: 6 },
      { paths: ['/**'], methods: ['POST', 'PUT'], requests: 7 },
    ],
  })
  assert.deepEqual(limitHeaders(await world.send('POST', '/ok')).slice(0, 2), ['1', '0'])
  assert.equal((await world.send('POST', '/ok')).headers['retry-after'], '100')
  assert.deepEqual(limitHeaders(await world.send('PUT', '/ok')).slice(0, 2), ['10', '5'])
  assert.deepEqual(limitHeaders(await world.send('GET', '/ok')).slice(0, 2), ['10', '4'])
  const dear = await world.send('PUT', '/ok')
  assert.equal(dear.status, 429)
  assert.deepEqual(limitHeaders(dear).slice(0, 2), ['10', '4'])
  assert.equal(dear.headers['retry-after'], '10')
  assert.equal((await world.send('GET', '/ok')).status, 200, 'a refused cost takes nothing')
  assert.deepEqual(limitHeaders(await world.send('GET', '/own', { 'x-tenant-id': 'a' })).slice(0, 2), [
    '10',
    '4',
  ])
  assert.equal((await world.send('GET', '/own', { 'x-tenant-id': 'a' })).headers['retry-after'], '2')
  const keys = world.limit.buckets({ limit: 10, sortBy: 'tokens' }).map(({ key }) => key)
  assert.deepEqual(keys.sort(), ['ip:127.0.0.1', 'rule-1:ip:127.0.0.1', 'rule-3:tenant:a'])
  assert.equal(world.limit.reset('rule-1:ip:127.0.0.1'), true)
  assert.equal((await world.send('POST', '/ok')).status, 200)
  assert.equal(world.limit.clear(), 3)
})

test('admins are never refused where they can clear buckets; everybody else is', async (t) => {
  const world = await startWorld(t, { requests: 1 })
  const root = { authorization: 'Bearer root' }
  assert.deepEqual(await statuses(world, '/ok', root, root), [200, 429])
  assert.equal(world.lookups(), 0, 'nobody is looked up elsewhere')
  assert.deepEqual(
    await statuses(world, '/gateway/api/rate-limit/metrics', root, {}, { authorization: 'Bearer ann' }),
    [200, 429, 429],
  )
  for (const path of ['/gateway/apix', '/x/gateway/api', '/gateway', '//gateway/api'])
    assert.deepEqual(await statuses(world, path, root), [429], path)
  // Whoever cannot reach what was misconfigured cannot mend it.
  for (const path of ['/redirects/api/rules', '/api/proxy/rules', '/api/v1/admin/plugins'])
    assert.deepEqual(await statuses(world, path, root, {}), [404, 429], path)
  const cleared = await world.send('POST', '/api/gateway/rate-limit/clear', root)
  assert.deepEqual(cleared.json(), { cleared: 1 })
  assert.equal((await world.send('GET', '/ok')).status, 200)
})

test('the routes list, reset and count', async (t) => {
  const world = await startWorld(t, { keyBy: 'header:x-plan', requests: 4, window: '40s' })
  const root = { authorization: 'Bearer root' }
  const plans = ['a/b', '100%', '100%25', 'ü', 'p'.repeat(128)]
  for (const [index, plan] of plans.entries()) {
    for (let count = 0; count <= index % 3; count += 1) await world.send('GET', '/ok', { 'x-plan': plan })
    world.pass(1)
  }
  const list = async (
    query: string,
  ): Promise<{ key: string; tokens: number; retryAfter: number; lastActivity: number }[]> =>
    (await world.send('GET', `/gateway/api/rate-limit/buckets${query}`, root)).json()
  const latest = await list('?limit=2')
  assert.deepEqual(
    latest.map(({ key }) => key.slice(0, 20)),
    ['header:x-plan:pppppp', 'header:x-plan:ü'],
  )
  assert.equal(latest[0]?.lastActivity, epoch + 4)
  assert.equal(latest[0]?.retryAfter, 0)
  assert.equal((await list('?sortBy=tokens&limit=1'))[0]?.key, 'header:x-plan:100%25')
  assert.equal((await list('')).length, plans.length)
  for (const query of [
    'limit=0',
    'limit=1001',
    'limit=x',
    'limit=-1',
    'limit=1&limit=2',
    'sortBy=key',
    'sortBy=',
  ]) {
    const refused = await world.send('GET', `/gateway/api/rate-limit/buckets?${query}`, root)
    assert.equal(refused.status, 400, query)
    assert.equal(refused.json().code, 'RATE_LIMIT_QUERY_INVALID', query)
  }
  for (const plan of plans) {
    const key = `header:x-plan:${plan}`
    const path = `/api/gateway/rate-limit/buckets/${encodeURIComponent(key)}`
    assert.deepEqual((await world.send('DELETE', path, root)).json(), { deleted: true, key })
    assert.deepEqual((await world.send('DELETE', path, root)).json(), { deleted: false, key })
  }
  const metrics = (await world.send('GET', '/gateway/api/rate-limit/metrics', root)).json()
  assert.deepEqual(metrics, {
    totalRequests: 9,
    blockedRequests: 0,
    allowedRequests: 9,
    activeBuckets: 0,
    config: { capacity: 4, windowSeconds: 40 },
  })
  assert.deepEqual(world.limit.config(), { requests: 4, window: '40s', keyBy: 'header:x-plan' })
})

test('without a limit the routes say so', async (t) => {
  const app = Fastify()
  answerFailures(app)
  addRateLimitRoutes(app, undefined)
  t.after(() => app.close())
  for (const [method, url] of [
    ['GET', '/rate-limit/metrics'],
    ['GET', '/rate-limit/buckets?limit=x'],
    ['DELETE', '/rate-limit/buckets/ip%3A1'],
    ['POST', '/rate-limit/clear'],
  ] as const) {
    const answer = await app.inject({ method, url })
    assert.equal(answer.statusCode, 400, url)
    assert.equal(answer.json().code, 'RATE_LIMIT_DISABLED', url)
    assert.equal(answer.json().error, 'Rate limiting not enabled', url)
  }
})

test('a flood of many requests at once is admitted up to the capacity, not once more', async (t) => {
  const world = await startWorld(t, {
    requests: 20,
    keyBy: 'lua:shop/slow',
    keyFunction: () => () => new Promise((resolve) => setImmediate(() => resolve('same'))),
  })
  const answers = await Promise.all(Array.from({ length: 100 }, () => world.send('GET', '/ok')))
  assert.equal(answers.filter(({ status }) => status === 200).length, 20)
  assert.equal(answers.filter(({ status }) => status === 429).length, 80)
  const left = answers
    .filter(({ status }) => status === 200)
    .map(({ headers }) => headers['x-ratelimit-remaining'])
  assert.equal(new Set(left).size, 20, 'each is told another number of requests that are left')
})
