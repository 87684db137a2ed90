import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { plugin, startHost, type TestHost, useHost } from '../helpers/create-host.js'
import type { Answer } from '../helpers/http-client.js'
import { until } from '../helpers/until.js'

const secretText = 'the secret of line four'

const faulty = plugin(
  'faulty',
  `
local public = { public = true }
http.handle("GET", "/ok", function() return { json = { ok = true } } end, public)
http.handle("POST", "/echo", function(req) return { body = req.body } end, public)
http.handle("GET", "/raise", function() error("${secretText}") end, public)
http.handle("GET", "/raise-table", function() error({ password = "${secretText}" }) end, public)
http.handle("GET", "/nothing", function() end, public)
http.handle("GET", "/text", function() return "hello" end, public)
http.handle("GET", "/status", function() return { status = 1000 } end, public)
http.handle("GET", "/cycle", function() local t = {} t.t = t return { json = t } end, public)
http.handle("GET", "/nan", function() return { json = { n = 0 / 0 } } end, public)
http.handle("GET", "/own500", function() return { status = 500, json = { mine = true } } end, public)
http.handle("GET", "/large", function() return { body = ("x"):rep(2048) } end, public)
http.handle("GET", "/large-json", function() return { json = { ("x"):rep(2048) } } end, public)
http.handle("GET", "/largest", function() return { body = ("x"):rep(1024) } end, public)
http.handle("GET", "/private", function() return { json = {} } end)
`,
)

describe('The failures of a request to a plugin', () => {
  const current = useHost({
    plugins: { 'faulty/init.lua': faulty },
    config: { plugin_max_request_body: 1024, plugin_max_response_body: 1024, plugin_max_failures: 1000 },
  })
  let server: TestHost
  before(() => {
    server = current()
  })

  function assertFailure(answer: Answer, status: number, code: string): void {
    assert.equal(answer.status, status, answer.text)
    const { error, ...rest } = answer.json<{ error: Record<string, string> }>()
    assert.deepEqual(rest, {})
    assert.deepEqual(Object.keys(error).sort(), ['code', 'message', 'request_id'])
    assert.equal(error.code, code)
    assert.equal(error.request_id, answer.headers['x-request-id'])
    assert.ok(error.request_id)
    assert.equal(answer.headers['content-type'], 'application/json')
    assert.ok(answer.text.endsWith('}\n'), 'the body ends with a line break')
    assert.equal(answer.headers['x-content-type-options'], 'nosniff')
    assert.equal(answer.headers['x-frame-options'], 'DENY')
    assert.equal(answer.headers['cache-control'], 'no-store')
  }

  it('answers an unknown plugin, path, method and an unapproved route with the same 404', async () => {
    await server.host.plugins.revokeRoutes([{ plugin: 'faulty', method: 'GET', path: '/nan' }], 'test')
    const bodies = new Set<string>()
    for (const [method, path] of [
      ['GET', '/nobody/ok'],
      ['GET', '/faulty/absent'],
      ['GET', '/faulty'],
      ['POST', '/faulty/ok'],
      ['OPTIONS', '/faulty/ok'],
      ['PROPFIND', '/faulty/ok'],
      ['GET', '/faulty/nan'],
    ] as const) {
      const answer = await server.call(method, path)
      assertFailure(answer, 404, 'ROUTE_NOT_FOUND')
      const { error } = answer.json<{ error: Record<string, string> }>()
      bodies.add(`${error.code} ${error.message} ${JSON.stringify(Object.keys(answer.headers).sort())}`)
    }
    assert.equal(bodies.size, 1, [...bodies].join('\n'))
    await server.approveAll()
  })

  it('asks a stranger for credentials, and tells a wrong token nothing else', async () => {
    assertFailure(await server.call('GET', '/faulty/private'), 401, 'UNAUTHORIZED')
    const wrong = await server.call('GET', '/faulty/private', { headers: { authorization: 'Bearer wrong' } })
    assertFailure(wrong, 401, 'UNAUTHORIZED')
    assert.equal(wrong.headers['www-authenticate'], 'Bearer')
    assert.equal((await server.call('GET', '/faulty/private', { headers: server.credentials })).status, 200)
  })

  it('takes a body of the limit and refuses one byte more with 413, declared or not', async () => {
    const body = 'b'.repeat(1024)
    assert.equal((await server.call('POST', '/faulty/echo', { body })).text, body)
    assertFailure(await server.call('POST', '/faulty/echo', { body: `${body}b` }), 413, 'INVALID_REQUEST')
    const chunked = { headers: { 'transfer-encoding': 'chunked' } }
    assert.equal((await server.call('POST', '/faulty/echo', { ...chunked, body })).text, body)
    assertFailure(
      await server.call('POST', '/faulty/echo', { ...chunked, body: `${body}b` }),
      413,
      'INVALID_REQUEST',
    )
  })

  for (const path of ['/raise', '/raise-table', '/nothing', '/text', '/status', '/cycle', '/nan']) {
    it(`answers 500 HANDLER_ERROR for ${path}, with the Lua text in the log only`, async () => {
      const answer = await server.call('GET', `/faulty${path}`)
      assertFailure(answer, 500, 'HANDLER_ERROR')
      assert.doesNotMatch(answer.text, /secret|lua|table|init/i)
      const line = server.lines.find((entry) => entry.request_id === answer.headers['x-request-id'])
      assert.ok(line, 'the log has a line with the same request id')
      assert.equal(line.plugin, 'faulty')
      assert.equal(line.route, `GET ${path}`)
      assert.ok(String(line.error).length > 0)
      if (path === '/raise')
        assert.match(String(line.error), /faulty\/init\.lua:\d+: the secret of line four/)
    })
  }

  it('passes a 500 of the plugin on as it is', async () => {
    const answer = await server.call('GET', '/faulty/own500')
    assert.equal(answer.status, 500)
    assert.deepEqual(answer.json(), { mine: true })
  })

  it('answers a response beyond its limit with 500 RESPONSE_TOO_LARGE', async () => {
    assertFailure(await server.call('GET', '/faulty/large'), 500, 'RESPONSE_TOO_LARGE')
    assertFailure(await server.call('GET', '/faulty/large-json'), 500, 'RESPONSE_TOO_LARGE')
    assert.equal((await server.call('GET', '/faulty/largest')).bytes.length, 1024)
  })

  it('refuses a plugin that is disabled with 503 PLUGIN_UNAVAILABLE until it is enabled', async () => {
    await server.admin('POST', '/faulty/disable')
    assertFailure(await server.call('GET', '/faulty/ok'), 503, 'PLUGIN_UNAVAILABLE')
    await server.admin('POST', '/faulty/enable')
    assert.equal((await server.call('GET', '/faulty/ok')).status, 200)
  })
})

it('limits what one address may send, with Retry-After', async (test) => {
  const server = await startHost(test, {
    plugins: { 'faulty/init.lua': faulty },
    config: { plugin_rate_limit: 5 },
  })
  const answers = await Promise.all(Array.from({ length: 30 }, () => server.call('GET', '/faulty/ok')))
  const refused = answers.filter(({ status }) => status === 429)
  assert.ok(refused.length > 0 && refused.length <= 25, `${refused.length} of 30 were refused`)
  for (const answer of refused) {
    assert.equal(answer.code, 'RATE_LIMITED')
    assert.equal(answer.headers['retry-after'], '1')
  }
  await until('the bucket fills again', async () => (await server.call('GET', '/faulty/ok')).status === 200)
  assert.equal((await server.call('GET', '/nobody/ok')).status, 404, 'what does not exist takes no token')
})
