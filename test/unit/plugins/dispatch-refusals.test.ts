import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RouteTable } from '../../../src/plugins/route-table.js'
import {
  assertSecurityHeaders,
  errorOf,
  sendRaw,
  useDispatchServers,
} from '../../helpers/dispatch-requests.js'
import { parseRoutes } from '../../helpers/dispatch-server.js'

const start = useDispatchServers()

describe('a request that no approved route matches', () => {
  it('gets the same 404 whatever the reason', async () => {
    const { url, port, generation, host } = await start({
      routes: ['GET /x public', 'GET /secret unapproved', 'GET /open public unapproved'],
    })
    const paths = [
      'GET /demo/nothing',
      'GET /demo/secret',
      'GET /demo/open',
      'POST /demo/x',
      'OPTIONS /demo/x',
      'TRACE /demo/x',
      'PROPFIND /demo/x',
      'GET /unknown/x',
      'GET /unknown',
      'GET /demo',
      'GET /demo?/x',
      'GET /',
      'GET ',
      'GET //demo/x',
      'GET /demo//x',
      'GET /demo/../demo/x',
      'GET /demo/%2e%2e/x',
      'GET /Demo/x',
      'GET /%64emo/x',
      'GET /__proto__/x',
    ]
    const bodies = new Set<string>()
    for (const line of paths) {
      const [method, path] = line.split(' ')
      const answer = await sendRaw(
        port,
        `${method} /api/v1/plugins${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`,
      )
      const [head = '', body = ''] = answer.split('\r\n\r\n')
      assert.match(head, /^HTTP\/1\.1 404 /, line)
      bodies.add(`${head.replace(/\r\nDate: [^\r]*/, '')}\r\n\r\n${body}`)
    }
    assert.equal(bodies.size, 1, [...bodies].join('\n'))
    const response = await fetch(`${url}/demo/nothing`)
    assertSecurityHeaders(response)
    const error = await errorOf(response)
    assert.equal(error.code, 'ROUTE_NOT_FOUND')
    assert.equal(error.request_id, 'id-1')
    assert.equal(generation.calls.length, 0)
    assert.equal(host.authenticated, 0)
  })

  it('sees an approval and its revocation at once', async () => {
    const { url, replace } = await start({ routes: ['GET /x public unapproved'] })
    assert.equal((await fetch(`${url}/demo/x`)).status, 404)
    replace({ routes: RouteTable.create(parseRoutes(['GET /x public'])) })
    assert.equal((await fetch(`${url}/demo/x`)).status, 200)
    replace({ routes: RouteTable.create([]) })
    assert.equal((await fetch(`${url}/demo/x`)).status, 404)
  })
})

describe('a request that is refused before the plugin runs', () => {
  it('gets 401 without credentials, and takes no token then', async () => {
    const { url, generation, host, refused } = await start()
    const response = await fetch(`${url}/demo/guarded`, { headers: { authorization: 'Bearer bad' } })
    assert.equal(response.headers.get('www-authenticate'), 'Bearer')
    assertSecurityHeaders(response)
    assert.deepEqual((({ status, code }) => [status, code])(await errorOf(response)), [401, 'UNAUTHORIZED'])
    assert.equal(generation.calls.length, 0)
    assert.equal(host.tokens, 1_000_000)
    assert.deepEqual(refused, [['UNAUTHORIZED', 401]])
  })

  it('gets 429 with Retry-After when the bucket of its address is empty', async () => {
    const { url, generation, host } = await start()
    host.tokens = 1
    assert.equal((await fetch(`${url}/demo/x`)).status, 200)
    const response = await fetch(`${url}/demo/x`)
    assert.equal(response.headers.get('retry-after'), '1')
    assert.deepEqual((({ status, code }) => [status, code])(await errorOf(response)), [429, 'RATE_LIMITED'])
    assert.equal(generation.calls.length, 1)
  })

  it('gets 503 when the host shuts down or the plugin does not run', async () => {
    const { url, generation, host, replace } = await start()
    const ask = async () => {
      const response = await fetch(`${url}/demo/x`)
      assert.equal(response.headers.get('retry-after'), null)
      const { status, code } = await errorOf(response)
      return [status, code]
    }
    host.shuttingDown = true
    assert.deepEqual(await ask(), [503, 'PLUGIN_UNAVAILABLE'])
    host.shuttingDown = false
    for (const state of ['stopped', 'failed', 'loading', 'discovered'] as const) {
      replace({ state })
      assert.deepEqual(await ask(), [503, 'PLUGIN_UNAVAILABLE'])
    }
    replace({ state: 'running', generation: undefined })
    assert.deepEqual(await ask(), [503, 'PLUGIN_UNAVAILABLE'])
    assert.equal(generation.calls.length, 0)
  })

  it('gets 503 when the breaker is open, before its body is read', async () => {
    const { url, generation, breaker } = await start()
    breaker.trip()
    const response = await fetch(`${url}/demo/x`, { method: 'POST', body: 'x'.repeat(2000) })
    assert.equal(response.headers.get('retry-after'), null)
    const { status, code } = await errorOf(response)
    assert.deepEqual([status, code], [503, 'CIRCUIT_BREAKER_OPEN'])
    assert.equal(generation.calls.length, 0)
  })

  it('gets its failures in the order of the table', async () => {
    const { url, host, replace, breaker } = await start()
    breaker.trip()
    replace({ state: 'stopped' })
    host.shuttingDown = true
    host.tokens = 0
    const code = async (path: string) => (await errorOf(await fetch(`${url}${path}`))).code
    assert.equal(await code('/demo/none'), 'ROUTE_NOT_FOUND')
    assert.equal(await code('/demo/guarded'), 'UNAUTHORIZED')
    assert.equal(await code('/demo/x'), 'RATE_LIMITED')
    host.tokens = 10
    assert.equal(await code('/demo/x'), 'PLUGIN_UNAVAILABLE')
    host.shuttingDown = false
    assert.equal(await code('/demo/x'), 'PLUGIN_UNAVAILABLE')
    replace({ state: 'running' })
    assert.equal(await code('/demo/x'), 'CIRCUIT_BREAKER_OPEN')
  })

  it('gets 415 when its content type cannot be read', async () => {
    const { port, generation } = await start()
    const answer = await sendRaw(
      port,
      'POST /api/v1/plugins/demo/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: ;;\r\n' +
        'Content-Length: 1\r\n\r\nx',
    )
    assert.match(answer, /^HTTP\/1\.1 415 /)
    assert.match(answer, /"code":"INVALID_REQUEST"/)
    assert.match(answer, /x-frame-options: DENY/)
    assert.equal(generation.calls.length, 0)
  })
})
