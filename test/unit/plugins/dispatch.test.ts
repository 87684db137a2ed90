import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decodeRequest } from '../../../src/capabilities/http/wire.js'
import { assertSecurityHeaders, sendRaw, useDispatchServers } from '../../helpers/dispatch-requests.js'
import { respond, respondJson } from '../../helpers/dispatch-server.js'

const start = useDispatchServers()

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
    const identity = JSON.stringify({ type: 'user', id: 'u1', name: 'ann', roles: ['admin'] })
    const ann = { id: 'u1', username: 'ann', role: 'admin', identity }
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
