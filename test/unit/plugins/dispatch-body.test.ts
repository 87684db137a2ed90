import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { RouteTable } from '../../../src/plugins/route-table.js'
import { errorOf, readAll, sendRaw, useDispatchServers } from '../../helpers/dispatch-requests.js'
import { FakeGeneration, parseRoutes } from '../../helpers/dispatch-server.js'

const start = useDispatchServers()

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
