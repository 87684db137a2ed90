import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { plugin, startHost, type TestHost, useHost } from '../helpers/create-host.js'

/** The rate limit over sockets: headers, whose bucket a request takes from, paths that are not limited. */

interface Bucket {
  readonly key: string
  readonly tokens: number
  readonly retryAfter: number
  readonly lastActivity: number
}

const limitHeaders = ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset'] as const

async function keysOf(server: TestHost): Promise<readonly string[]> {
  const answer = await server.send('GET', '/gateway/api/rate-limit/buckets', { headers: server.credentials })
  assert.equal(answer.status, 200, answer.text)
  return answer.json<Bucket[]>().map(({ key }) => key)
}

const clear = (server: TestHost) =>
  server.send('POST', '/gateway/api/rate-limit/clear', { headers: server.credentials })

describe('headers of the rate limit', () => {
  const server = useHost({
    plugins: {},
    config: { 'gateway.rateLimit.requests': 3, 'gateway.rateLimit.window': '1h' },
  })

  it('stand on every answer, whatever it is: how many there may be, and how many are left', async () => {
    const before = Date.now()
    const sent = [
      ['GET', '/health', 200],
      ['GET', '/nowhere', 404],
      ['DELETE', '/api/v1/admin/plugins', 401],
    ] as const
    for (const [at, [method, path, status]] of sent.entries()) {
      const { headers, ...answer } = await server().send(method, path)
      assert.equal(answer.status, status, path)
      assert.equal(headers['x-ratelimit-limit'], '3')
      assert.equal(headers['x-ratelimit-remaining'], String(2 - at))
      assert.equal(headers['retry-after'], undefined, 'only a refusal says when to come again')
      // Also where the request was let pass: see decision 0035.
      const reset = Number(headers['x-ratelimit-reset'])
      assert.ok(reset > before && reset <= Date.now() + 3_600_000, `${reset}`)
    }
  })

  it('of a refusal say when the next request and when the whole burst is allowed', async () => {
    const { status, headers, text } = await server().send('GET', '/health')
    assert.equal(status, 429)
    assert.equal(headers['x-ratelimit-limit'], '3')
    assert.equal(headers['x-ratelimit-remaining'], '0')
    assert.match(String(headers['content-type']), /^application\/json/)
    assert.deepEqual(JSON.parse(text), { error: 'Too Many Requests', code: 'RATE_LIMITED' })
    // One of three in an hour comes back in 1200 seconds, all of them in 3600.
    const wait = Number(headers['retry-after'])
    assert.ok(Number.isInteger(wait) && wait > 1100 && wait <= 1200, `${wait}`)
    const fullIn = Number(headers['x-ratelimit-reset']) - Date.now()
    assert.ok(fullIn > 3_500_000 && fullIn <= 3_600_000, `${fullIn}`)
  })

  it('are not on answers to an admin below the paths of the gateway, who is never refused there', async () => {
    const { credentials } = server()
    for (const prefix of ['/gateway/api', '/api/gateway']) {
      const { status, headers } = await server().send('GET', `${prefix}/stats`, { headers: credentials })
      assert.equal(status, 200)
      for (const name of limitHeaders) assert.equal(headers[name], undefined)
      const stranger = await server().send('GET', `${prefix}/stats`, {
        headers: { authorization: 'Bearer x' },
      })
      assert.equal(stranger.status, 429, 'a credential that is not valid is no way around the limit')
    }
    assert.equal((await server().send('GET', '/health', { headers: credentials })).status, 429)
  })
})

describe('whose bucket a request takes from', () => {
  const keys = plugin(
    'keys',
    `gateway.key_by("team", function(request) return request.headers["x-team"] end)`,
  )
  const admin = 'as an admin'
  const rows: readonly (readonly [
    string,
    Readonly<Record<string, string>> | typeof admin,
    string | RegExp,
  ])[] = [
    ['ip', {}, 'ip:127.0.0.1'],
    ['ip', { 'x-forwarded-for': '203.0.113.9', 'x-real-ip': '203.0.113.9' }, 'ip:127.0.0.1'],
    ['user', admin, 'user:admin'],
    ['user', {}, 'ip:127.0.0.1'],
    ['user', { 'x-identity': '{"sub":"admin"}' }, 'ip:127.0.0.1'],
    ['user', { 'x-identity': 'no json' }, 'ip:127.0.0.1'],
    ['user', { authorization: 'Bearer of-nobody' }, 'ip:127.0.0.1'],
    ['tenant', { 'x-tenant-id': 'acme' }, 'tenant:acme'],
    ['tenant', {}, 'ip:127.0.0.1'],
    ['header:X-Team', { 'x-team': 'red' }, 'header:x-team:red'],
    ['header:X-Team', { 'x-team': '' }, 'ip:127.0.0.1'],
    ['cookie:sid', { cookie: 'a=b; sid=secret' }, /^cookie:sid:sha256-[\w-]{43}$/],
    ['cookie:sid', { cookie: 'a=b' }, 'ip:127.0.0.1'],
    ['lua:keys/team', { 'x-team': 'blue' }, 'lua:keys/team:blue'],
    ['lua:keys/team', {}, 'ip:127.0.0.1'],
    ['lua:keys/nobody', { 'x-team': 'blue' }, 'ip:127.0.0.1'],
  ]
  for (const keyBy of new Set(rows.map(([name]) => name))) {
    it(`by ${keyBy}`, async (t) => {
      const config = { 'gateway.rateLimit.requests': 5, 'gateway.rateLimit.keyBy': keyBy }
      const server = await startHost(t, { plugins: { 'keys/init.lua': keys }, config })
      for (const [, given, expected] of rows.filter(([name]) => name === keyBy)) {
        await clear(server)
        await server.send('GET', '/health', { headers: given === admin ? server.credentials : given })
        const listed = await keysOf(server)
        assert.equal(listed.length, 1, `${listed}`)
        if (typeof expected === 'string') assert.equal(listed[0], expected)
        else assert.match(String(listed[0]), expected)
      }
    })
  }
})

describe('paths that are not limited', () => {
  const excludePaths = ['/health', '/_/api/health', '/api/public/.*', '/api/open/**']
  const server = useHost({
    plugins: {},
    config: { 'gateway.rateLimit.requests': 50, 'gateway.rateLimit.excludePaths': excludePaths },
  })
  const rows = [
    ['/health', false],
    ['/health?deep=1', false],
    ['/%68ealth', false],
    ['/_/api/health', false],
    ['/api/public/a', false],
    ['/api/public/a/b.js', false],
    ['/api/open/a/b', false],
    // An entry is a whole path: see decision 0035.
    ['/healthz', true],
    ['/x/health', true],
    ['/x/api/public/a', true],
    ['/api/publicity', true],
    ['/api/public', true],
    ['/Health', true],
    ['/health/', true],
    ['/api%2Fpublic/a', true],
    ['/', true],
  ] as const
  for (const [path, isLimited] of rows) {
    it(`${path} is ${isLimited ? '' : 'not '}limited`, async () => {
      const { headers } = await server().send('GET', path)
      for (const name of limitHeaders) assert.equal(headers[name] !== undefined, isLimited, name)
    })
  }

  it('are not in the figures', async () => {
    const read = async () => {
      const { credentials, send } = server()
      const metrics = await send.call(server(), 'GET', '/gateway/api/rate-limit/metrics', {
        headers: credentials,
      })
      return metrics.json<{ totalRequests: number }>().totalRequests
    }
    const before = await read()
    await server().send('GET', '/health')
    assert.equal(await read(), before)
    await server().send('GET', '/healthz')
    assert.equal(await read(), before + 1)
  })
})

describe('addresses that a client writes by itself', () => {
  const limit = { 'gateway.rateLimit.requests': 3, 'gateway.rateLimit.window': '1h' }
  const rotated = (at: number): Readonly<Record<string, string>> => ({
    'x-forwarded-for': `203.0.113.${at}`,
    'x-real-ip': `203.0.113.${at}`,
    forwarded: `for=203.0.113.${at}`,
    'x-client-ip': `203.0.113.${at}`,
    'cf-connecting-ip': `203.0.113.${at}`,
    'true-client-ip': `203.0.113.${at}`,
  })
  const allowedOf = async (server: TestHost, headersOf: (at: number) => Readonly<Record<string, string>>) => {
    let allowed = 0
    for (let at = 1; at <= 20; at += 1) {
      const { status } = await server.send('GET', '/health', { headers: headersOf(at) })
      if (status !== 429) allowed += 1
    }
    return allowed
  }

  it('buy nothing without trusted proxies', async (t) => {
    const server = await startHost(t, { plugins: {}, config: limit })
    assert.equal(await allowedOf(server, rotated), 3)
    assert.deepEqual(await keysOf(server), ['ip:127.0.0.1'])
  })

  it('buy nothing from a peer that is no proxy of ours', async (t) => {
    const server = await startHost(t, {
      plugins: {},
      config: { ...limit, plugin_trusted_proxies: ['10.0.0.0/8', '::1'] },
    })
    assert.equal(await allowedOf(server, rotated), 3)
    assert.deepEqual(await keysOf(server), ['ip:127.0.0.1'])
  })

  describe('behind a trusted proxy', () => {
    const proxied = { plugin_trusted_proxies: ['127.0.0.1'] }
    it('count only as far as the proxy has appended them', async (t) => {
      const server = await startHost(t, { plugins: {}, config: { ...limit, ...proxied } })
      const behind = (at: number) => ({ ...rotated(at), 'x-forwarded-for': `203.0.113.${at}, 198.51.100.7` })
      assert.equal(await allowedOf(server, behind), 3)
      assert.deepEqual(await keysOf(server), ['ip:198.51.100.7'])
      const other = await server.send('GET', '/health', { headers: { 'x-forwarded-for': '198.51.100.8' } })
      assert.equal(other.status, 200, 'the next client has a bucket of its own')
      const network = (at: number) => ({ 'x-forwarded-for': `2001:db8:1:2:${at}::1` })
      assert.equal(await allowedOf(server, network), 3, 'one client has a whole network of addresses')
    })

    it('a flood of clients takes no more buckets than there may be', async (t) => {
      const server = await startHost(t, {
        plugins: {},
        config: { ...limit, ...proxied, 'gateway.rateLimit.maxBuckets': 100 },
      })
      const from = (client: number) => ({
        headers: { 'x-forwarded-for': `10.1.${client >> 8}.${client & 255}` },
      })
      for (let start = 0; start < 1500; start += 50) {
        const batch = Array.from({ length: 50 }, (_, at) => server.send('GET', '/health', from(start + at)))
        for (const { status } of await Promise.all(batch)) assert.equal(status, 200)
      }
      const answer = await server.send('GET', '/gateway/api/rate-limit/metrics', {
        headers: server.credentials,
      })
      const figures = answer.json<{ totalRequests: number; activeBuckets: number }>()
      assert.deepEqual([figures.totalRequests, figures.activeBuckets], [1500, 100])
    })
  })
})
