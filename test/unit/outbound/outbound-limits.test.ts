import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { outboundLimits } from '../../../src/base/limits/outbound.js'
import { bodyMax, createClient, fail, requestTo, succeed, textOf } from '../../helpers/outbound-requests.js'
import { until } from '../../helpers/until.js'
import { startRawServer, startWebServer } from '../../helpers/web-server.js'

describe('the limits of the outbound client', () => {
  it('end a response that says it is too large, and one that is', async (t) => {
    const server = await startWebServer(t, (request, response) => {
      if (request.url === '/said') response.writeHead(200, { 'content-length': bodyMax + 1 })
      if (request.url === '/fits') response.end('x'.repeat(bodyMax))
      else {
        const write = (): boolean => response.write('x'.repeat(1000))
        response.on('drain', write)
        const timer = setInterval(write, 1)
        response.on('close', () => clearInterval(timer))
      }
    })
    const client = createClient(t)
    assert.equal((await succeed(client, requestTo(`${server.url}/fits`))).body.length, bodyMax)
    for (const path of ['/said', '/endless']) {
      const failure = await fail(client, requestTo(server.url + path))
      assert.deepEqual(failure, {
        kind: 'response_too_large',
        message: `response body too large: 127.0.0.1 sent more than the limit of ${bodyMax} bytes`,
      })
    }
  })

  it('decode what is compressed, up to the same size', async (t) => {
    const zeros = Buffer.alloc(50_000_000)
    const bodies: Readonly<Record<string, readonly [string, Buffer]>> = {
      '/gzip': ['gzip', gzipSync('hello')],
      '/br': ['BR', brotliCompressSync('hello')],
      '/bomb': ['gzip', gzipSync(zeros.subarray(0, 5_000_000))],
      '/brotli-bomb': ['br', brotliCompressSync(zeros)],
      '/broken': ['gzip', Buffer.from('no gzip')],
      '/cut': ['gzip', gzipSync('hello').subarray(0, 12)],
      '/layers': ['gzip, gzip', gzipSync(gzipSync('hello'))],
      '/unknown': ['__proto__', Buffer.from('x')],
    }
    const server = await startWebServer(t, (request, response) => {
      const [encoding, body] = bodies[request.url ?? ''] ?? ['', '']
      response.writeHead(200, { 'content-encoding': encoding })
      response.end(body)
    })
    const client = createClient(t)
    for (const path of ['/gzip', '/br'])
      assert.equal(textOf(await succeed(client, requestTo(server.url + path))), 'hello')
    for (const path of ['/bomb', '/brotli-bomb'])
      assert.equal((await fail(client, requestTo(server.url + path))).kind, 'response_too_large')
    for (const path of ['/broken', '/cut', '/layers', '/unknown'])
      assert.equal((await fail(client, requestTo(server.url + path))).kind, 'response_unreadable', path)
  })

  it('end a body that comes byte by byte', async (t) => {
    const { responsePiecesMax } = outboundLimits
    const server = await startRawServer(t, (socket, received) => {
      const pieces = received.startsWith('GET /fits') ? responsePiecesMax : responsePiecesMax + 1
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')
      socket.end(`${'1\r\nx\r\n'.repeat(pieces)}0\r\n\r\n`)
    })
    const client = createClient(t, { responseBytesMax: 1024 * 1024 })
    assert.equal((await succeed(client, requestTo(`${server.url}/fits`))).body.length, responsePiecesMax)
    const failure = await fail(client, requestTo(server.url))
    assert.deepEqual(failure, {
      kind: 'response_unreadable',
      message: '127.0.0.1 sent a response that cannot be read: its body comes in too many pieces',
    })
  })

  it('end a server that drips, in the headers and in the body', async (t) => {
    const server = await startRawServer(t, (socket, received) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      if (received.startsWith('GET /body')) socket.write('content-length: 9999\r\n\r\n')
      const timer = setInterval(() => socket.write('x'), 5)
      socket.on('close', () => clearInterval(timer))
    })
    const client = createClient(t)
    for (const path of ['/headers', '/body']) {
      const failure = await fail(client, requestTo(server.url + path, { timeoutMs: 200 }))
      assert.deepEqual(failure, { kind: 'timeout', message: 'request timed out after 0.2s' })
    }
    assert.equal(client.inFlight, 0)
  })

  it('end a server that takes the request too slowly', async (t) => {
    const server = await startRawServer(t, (socket) => void socket.pause())
    const body = new Uint8Array(20_000_000)
    const failure = await fail(
      createClient(t),
      requestTo(server.url, { method: 'PUT', body, timeoutMs: 200 }),
    )
    assert.equal(failure.kind, 'timeout')
  })

  it('end headers without end, and what is no HTTP', async (t) => {
    const answers: Readonly<Record<string, string>> = {
      '/headers': `HTTP/1.1 200 OK\r\n${'x-a: 123456789\r\n'.repeat(2000)}\r\n`,
      '/header': `HTTP/1.1 200 OK\r\nx-a: ${'x'.repeat(20_000)}\r\n\r\n`,
      '/garbage': 'SSH-2.0-OpenSSH_9.6\r\n',
      '/both': 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      '/chunks': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
      '/short': 'HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nabc',
      '/nothing': '',
      '/upgrade': 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
    }
    const server = await startRawServer(t, (socket, received) =>
      socket.end(answers[received.split(' ')[1] ?? ''] ?? '', 'latin1'),
    )
    const client = createClient(t)
    for (const path of ['/headers', '/header'])
      assert.equal((await fail(client, requestTo(server.url + path))).kind, 'response_too_large', path)
    for (const path of ['/garbage', '/both', '/chunks', '/short', '/nothing', '/upgrade']) {
      const { kind } = await fail(client, requestTo(server.url + path))
      assert.ok(kind === 'response_unreadable' || kind === 'transport', `${path} ${kind}`)
    }
    assert.equal(client.inFlight, 0)
  })

  it('name a connection that is refused', async (t) => {
    const server = await startWebServer(t, () => undefined)
    const { port } = server
    const client = createClient(t)
    const closed = await startRawServer(t, () => undefined)
    assert.notEqual(closed.port, port)
    const failure = await fail(client, requestTo('http://127.0.0.1:1/'))
    assert.deepEqual(failure, {
      kind: 'refused',
      message: '127.0.0.1 did not take the connection: connection refused',
    })
  })

  it('count requests at once, of one plugin and of all', async (t) => {
    const waiting: (() => void)[] = []
    const server = await startWebServer(t, (_request, response) => void waiting.push(() => response.end('x')))
    const client = createClient(t)
    const { concurrentPerPluginMax, concurrentMax } = outboundLimits
    const sent: Promise<unknown>[] = []
    for (let count = 0; count < concurrentMax; count += 1) {
      sent.push(
        succeed(client, requestTo(server.url, { plugin: `p${Math.floor(count / concurrentPerPluginMax)}` })),
      )
    }
    const own = await fail(client, requestTo(server.url, { plugin: 'p0' }))
    assert.equal(own.kind, 'busy')
    assert.match(own.message, /a plugin may have 6/)
    assert.match(
      (await fail(client, requestTo(server.url, { plugin: 'other' }))).message,
      /all plugins may have 64/,
    )
    await until('all requests have arrived', () => waiting.length === concurrentMax)
    for (const answer of waiting) answer()
    await Promise.all(sent)
    assert.equal(client.inFlight, 0)
    const again = succeed(client, requestTo(server.url, { plugin: 'p0' }))
    await until('it has arrived', () => waiting.length === concurrentMax + 1)
    waiting.at(-1)?.()
    await again
  })

  it('cancel what is being sent when the client is closed, and refuse what comes later', async (t) => {
    const server = await startWebServer(t, () => undefined)
    const client = createClient(t)
    const sent = [fail(client, requestTo(server.url)), fail(client, requestTo(server.url))]
    await until('they are connected', () => server.connections() === 2)
    client.close()
    for (const failure of await Promise.all(sent)) {
      assert.equal(failure.kind, 'canceled')
      assert.match(failure.message, /canceled/)
    }
    assert.equal((await fail(client, requestTo(server.url))).kind, 'canceled')
    assert.equal(client.inFlight, 0)
  })
})
