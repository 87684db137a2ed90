import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpsServer } from 'node:https'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type WebSocket as Peer, WebSocket, WebSocketServer } from 'ws'
import { listen, portOf, sendRaw, startProxyWorld, startUpstream } from '../../../helpers/proxy-world.js'
import { selfSignedCertificate, serverKey } from '../../../helpers/tls-certificates.js'
import { until } from '../../../helpers/until.js'

const limit = { timeout: 20_000 }

/** A server whose WebSockets answer with what they are sent. */
async function startSockets(t: TestContext): Promise<{ sockets: WebSocketServer; url: string }> {
  const upstream = await startUpstream(t)
  const sockets = new WebSocketServer({ server: upstream.server, handleProtocols: () => 'chat' })
  t.after(() => sockets.close())
  sockets.on('connection', (peer: Peer) => {
    peer.on('message', (data, isBinary) => peer.send(data, { binary: isBinary }))
  })
  return { sockets, url: upstream.url }
}

const head = 'Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n'
const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'

test(
  'path, query, headers, cookies and sub-protocols reach the target; frames and codes come back',
  limit,
  async (t) => {
    const { sockets, url } = await startSockets(t)
    const { port } = await startProxyWorld(t, {
      rules: [{ pattern: '^/ws(/.*)$', target: `${url}/base`, rewrite: '$1', headers: { 'x-rule': 'r' } }],
    })
    const asked = once(sockets, 'connection')
    const client = new WebSocket(`ws://127.0.0.1:${port}/ws/room?token=1`, ['chat'], {
      headers: { cookie: 'a=1; modulacms_session=x', 'x-identity': 'me', 'x-own': 'o' },
    })
    const [peer, request] = await asked
    assert.equal(request.url, '/base/room?token=1')
    assert.equal(request.headers['x-rule'], 'r')
    assert.equal(request.headers['x-own'], 'o')
    assert.equal(request.headers['x-identity'], undefined)
    assert.equal(request.headers.cookie, 'a=1')
    await once(client, 'open')
    assert.equal(client.protocol, 'chat')
    const big = Buffer.alloc(1024 * 1024, 7)
    client.send(big)
    const [echo] = await once(client, 'message')
    assert.deepEqual(echo, big)
    peer.close(4001, 'bye')
    const [code, reason] = await once(client, 'close')
    assert.equal(code, 4001)
    assert.equal(String(reason), 'bye')
  },
)

test('frames that come before the target has agreed are not lost', limit, async (t) => {
  const { url } = await startSockets(t)
  const { port } = await startProxyWorld(t, { rules: [{ pattern: '.', target: url }] })
  const socket = connect(port, '127.0.0.1')
  const frame = '\x81\x82\x00\x00\x00\x00hi'
  socket.write(`GET / HTTP/1.1\r\n${head}${key}\r\n${frame}`, 'latin1')
  let received = ''
  socket.setEncoding('latin1')
  socket.on('data', (chunk) => {
    received += chunk
  })
  await until('the frame comes back', () => received.includes('\x81\x02hi'))
  assert.match(received, /^HTTP\/1\.1 101 /)
  socket.destroy()
})

test('a TLS target is spoken to with TLS, checked unless the rule says otherwise', limit, async (t) => {
  const server = createHttpsServer({ key: serverKey, cert: selfSignedCertificate })
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (peer) => peer.send('safe'))
  await listen(t, server)
  const target = `https://127.0.0.1:${portOf(server)}`
  const { port } = await startProxyWorld(t, {
    rules: [
      { pattern: '^/any', target, secure: false },
      { pattern: '^/checked', target },
    ],
  })
  const client = new WebSocket(`ws://127.0.0.1:${port}/any`)
  const [message] = await once(client, 'message')
  assert.equal(String(message), 'safe')
  client.terminate()
  const refused = await sendRaw(port, `GET /checked HTTP/1.1\r\n${head}${key}\r\n`)
  assert.match(refused, /^HTTP\/1\.1 502 /)
})

test('an upgrade that no rule takes is refused, and others get plain answers', limit, async (t) => {
  const upstream = await startUpstream(t)
  const { port } = await startProxyWorld(t, {
    rules: [{ pattern: '^/no-ws', target: upstream.url, ws: false }],
  })
  for (const path of ['/own', '/nowhere', '/no-ws']) {
    const answer = await sendRaw(
      port,
      `GET ${path} HTTP/1.1\r\n${head}${key}\r\nGET /own HTTP/1.1\r\nHost: x\r\n\r\n`,
    )
    assert.match(answer, /^HTTP\/1\.1 400 [\s\S]*UPGRADE_REFUSED/, path)
    assert.match(answer, /connection: close/i)
    assert.equal(answer.split('HTTP/1.1').length, 2)
  }
  assert.equal(upstream.requests.length, 0)
  const other =
    'Host: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n'
  assert.match(await sendRaw(port, `GET /own HTTP/1.1\r\n${other}`), /^HTTP\/1\.1 200 [\s\S]*own$/)
  const withBody = `GET / HTTP/1.1\r\n${head}${key}Content-Length: 5\r\n\r\nhello`
  assert.match(await sendRaw(port, withBody), /^HTTP\/1\.1 400 /)
})

test(
  'an upgrade behind a request that is not answered yet ends its connection, and no other',
  limit,
  async (t) => {
    const { url } = await startSockets(t)
    const { app, port } = await startProxyWorld(t, { rules: [{ pattern: '^/ws', target: url }] })
    const held = once(app.server, 'request')
    const socket = connect(port, '127.0.0.1')
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('error', () => {})
    // The first answer is still being made when the second head is read from the same packet.
    socket.write(`GET /own HTTP/1.1\r\nHost: x\r\n\r\nGET /ws HTTP/1.1\r\n${head}${key}\r\n`)
    await held
    await once(socket, 'close')
    assert.equal(text.includes('101'), false)
    assert.match(
      await sendRaw(port, 'GET /own HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'),
      /^HTTP\/1\.1 200 [\s\S]*own$/,
    )
  },
)

test('a target that wants no WebSocket answers like any request, and nothing follows', limit, async (t) => {
  const upstream = await startUpstream(t, (_, response) => response.writeHead(403).end('not you'))
  upstream.server.on('upgrade', (_, socket) =>
    socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 7\r\n\r\nnot you'),
  )
  const { port } = await startProxyWorld(t, { rules: [{ pattern: '.', target: upstream.url }] })
  const answer = await sendRaw(
    port,
    `GET / HTTP/1.1\r\n${head}${key}\r\nGET /inner HTTP/1.1\r\nHost: x\r\n\r\n`,
  )
  assert.match(answer, /^HTTP\/1\.1 403 [\s\S]*not you$/)
  assert.equal(upstream.requests.length, 0)
})

test('tunnels have a limit, end when they are idle, and end with the server', limit, async (t) => {
  const { url } = await startSockets(t)
  const rules = [{ pattern: '.', target: url }]
  const idle = await startProxyWorld(t, { rules, tunnelIdleMs: 100, tunnelsMax: 1 })
  const client = new WebSocket(`ws://127.0.0.1:${idle.port}/`)
  const closed = once(client, 'close')
  await once(client, 'open')
  const second = await sendRaw(idle.port, `GET / HTTP/1.1\r\n${head}${key}\r\n`)
  assert.match(second, /^HTTP\/1\.1 503 [\s\S]*PROXY_TUNNELS_FULL/)
  const [code] = await closed
  assert.equal(code, 1006)
  const ending = await startProxyWorld(t, { rules })
  const last = new WebSocket(`ws://127.0.0.1:${ending.port}/`)
  const gone = once(last, 'close')
  await once(last, 'open')
  await ending.app.close()
  await gone
})

test('the target is left when the client leaves while it is being asked', limit, async (t) => {
  const upstream = await startUpstream(t)
  const asked = once(upstream.server, 'upgrade')
  const { port, proxy } = await startProxyWorld(t, { rules: [{ pattern: '.', target: upstream.url }] })
  const client = connect(port, '127.0.0.1')
  client.write(`GET / HTTP/1.1\r\n${head}${key}\r\n`)
  const [, socket] = await asked
  socket.resume()
  client.destroy()
  await until('the connection to the target ends', () => socket.destroyed || socket.readableEnded)
  await until('its place is free', () => proxy.stage.describe?.().tunnels === 0)
})
