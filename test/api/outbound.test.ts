import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { createClient } from '../../sdk/client/index.js'
import { plugin, startHost, type TestHost, type TestHostOptions, useHost } from '../helpers/create-host.js'
import { install } from '../helpers/installed-plugins.js'
import { selfSignedCertificate } from '../helpers/tls-certificates.js'
import { until } from '../helpers/until.js'
import {
  bodyOf,
  type Listener,
  startTlsServer,
  startWebServer,
  type WebServer,
} from '../helpers/web-server.js'

/** A plugin that sends what it is told to, and answers with what it got. */
const caller = (name: string) =>
  plugin(
    name,
    `
    request.register("127.0.0.1", { description = "A server of the test." })
    http.handle("POST", "/send", function(req)
      local ok, result = pcall(request.send, req.json.method or "GET", req.json.url, req.json.options)
      if not ok then return { json = { raised = result } } end
      return { json = result }
    end, { public = true })
    http.handle("GET", "/ping", function() return { body = "pong" } end, { public = true })
  `,
  )

const local = {
  plugin_request_allow_local: true,
  plugin_request_rate_limit: 0,
  plugin_request_global_rate: 0,
}

const approveAll = { outbound: { isApproved: () => true } } as const

interface Sent {
  readonly status?: number
  readonly error?: string
  readonly raised?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
}

async function send(host: TestHost, name: string, json: object): Promise<Sent> {
  const answer = await host.call('POST', `/${name}/send`, { json })
  assert.equal(answer.status, 200, answer.text)
  return answer.json<Sent>()
}

async function start(
  t: TestContext,
  listener: Listener,
  options: Partial<TestHostOptions> = {},
): Promise<{ host: TestHost; server: WebServer }> {
  const server = await startWebServer(t, listener)
  const host = await startHost(t, {
    plugins: { 'a/init.lua': caller('a'), 'b/init.lua': caller('b') },
    ...approveAll,
    ...options,
    config: { ...local, ...options.config },
  })
  return { host, server }
}

describe('requests of plugins to other servers', () => {
  const asked: [string, string][] = []
  const isApproved = (name: string, domain: string) => {
    asked.push([name, domain])
    return name !== 'refused'
  }
  const shared = useHost({
    plugins: { 'a/init.lua': caller('a') },
    outbound: { isApproved },
    config: { ...local, plugin_timeout: 2, plugin_request_max_body: 1000, plugin_request_max_response: 1999 },
  })

  it('go out and come back, bytes and JSON alike', async (t) => {
    const host = shared()
    const server = await startWebServer(t, async (request, response) => {
      const body = await bodyOf(request)
      response.setHeader('Content-Type', 'application/json; charset=utf-8')
      response.setHeader('X-Twice', ['first', 'second'])
      response.end(
        JSON.stringify({ method: request.method, headers: request.headers, body: body.toString() }),
      )
    })
    const sent = await send(host, 'a', {
      method: 'post',
      url: `${server.url}/x`,
      options: { json: { n: 1 }, headers: { 'X-A': 'v', Host: 'evil.example' }, parse_json: true },
    })
    assert.equal(sent.status, 200)
    assert.equal(sent.headers?.['x-twice'], 'first')
    const seen = sent.json as { method: string; headers: Record<string, string>; body: string }
    assert.equal(seen.method, 'POST')
    assert.equal(seen.body, '{"n":1}')
    assert.equal(seen.headers['content-type'], 'application/json')
    assert.equal(seen.headers['x-a'], 'v')
    assert.equal(seen.headers.host, `127.0.0.1:${server.port}`)
    assert.match(String(seen.headers['user-agent']), /^modulacms\/\d/)
    assert.ok(seen.headers['x-request-id'])
    await until('the header is reported', () =>
      host.lines.some(({ msg, name }) => msg.includes('was left out of a request') && name === 'Host'),
    )
  })

  it('pass the request id on, and nothing of the credentials of the host', async (t) => {
    const host = shared()
    const server = await startWebServer(t, (request, response) => {
      response.end(JSON.stringify(request.headers))
    })
    const answer = await host.call('POST', '/a/send', {
      json: { url: server.url },
      headers: { 'x-request-id': 'trace-7', ...host.credentials },
    })
    const seen = JSON.parse(answer.json<Sent>().body ?? '')
    assert.equal(seen['x-request-id'], 'trace-7')
    assert.equal(seen.authorization, undefined)
  })

  it('are not sent to domains that nobody has approved', async (t) => {
    const host = shared()
    const server = await startWebServer(t, (_request, response) => response.end('x'))
    await install(t, host, { 'refused/init.lua': caller('refused') })
    asked.length = 0
    assert.deepEqual(await send(host, 'refused', { url: server.url }), {
      error: 'domain not approved: 127.0.0.1',
    })
    assert.match(
      (await send(host, 'refused', { url: 'https://OTHER.example/' })).error ?? '',
      /not approved: other.example/,
    )
    assert.deepEqual(asked, [
      ['refused', '127.0.0.1'],
      ['refused', 'other.example'],
    ])
    assert.equal(server.connections(), 0)
  })

  it('need the grant of the generation that serves where nothing else decides', async (t) => {
    const server = await startWebServer(t, (_request, response) => response.end('x'))
    const host = await startHost(t, {
      plugins: { 'a/init.lua': caller('a') },
      config: local,
      approve: false,
    })
    const { plugins } = host.host
    await plugins.approveRoutes(plugins.routes(), 'test')
    assert.match((await send(host, 'a', { url: server.url })).error ?? '', /domain not approved/)
    assert.equal(server.connections(), 0)
  })

  it('do not reach this machine unless the configuration says so, and never a private address', async (t) => {
    const { host, server } = await start(t, (_request, response) => response.end('x'), {
      config: { plugin_request_allow_local: false },
    })
    assert.match(
      (await send(host, 'a', { url: server.url })).error ?? '',
      /scheme "http" is not allowed: use https/,
    )
    for (const target of [
      '127.0.0.1',
      '2130706433',
      '169.254.169.254',
      '[::1]',
      '[::ffff:7f00:1]',
      '[fd00:ec2::254]',
    ]) {
      const { error } = await send(host, 'a', { url: `https://${target}/` })
      assert.match(error ?? '', /private or reserved address/, target)
    }
    assert.match(
      (await send(host, 'a', { url: `https://127.0.0.1:${server.port}/` })).error ?? '',
      /port \d+ is not allowed/,
    )
    assert.equal(server.connections(), 0)
  })

  it('do not trust a certificate that nobody has issued', async (t) => {
    const tls = await startTlsServer(t, selfSignedCertificate, (_request, response) => response.end('x'))
    const host = shared()
    assert.match(
      (await send(host, 'a', { url: tls.url })).error ?? '',
      /TLS failure \(DEPTH_ZERO_SELF_SIGNED_CERT\)/,
    )
  })

  it('give redirects to the plugin', async (t) => {
    const host = shared()
    const server = await startWebServer(t, (_request, response) => {
      response.writeHead(307, { location: 'http://169.254.169.254/' })
      response.end()
    })
    const sent = await send(host, 'a', { url: server.url })
    assert.equal(sent.status, 307)
    assert.equal(sent.headers?.location, 'http://169.254.169.254/')
    assert.equal(server.connections(), 1)
  })

  it('end before their call does, so that the plugin can answer', async (t) => {
    const host = shared()
    const server = await startWebServer(t, () => undefined)
    const { error } = await send(host, 'a', { url: server.url })
    assert.match(error ?? '', /request timed out after [\d.]+s/)
  })

  it('are limited in both directions', async (t) => {
    const host = shared()
    const server = await startWebServer(t, (_request, response) => response.end('x'.repeat(2000)))
    const large = await send(host, 'a', {
      method: 'PUT',
      url: server.url,
      options: { body: 'x'.repeat(1001) },
    })
    assert.deepEqual(large, { error: 'request body too large: 1001 bytes; the limit is 1000' })
    assert.equal(server.connections(), 0)
    assert.match(
      (await send(host, 'a', { url: server.url })).error ?? '',
      /response body too large: .* 1999 bytes/,
    )
  })
})

describe('a server that fails', () => {
  const shared = useHost({
    plugins: {},
    ...approveAll,
    config: {
      ...local,
      plugin_request_cb_failures: 3,
      plugin_max_vms: 2,
      plugin_hook_reserve_vms: 0,
      plugin_timeout: 20,
      plugin_request_timeout: 20,
    },
  })

  it('opens the breaker of one plugin and domain, which admins see and reset', async (t) => {
    let status = 500
    let requests = 0
    const host = shared()
    const server = await startWebServer(t, (_request, response) => {
      requests += 1
      response.writeHead(status)
      response.end()
    })
    await install(t, host, { 'a/init.lua': caller('a'), 'b/init.lua': caller('b') })
    for (let count = 0; count < 3; count += 1)
      assert.equal((await send(host, 'a', { url: server.url })).status, 500)
    assert.match(
      (await send(host, 'a', { url: server.url })).error ?? '',
      /circuit breaker open for 127\.0\.0\.1/,
    )
    assert.equal(requests, 3)
    assert.equal((await send(host, 'b', { url: server.url })).status, 500)

    const { breakers } = await host.admin<{ breakers: Record<string, unknown>[] }>(
      'GET',
      '/requests/breakers',
    )
    assert.deepEqual(
      breakers.map(({ plugin, domain, state, failures }) => ({ plugin, domain, state, failures })),
      [
        { plugin: 'a', domain: '127.0.0.1', state: 'open', failures: 3 },
        { plugin: 'b', domain: '127.0.0.1', state: 'closed', failures: 1 },
      ],
    )
    status = 200
    const client = createClient({ url: host.url, token: host.host.adminToken.token })
    assert.deepEqual(await client.requests.breakers(), breakers)
    await client.requests.resetBreaker('b', '127.0.0.1')
    assert.equal((await client.requests.breakers()).length, 1)
    const json = { plugin: 'a', domain: '127.0.0.1' }
    await host.admin('POST', '/requests/breakers/reset', { json })
    assert.equal((await send(host, 'a', { url: server.url })).status, 200)
    await host.admin('POST', '/requests/breakers/reset', { json, status: 404 })
    assert.ok(
      host.lines.some(({ msg, action }) => msg === 'admin action' && action === 'request.breaker.reset'),
    )
  })

  it('costs its plugin its own slots, and its neighbors nothing', async (t) => {
    const waiting: (() => void)[] = []
    const host = shared()
    const server = await startWebServer(
      t,
      (_request, response) => void waiting.push(() => response.end('done')),
    )
    await install(t, host, { 'slow/init.lua': caller('slow'), 'calm/init.lua': caller('calm') })
    const suspended = [send(host, 'slow', { url: server.url })]
    await until('the first request waits for the server', () => waiting.length === 1)
    suspended.push(send(host, 'slow', { url: server.url }))
    await until('both requests wait for the server', () => waiting.length === 2)
    const third = await host.call('GET', '/slow/ping')
    assert.equal(third.status, 503)
    assert.equal(third.code, 'POOL_EXHAUSTED')
    for (let count = 0; count < 20; count += 1)
      assert.equal((await host.call('GET', '/calm/ping')).status, 200)
    for (const answer of waiting) answer()
    for (const sent of await Promise.all(suspended)) assert.equal(sent.body, 'done')
    assert.equal((await host.call('GET', '/slow/ping')).status, 200)
  })

  it('does not keep the host from closing', async (t) => {
    const { host, server } = await start(t, () => undefined, { config: { plugin_timeout: 2 } })
    const sent = host.call('POST', '/a/send', { json: { url: server.url } }).catch(() => undefined)
    await until('the request waits for the server', () => server.connections() === 1)
    await host.close()
    await sent
  })
})
