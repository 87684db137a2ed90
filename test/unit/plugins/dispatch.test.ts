import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, it } from 'node:test'
import { decodeRequest } from '../../../src/capabilities/http/wire.js'
import { RouteTable } from '../../../src/plugins/route-table.js'
import type { CallFailureCode, CallOutcome } from '../../../src/sandbox/generation.js'
import {
  createDispatchServer,
  type DispatchServer,
  type DispatchServerOptions,
  FakeGeneration,
  fail,
  parseRoutes,
  respond,
  respondJson,
} from '../../helpers/dispatch-server.js'

const opened: DispatchServer[] = []

async function start(options: DispatchServerOptions = {}): Promise<DispatchServer> {
  const server = await createDispatchServer(options)
  opened.push(server)
  return server
}

afterEach(async () => {
  for (const server of opened.splice(0)) {
    server.breaker.close()
    server.app.server.closeAllConnections()
    await server.app.close()
  }
})

async function errorOf(response: Response) {
  const text = await response.text()
  assert.ok(text.endsWith('}\n'), 'the body ends in a line feed')
  assert.equal(response.headers.get('content-type'), 'application/json')
  const { error } = JSON.parse(text) as { error: { code: string; message: string; request_id: string } }
  return { status: response.status, ...error }
}

function assertSecurityHeaders(response: Response): void {
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
  assert.equal(response.headers.get('x-frame-options'), 'DENY')
  assert.equal(response.headers.get('cache-control'), 'no-store')
}

/** Sends bytes as they are and collects the answer until the connection ends. */
async function sendRaw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(text)
  return readAll(socket)
}

async function readAll(socket: Socket): Promise<string> {
  let answer = ''
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => {
    answer += chunk
  })
  await once(socket, 'close')
  return answer
}

describe('a request to a plugin route', () => {
  it('reaches the generation as it was sent, and its answer comes back', async () => {
    const { url, generation, observed, breaker, lines } = await start()
    generation.answer = () => respondJson({ hello: 'world' })
    breaker.failure('pass')
    const response = await fetch(`${url}/demo/items/a%20b?x=1&y=%20`, {
      headers: { 'X-Test-Id': 'id-7', 'X-A': 'b' },
    })
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('content-type'), 'application/json')
    assert.equal(await response.text(), '{"hello":"world"}')
    assertSecurityHeaders(response)

    const [call] = generation.calls
    assert.ok(call)
    assert.equal(generation.calls.length, 1)
    assert.equal(call.kind, 'http')
    assert.equal(call.phase, 'request')
    assert.equal(call.requestId, 'id-7')
    assert.equal(call.body, '')
    const request = decodeRequest(call.payload)
    assert.equal(request.routeKey, 'GET /items/{id}')
    assert.equal(request.method, 'GET')
    assert.equal(request.path, '/api/v1/plugins/demo/items/a b')
    assert.equal(request.query, 'x=1&y=%20')
    assert.deepEqual({ ...request.params }, { id: 'a b' })
    assert.equal(request.clientIp, '127.0.0.1')
    assert.equal(request.user, undefined)
    assert.ok(
      request.rawHeaders.some(
        (text, index) => text.toLowerCase() === 'x-a' && request.rawHeaders[index + 1] === 'b',
      ),
    )
    assert.deepEqual(observed, [['demo', 'GET /items/{id}', 200]])
    assert.equal(breaker.failures, 0)
    assert.deepEqual(lines, [])
  })

  it('is public or has a user, and its credentials stay in the host', async () => {
    const { url, generation } = await start()
    generation.answer = (request) =>
      respondJson([request.user ?? null, request.rawHeaders.join().includes('good')])
    const good = { authorization: 'Bearer good' }
    const ann = { id: 'u1', username: 'ann', role: 'admin' }
    assert.deepEqual(await (await fetch(`${url}/demo/guarded`, { headers: good })).json(), [ann, false])
    assert.deepEqual(await (await fetch(`${url}/demo/x`, { headers: good })).json(), [ann, false])
    assert.deepEqual(await (await fetch(`${url}/demo/x`)).json(), [null, false])
  })

  it('brings its body, byte by byte, in one piece or in chunks', async () => {
    const { url, generation, port } = await start()
    generation.answer = (_request, { body }) => respond({ body: Buffer.from(body, 'latin1') })
    const bytes = Buffer.from(Array.from({ length: 256 }, (_byte, index) => index))
    for (const type of ['application/json', 'text/plain', 'application/octet-stream', 'x/y; a=b']) {
      const response = await fetch(`${url}/demo/x`, {
        method: 'POST',
        body: bytes,
        headers: { 'content-type': type },
      })
      assert.deepEqual(Buffer.from(await response.arrayBuffer()), bytes)
    }
    const chunked = await sendRaw(
      port,
      'POST /api/v1/plugins/demo/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n' +
        '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
    )
    assert.ok(chunked.endsWith('\r\n\r\nabcde'), chunked)
    const get = await sendRaw(
      port,
      'GET /api/v1/plugins/demo/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 3\r\n\r\nxyz',
    )
    assert.ok(get.endsWith('\r\n\r\nxyz'), get)
  })

  it('without a body has an empty one, also when a type is declared', async () => {
    const { generation, port } = await start()
    const answer = await sendRaw(
      port,
      'POST /api/v1/plugins/demo/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 0\r\n' +
        'Content-Type: application/json\r\n\r\n',
    )
    assert.match(answer, /^HTTP\/1\.1 200 /)
    assert.equal(generation.calls[0]?.body, '')
  })

  it('is answered with the status, headers and bytes of the plugin', async () => {
    const { url, generation } = await start()
    generation.answer = () =>
      respond({ status: 418, headers: ['content-type', 'text/plain', 'X-Total', '3'], body: 'é' })
    const response = await fetch(`${url}/demo/x`)
    assert.equal(response.status, 418)
    assert.equal(response.headers.get('x-total'), '3')
    assert.equal(response.headers.get('content-type'), 'text/plain')
    assert.equal(response.headers.get('content-length'), '2')
    assert.equal(await response.text(), 'é')
  })

  it('is answered with nothing when the plugin says nothing', async () => {
    const { url, generation } = await start()
    generation.answer = () => respond({ status: 201 })
    const created = await fetch(`${url}/demo/x`)
    assert.equal(created.status, 201)
    assert.equal(created.headers.get('content-length'), '0')
    assert.equal(created.headers.get('content-type'), null)
    for (const status of [204, 304]) {
      generation.answer = () => respond({ status, headers: ['content-type', 'text/plain'], body: 'not sent' })
      const response = await fetch(`${url}/demo/x`)
      assert.equal(response.status, status)
      assert.equal(await response.text(), '')
      assert.equal(response.headers.get('content-type'), null)
    }
  })

  it('for HEAD runs the GET handler and gets its headers without the body', async () => {
    const { port, generation } = await start()
    generation.answer = (request) =>
      respond({ headers: ['content-type', 'text/plain'], body: request.method })
    const ask = () =>
      sendRaw(port, 'HEAD /api/v1/plugins/demo/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')
    const answer = await ask()
    assert.match(answer, /^HTTP\/1\.1 200 /)
    assert.match(answer, /\r\ncontent-length: 4\r\n/)
    assert.ok(answer.endsWith('\r\n\r\n'))
    generation.answer = () => respond({})
    assert.match(await ask(), /\r\ncontent-length: 0\r\n/)
  })

  it('cannot switch protocols', async () => {
    const { port, generation } = await start()
    const answer = await sendRaw(
      port,
      'GET /api/v1/plugins/demo/x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n',
    )
    assert.match(answer, /^HTTP\/1\.1 200 /)
    assert.equal(generation.calls.length, 1)
  })
})

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

describe('the body of a request', () => {
  it('of the limit passes and one byte more gets 413 that names both sizes', async () => {
    const { url, generation, breaker } = await start()
    const post = (bytes: number) => fetch(`${url}/demo/x`, { method: 'POST', body: 'x'.repeat(bytes) })
    assert.equal((await post(1000)).status, 200)
    const error = await errorOf(await post(1001))
    assert.deepEqual([error.status, error.code], [413, 'INVALID_REQUEST'])
    assert.match(error.message, /too large: it has 1001 bytes and the limit is 1000/)
    assert.equal(generation.calls.length, 1)
    assert.equal(breaker.failures, 0)
  })

  it('is refused by its declared size before it is sent, and the connection goes on', async () => {
    const { port, generation } = await start()
    const socket = connect(port, '127.0.0.1')
    socket.write('POST /api/v1/plugins/demo/x HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n')
    const [first] = (await once(socket, 'data')) as [Buffer]
    assert.match(first.toString(), /^HTTP\/1\.1 413 /)
    socket.write('x'.repeat(1001))
    socket.write('GET /api/v1/plugins/demo/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')
    assert.match(await readAll(socket), /^HTTP\/1\.1 200 /)
    assert.equal(generation.calls.length, 1)
  })

  it('in chunks is refused as soon as it is too large', async () => {
    const { port, generation } = await start()
    const socket = connect(port, '127.0.0.1')
    socket.write('POST /api/v1/plugins/demo/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n')
    socket.write(`3e8\r\n${'x'.repeat(1000)}\r\n1\r\ny\r\n`)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    assert.match(answer.toString(), /^HTTP\/1\.1 413 [\s\S]*more than 1000 bytes/)
    assert.equal(generation.calls.length, 0)
    socket.destroy()
  })

  it('that is never sent does not keep a refused connection open', async () => {
    const { port } = await start()
    const answer = await sendRaw(
      port,
      'POST /api/v1/plugins/demo/x HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\n\r\nsome',
    )
    assert.match(answer, /^HTTP\/1\.1 413 /)
  })

  it('that stalls gets 408, and the connection is closed', async () => {
    const { port, generation, breaker } = await start({ dispatch: { requestBodyTimeoutMs: 50 } })
    const answer = await sendRaw(
      port,
      'POST /api/v1/plugins/demo/x HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nsome',
    )
    assert.match(answer, /^HTTP\/1\.1 408 /)
    assert.match(answer, /"code":"INVALID_REQUEST"/)
    assert.match(answer, /connection: close/i)
    assert.equal(generation.calls.length, 0)
    assert.equal(breaker.failures, 0)
  })

  it('that is aborted calls nothing and counts as nothing', async () => {
    const { url, port, generation, breaker, refused, lines, app } = await start()
    const aborted = new Promise<void>((resolve) => {
      app.server.once('request', (raw: IncomingMessage) => raw.once('close', resolve))
    })
    const socket = connect(port, '127.0.0.1')
    socket.write('POST /api/v1/plugins/demo/x HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nsome', () =>
      socket.destroy(),
    )
    await aborted
    assert.equal((await fetch(`${url}/demo/x`)).status, 200)
    assert.equal(generation.calls.length, 1)
    assert.equal(breaker.failures, 0)
    assert.deepEqual(refused, [])
    assert.deepEqual(lines, [])
  })

  it('does not hold the probe of a half-open breaker while it is sent', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { url, port, breaker, app } = await start()
    breaker.trip()
    t.mock.timers.tick(60_000)
    t.mock.timers.reset()
    assert.equal(breaker.state, 'half-open')
    const arrived = once(app.server, 'request')
    const socket = connect(port, '127.0.0.1')
    socket.write('POST /api/v1/plugins/demo/x HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nsome')
    await arrived
    assert.equal((await fetch(`${url}/demo/x`)).status, 200)
    assert.equal(breaker.state, 'closed')
    socket.destroy()
  })

  it('finds the plugin as it is when the last byte has come', async () => {
    const { port, generation, replace, app } = await start()
    const next = new FakeGeneration(2)
    const arrived = once(app.server, 'request')
    const socket = connect(port, '127.0.0.1')
    socket.write(
      'POST /api/v1/plugins/demo/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 2\r\n\r\na',
    )
    await arrived
    replace({ generation: next })
    socket.write('b')
    assert.match(await readAll(socket), /^HTTP\/1\.1 200 /)
    assert.deepEqual([generation.calls.length, next.calls.length], [0, 1])
    assert.equal(next.calls[0]?.body, 'ab')
  })

  it('is not served when its route was revoked while it was sent', async () => {
    const { port, generation, replace, app } = await start()
    const arrived = once(app.server, 'request')
    const socket = connect(port, '127.0.0.1')
    socket.write(
      'POST /api/v1/plugins/demo/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 2\r\n\r\na',
    )
    await arrived
    replace({ routes: RouteTable.create(parseRoutes(['POST /x public unapproved'])) })
    socket.write('b')
    assert.match(await readAll(socket), /^HTTP\/1\.1 404 /)
    assert.equal(generation.calls.length, 0)
  })
})

describe('a call that fails', () => {
  interface Row {
    readonly code: CallFailureCode
    readonly blamed?: boolean
    readonly status: number
    readonly error: string
    readonly counts: boolean
    readonly retryAfter?: string
  }
  const rows: readonly Row[] = [
    { code: 'ERROR', status: 500, error: 'HANDLER_ERROR', counts: true },
    { code: 'TIMEOUT', status: 504, error: 'HANDLER_TIMEOUT', counts: true },
    { code: 'INSTRUCTIONS', status: 504, error: 'HANDLER_TIMEOUT', counts: true },
    { code: 'MEMORY', status: 500, error: 'HANDLER_ERROR', counts: true },
    { code: 'RESULT_TOO_LARGE', status: 500, error: 'RESPONSE_TOO_LARGE', counts: true },
    { code: 'POOL_EXHAUSTED', status: 503, error: 'POOL_EXHAUSTED', counts: false, retryAfter: '1' },
    { code: 'EXECUTOR_LOST', status: 503, error: 'EXECUTOR_LOST', counts: false },
    { code: 'EXECUTOR_LOST', blamed: true, status: 504, error: 'HANDLER_TIMEOUT', counts: true },
    { code: 'CLOSED', status: 503, error: 'PLUGIN_UNAVAILABLE', counts: false },
  ]
  for (const row of rows) {
    const title = `with ${row.code}${row.blamed === true ? ' and is to blame' : ''} is answered ${row.status} ${row.error}`
    it(`${title} and ${row.counts ? 'counts' : 'does not count'}`, async () => {
      const { url, generation, breaker, lines, observed } = await start()
      generation.answer = () => fail(row.code, row.blamed)
      const response = await fetch(`${url}/demo/x`, { headers: { 'x-test-id': 'id-9' } })
      assertSecurityHeaders(response)
      assert.equal(response.headers.get('retry-after'), row.retryAfter ?? null)
      const { status, code, message, request_id } = await errorOf(response)
      assert.deepEqual([status, code, request_id], [row.status, row.error, 'id-9'])
      assert.ok(!message.includes('init.lua') && !message.includes('secret'))
      assert.equal(breaker.failures, row.counts ? 1 : 0)
      assert.equal(generation.calls.length, 1)
      assert.deepEqual(observed, [['demo', 'GET /x', row.status]])
      const [, , fields] = lines[0] ?? []
      assert.equal(fields?.request_id, 'id-9')
      assert.equal(fields?.error, 'init.lua:7: the secret of Lua')
      assert.equal(fields?.plugin, 'demo')
    })
  }

  it('often enough opens the breaker, and its one probe closes it again', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { url, generation, breaker } = await start()
    const statuses = async (count: number) => {
      const seen: number[] = []
      for (let index = 0; index < count; index += 1) seen.push((await fetch(`${url}/demo/x`)).status)
      return seen
    }
    generation.answer = () => fail('ERROR')
    assert.deepEqual(await statuses(4), [500, 500, 500, 503])
    assert.equal(generation.calls.length, 3)
    t.mock.timers.tick(60_000)
    generation.answer = () => fail('POOL_EXHAUSTED')
    assert.deepEqual(await statuses(1), [503])
    assert.equal(breaker.state, 'half-open')
    let release: (outcome: CallOutcome) => void = () => undefined
    const started = new Promise<void>((resolve) => {
      generation.answer = () => {
        resolve()
        return new Promise((settle) => {
          release = settle
        })
      }
    })
    const probe = fetch(`${url}/demo/x`)
    await started
    assert.deepEqual(await statuses(2), [503, 503])
    release(respond({}))
    assert.equal((await probe).status, 200)
    assert.equal(breaker.state, 'closed')
  })

  it('with a status of its own counts as a success', async () => {
    const { url, generation, breaker } = await start()
    generation.answer = () => fail('ERROR')
    await fetch(`${url}/demo/x`)
    assert.equal(breaker.failures, 1)
    generation.answer = () => respond({ status: 500, body: 'my own' })
    const response = await fetch(`${url}/demo/x`)
    assert.equal(response.status, 500)
    assert.equal(await response.text(), 'my own')
    assert.equal(breaker.failures, 0)
  })
})

describe('a reload', () => {
  it('moves a call that was refused by the old generation to the new one, once', async () => {
    const { url, generation, replace, breaker, lines } = await start()
    const next = new FakeGeneration(2, () => respond({ body: 'from the new one' }))
    generation.answer = () => {
      replace({ generation: next })
      return fail('CLOSED')
    }
    const response = await fetch(`${url}/demo/x`, { method: 'POST', body: 'kept' })
    assert.equal(await response.text(), 'from the new one')
    assert.equal(next.calls[0]?.body, 'kept')
    assert.deepEqual([generation.calls.length, next.calls.length], [1, 1])
    assert.equal(breaker.failures, 0)
    assert.deepEqual(lines, [])
  })

  it('does not send a call around without end', async () => {
    const { url, replace, generation } = await start()
    const generations = [generation, new FakeGeneration(2), new FakeGeneration(3), new FakeGeneration(4)]
    for (const [index, current] of generations.entries()) {
      current.answer = () => {
        replace({ generation: generations[index + 1] })
        return fail('CLOSED')
      }
    }
    const { status, code } = await errorOf(await fetch(`${url}/demo/x`))
    assert.deepEqual([status, code], [503, 'PLUGIN_UNAVAILABLE'])
    assert.deepEqual(
      generations.map(({ calls }) => calls.length),
      [1, 1, 0, 0],
    )
  })

  it('that guards a route, or takes it away, also holds for a call that is moved', async () => {
    const { url, replace, generation } = await start()
    const next = new FakeGeneration(2)
    const moveTo = (route: string) => {
      replace({ generation, routes: RouteTable.create(parseRoutes(['GET /x public'])) })
      generation.answer = () => {
        replace({ generation: next, routes: RouteTable.create(parseRoutes([route])) })
        return fail('CLOSED')
      }
    }
    moveTo('GET /x')
    assert.equal((await errorOf(await fetch(`${url}/demo/x`))).code, 'UNAUTHORIZED')
    moveTo('GET /x public unapproved')
    assert.equal((await errorOf(await fetch(`${url}/demo/x`))).code, 'ROUTE_NOT_FOUND')
    assert.equal(next.calls.length, 0)
  })
})

describe('a failure of the host itself', () => {
  it('is answered with a fixed text and logged, and counts for no plugin', async () => {
    const { url, generation, breaker, lines } = await start()
    generation.answer = () => Promise.reject(new Error('database path /secret'))
    const error = await errorOf(await fetch(`${url}/demo/x`))
    assert.deepEqual([error.status, error.code], [500, 'INTERNAL_ERROR'])
    assert.ok(!error.message.includes('secret'))
    assert.equal(lines[0]?.[2].error, 'database path /secret')
    assert.equal(breaker.failures, 0)
  })

  it('in a function of the host does not hang the request', async () => {
    const boom = () => {
      throw new Error('boom')
    }
    for (const dispatch of [{ authenticate: boom }, { clientIp: boom }, { stripCredentials: boom }]) {
      const { url } = await start({ dispatch })
      assert.equal((await errorOf(await fetch(`${url}/demo/x`))).code, 'INTERNAL_ERROR')
      const post = await fetch(`${url}/demo/x`, { method: 'POST', body: 'x' })
      assert.equal((await errorOf(post)).code, 'INTERNAL_ERROR')
    }
  })

  it('is what a header becomes that Node refuses, and nothing of it is sent', async () => {
    const { url, generation } = await start()
    generation.answer = () => respond({ headers: ['x-fine', 'a', 'x-bad', 'a\rb'], body: 'x' })
    const response = await fetch(`${url}/demo/x`)
    assert.equal(response.headers.get('x-fine'), null)
    assert.equal((await errorOf(response)).code, 'INTERNAL_ERROR')
    generation.answer = () => respond({ body: 'fine' })
    assert.equal((await fetch(`${url}/demo/x`)).status, 200)
  })
})

describe('the application around', () => {
  it('keeps its own parsers, hooks, 404 and error handler', async () => {
    const { app, port } = await start({
      prepare(parent) {
        parent.post('/own', async (request) => ({ got: request.body }))
        parent.setNotFoundHandler((_request, reply) => reply.code(404).send('own 404'))
      },
    })
    const base = `http://127.0.0.1:${port}`
    const post = await fetch(`${base}/own`, {
      method: 'POST',
      body: '{"a":1}',
      headers: { 'content-type': 'application/json' },
    })
    assert.deepEqual(await post.json(), { got: { a: 1 } })
    assert.equal(post.headers.get('x-frame-options'), null)
    assert.equal(await (await fetch(`${base}/nothing`)).text(), 'own 404')
    assert.equal(app.hasContentTypeParser('*'), false)
  })

  it('may guard the plugins with hooks of its own, and may mount them below a prefix', async () => {
    const { url, generation } = await start({
      prefix: '/cms',
      prepare(parent) {
        parent.addHook('preHandler', async (request, reply) => {
          if (request.headers['x-door'] !== 'open') return reply.code(403).send('closed')
        })
      },
    })
    generation.answer = (request) => respond({ body: request.path })
    assert.equal((await fetch(`${url}/demo/x`)).status, 403)
    const response = await fetch(`${url}/demo/x`, { headers: { 'x-door': 'open' } })
    assert.equal(await response.text(), '/cms/api/v1/plugins/demo/x')
    assert.equal(generation.calls.length, 1)
  })

  it('may leave the request without an id', async () => {
    const { url } = await start()
    const response = await fetch(`${url}/demo/none`, { headers: { 'x-test-id': '' } })
    assert.deepEqual(Object.keys(((await response.json()) as { error: object }).error), ['code', 'message'])
  })
})
