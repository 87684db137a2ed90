import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { plugin, startHost, type TestHost } from '../helpers/create-host.js'
import { createGatewayPlace } from '../helpers/gateway-process.js'
import { startWebServer } from '../helpers/web-server.js'

/** The smallest configuration of each usual case, and what helps when something does not work. */

const app = 'https://app.example.com'

function writeShell(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'modulacms-scenario-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'dist'))
  writeFileSync(
    join(folder, 'dist', 'index.html'),
    '<head><script src="assets/main.js"></script></head>shell',
  )
  mkdirSync(join(folder, 'dist', 'assets'))
  writeFileSync(join(folder, 'dist', 'assets', 'main.js'), 'shell main')
  return folder
}

const bucketsOf = async (server: TestHost) => {
  const answer = await server.send('GET', '/gateway/api/rate-limit/buckets', { headers: server.credentials })
  return answer.json<{ key: string; tokens: number }[]>().map(({ key, tokens }) => [key, Math.floor(tokens)])
}

const from = (origin: string) => ({ headers: { origin } })
const load = (server: TestHost, path: string) =>
  server.send('GET', path, { headers: { 'sec-fetch-dest': 'document' } })

describe('the smallest configuration', () => {
  it('of a machine for development and of an open interface: every origin, 1000 a minute for each address, public paths free, no shell', async (t) => {
    const server = await startHost(t, {
      plugins: {},
      config: {
        'gateway.cors': {},
        'gateway.rateLimit.requests': 1000,
        'gateway.rateLimit.excludePaths': ['/api/public/.*'],
      },
    })
    const { headers } = await server.send('GET', '/health', from('http://localhost:5173'))
    assert.equal(headers['access-control-allow-origin'], '*')
    assert.equal(headers['access-control-allow-credentials'], undefined)
    assert.deepEqual([headers['x-ratelimit-limit'], headers['x-ratelimit-remaining']], ['1000', '999'])
    assert.equal((await load(server, '/')).status, 404)
    await server.send('POST', '/gateway/api/rate-limit/clear', { headers: server.credentials })
    const left = async (path: string) =>
      (await server.send('GET', path, from(app))).headers['x-ratelimit-remaining']
    assert.equal(await left('/api/public/x'), undefined)
    assert.equal(await left('/api/private/x'), '999')
  })

  it('of an application in production: one origin, credentials, 60 a minute for each user, a shell', async (t) => {
    const server = await startHost(t, {
      plugins: {},
      config: {
        'gateway.cors.origin': app,
        'gateway.cors.credentials': true,
        'gateway.rateLimit.requests': 60,
        'gateway.rateLimit.keyBy': 'user',
        'gateway.shellDir': writeShell(t),
      },
    })
    const { headers } = await server.send('GET', '/health', {
      headers: { origin: app, ...server.credentials },
    })
    assert.equal(headers['access-control-allow-origin'], app)
    assert.equal(headers['access-control-allow-credentials'], 'true')
    // A bucket that is full again is none: so many take their time.
    for (let at = 0; at < 20; at += 1) await server.send('GET', '/health', { headers: server.credentials })
    assert.deepEqual(
      (await bucketsOf(server)).map(([key]) => key),
      ['user:admin'],
    )
    assert.match((await load(server, '/orders')).text, /shell/)
    assert.doesNotMatch((await load(server, '/cpanel')).text, /shell/)
    const stranger = await server.send('GET', '/health', from('https://evil.example'))
    assert.equal(stranger.headers['access-control-allow-origin'], undefined)

    // A limit by user counts by address where the request has no credential of this host.
    await server.send('POST', '/gateway/api/rate-limit/clear', { headers: server.credentials })
    const identity = { headers: { 'x-identity': '{"sub":"ada"}' } }
    for (let at = 0; at < 20; at += 1) await server.send('GET', '/health', identity)
    assert.deepEqual(
      (await bucketsOf(server)).map(([key]) => key),
      ['ip:127.0.0.1'],
    )
    for (let at = 0; at < 20; at += 1) await server.send('GET', '/health', { headers: server.credentials })
    assert.deepEqual((await bucketsOf(server)).map(([key]) => key).sort(), ['ip:127.0.0.1', 'user:admin'])
  })

  it('of many tenants: their hosts, credentials, 5000 an hour for each, a shell with excludes', async (t) => {
    const tenants = plugin(
      'tenants',
      `gateway.key_by("tenant", function(request) return request.headers["x-tenant-id"] or "anon" end)`,
    )
    const hosts = ['https://a.example', 'https://b.example']
    const server = await startHost(t, {
      plugins: { 'tenants/init.lua': tenants },
      config: {
        'gateway.cors.origin': hosts,
        'gateway.cors.credentials': true,
        'gateway.rateLimit.requests': 5000,
        'gateway.rateLimit.window': '1h',
        'gateway.rateLimit.keyBy': 'lua:tenants/tenant',
        'gateway.shellDir': writeShell(t),
        'gateway.shellExcludes': 'legacy',
      },
    })
    for (const origin of hosts) {
      const { headers } = await server.send('GET', '/health', {
        headers: { origin, 'x-tenant-id': 'acme' },
      })
      assert.equal(headers['access-control-allow-origin'], origin)
    }
    for (let at = 0; at < 40; at += 1) {
      await server.send('GET', '/health', { headers: at % 2 === 0 ? { 'x-tenant-id': 'acme' } : {} })
    }
    const keys = (await bucketsOf(server)).map(([key]) => key).sort()
    assert.deepEqual(keys, ['lua:tenants/tenant:acme', 'lua:tenants/tenant:anon'])
    assert.match((await load(server, '/orders')).text, /shell/)
    assert.doesNotMatch((await load(server, '/legacy')).text, /shell/)
  })
})

describe('what helps', () => {
  const preflight = (server: TestHost, headers: string) =>
    server.send('OPTIONS', '/health', {
      headers: {
        origin: app,
        'access-control-request-method': 'GET',
        'access-control-request-headers': headers,
      },
    })

  it('origins, headers of requests and health checks that are refused: name them; the log tells what is in force', async (t) => {
    const config = {
      'gateway.cors.origin': app,
      'gateway.cors.allowedHeaders': ['X-Team'],
      'gateway.rateLimit.requests': 1,
      'gateway.shellDir': writeShell(t),
    }
    const server = await startHost(t, { plugins: {}, config })
    const clear = () => server.send('POST', '/gateway/api/rate-limit/clear', { headers: server.credentials })
    const read = async () =>
      (await server.send('GET', '/health', from('https://b.example'))).headers['access-control-allow-origin']
    const twice = async () => [
      (await server.send('GET', '/health')).status,
      (await server.send('GET', '/health')).status,
    ]

    // An origin is added while the server runs.
    assert.equal(await read(), undefined)
    const added = await server.send('POST', '/gateway/api/cors/rules', {
      headers: server.credentials,
      json: { name: 'app', origins: ['https://b.example'] },
    })
    assert.equal(added.status, 201)
    assert.equal(await read(), 'https://b.example')

    const allowed = (await preflight(server, 'x-other')).headers['access-control-allow-headers']
    assert.equal(allowed, 'X-Team')

    await clear()
    assert.equal((await load(server, '/deployments')).status, 200)
    assert.deepEqual(await twice(), [200, 429])

    const find = (message: RegExp) => server.lines.find(({ msg }) => message.test(msg))
    assert.deepEqual(
      [find(/^requests are limited/)].map((line) => [line?.requests, line?.window, line?.keyBy]),
      [[1, '1m', 'ip']],
    )
    assert.deepEqual(find(/^pages of other origins/)?.origin, app)
    assert.equal(find(/^the shell answers page loads/)?.level, 'info')
    assert.equal(find(/^the shell answers$/)?.path, '/deployments')
    assert.equal(find(/^a request is refused by the rate limit/)?.key, 'ip:127.0.0.1')

    await server.restart({
      config: {
        ...config,
        'gateway.cors.allowedHeaders': ['X-Team', 'X-Other'],
        'gateway.rateLimit.excludePaths': ['/health'],
      },
    })
    assert.match(
      String((await preflight(server, 'x-other')).headers['access-control-allow-headers']),
      /X-Other/,
    )
    assert.deepEqual(await twice(), [200, 200])
  })

  it('a shell that does not load: the start says which directory and what belongs there', async (t) => {
    const { place, refuse } = await createGatewayPlace(t)
    await place.write({ 'shell/src/main.ts': '' })
    const { code, err } = await refuse({ GATEWAY_SHELL_DIR: join(place.folder, 'shell') })
    assert.notEqual(code, 0)
    assert.match(err, /shell directory ".*\/shell" cannot be served.*dist\/index\.html or index\.html/)
  })

  it('a shell and apps behind it: assets, frames, excludes, and a history that is empty', async (t) => {
    const upstream = await startWebServer(t, (_request, response) => {
      response.setHeader('content-security-policy', "frame-ancestors 'self'").end('framed')
    })
    const server = await startHost(t, {
      plugins: {},
      config: {
        'gateway.shellDir': writeShell(t),
        'gateway.shellExcludes': 'my.app,my-app',
        'gateway.proxy.rules': [{ pattern: '^/deployments$', target: upstream.url }],
      },
    })

    // Assets with relative paths are there below any address.
    const { text } = await load(server, '/deployments/list')
    assert.match(text, /<head><base href="\/"><script src="assets\/main\.js">/)
    assert.equal((await server.send('GET', '/assets/main.js')).text, 'shell main')

    // The headers of an app that refuses to be framed reach the browser as it has sent them.
    const frame = await server.send('GET', '/deployments', { headers: { 'sec-fetch-dest': 'iframe' } })
    assert.equal(frame.text, 'framed')
    assert.equal(frame.headers['content-security-policy'], "frame-ancestors 'self'")
    assert.equal(frame.headers['x-frame-options'], undefined)

    // An exclude that is no basename does nothing, which the log says.
    assert.match((await load(server, '/my.app')).text, /shell/)
    assert.doesNotMatch((await load(server, '/my-app')).text, /shell/)
    const warned = server.lines.filter(({ level, basename }) => level === 'warn' && basename === 'my.app')
    assert.equal(warned.length, 1)

    // There is no history without a rate limit.
    const { json } = await server.send('GET', '/gateway/api/stats', { headers: server.credentials })
    assert.equal(json<{ rateLimit: { enabled: boolean } }>().rateLimit.enabled, false)
    const history = await server.send('GET', '/gateway/api/metrics/history', { headers: server.credentials })
    assert.deepEqual(history.json(), [])
  })
})
