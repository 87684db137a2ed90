import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  growthMax,
  type HostileWorld,
  sendHealthy,
  slowerMax,
  startHostileWorld,
} from '../helpers/hostile-world.js'
import { startUpstream } from '../helpers/proxy-world.js'
import { openMany, openRaw, type RawConnection, tellRaw } from '../helpers/raw-connection.js'
import { until } from '../helpers/until.js'

const limit = { timeout: 120_000 }
const times = { headersTimeout: '1s', requestTimeout: '2s', keepAliveTimeout: '1s' }

/** Lets a healthy client work beside an attack until its connections are gone, and compares. */
async function withstand(
  world: HostileWorld,
  attack: () => Promise<readonly RawConnection[]>,
): Promise<readonly RawConnection[]> {
  const alone = await sendHealthy(world.client, 100)
  const sockets = world.openSockets()
  const bytes = world.residentBytes()
  const connections = await attack()
  const open = connections.filter(({ socket }) => !socket.destroyed).length
  assert.ok(open > connections.length / 2, 'the attack was over before it began')
  const beside = await sendHealthy(world.client, 100)
  assert.ok(
    beside.medianMs <= alone.medianMs * slowerMax,
    `a healthy client took ${beside.medianMs} ms beside the attack, ${alone.medianMs} ms without`,
  )
  await Promise.all(connections.map(({ gone }) => gone))
  const growth = world.residentBytes() - bytes
  assert.ok(growth <= growthMax, `the server grew by ${growth} bytes`)
  await until('all sockets of the attack are closed', () => world.openSockets() <= sockets + 4)
  await sendHealthy(world.client, 10)
  return connections
}

function answerOf(text: string): { readonly status: number; readonly head: string; readonly body: string } {
  const [head = '', body = ''] = text.split('\r\n\r\n')
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]), head, body }
}

function assertRefused(text: string, status: number, code: string): void {
  const answer = answerOf(text)
  assert.equal(answer.status, status, text.slice(0, 300))
  assert.match(answer.head, /\r\nconnection: close(?:\r\n|$)/i)
  assert.match(answer.head, /\r\ncontent-type: application\/json/i)
  const { error, code: flat } = JSON.parse(answer.body)
  assert.equal(flat ?? error.code, code)
  // One answer, and nothing behind it.
  assert.equal(text.split('HTTP/1.1 ').length, 2)
}

/** Sends a byte now and then until the connection is gone. */
function drip({ socket }: RawConnection, byte: string, everyMs: number): void {
  const timer = setInterval(() => socket.write(byte), everyMs)
  socket.once('close', () => clearInterval(timer))
}

test(
  'clients that send heads byte by byte, or nothing at all, are answered 408 and ended',
  limit,
  async (t) => {
    const world = await startHostileWorld(t, { server: times })
    const connections = await withstand(world, async () => {
      const slow = await openMany(t, world.port, 500)
      for (const connection of slow) {
        connection.socket.write('GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ')
        drip(connection, 'a', 250)
      }
      return [...slow, ...(await openMany(t, world.port, 100))]
    })
    for (const { text } of connections) assertRefused(text(), 408, 'REQUEST_TIMEOUT')
    assert.equal(await world.refused('headers_timeout'), 600)
    // Whoever is refused cannot flood the log.
    assert.ok(world.err().split('clients were refused or cut off').length < 6)
  },
)

test(
  'bodies that come byte by byte hold up neither plugins, content, keys nor the proxy',
  limit,
  async (t) => {
    const upstream = await startUpstream(t, (asked, response) => {
      asked.resume()
      asked.once('end', () => response.end('read'))
      asked.on('error', () => {})
    })
    const world = await startHostileWorld(t, {
      server: times,
      gateway: { proxy: { rules: [{ pattern: '^/up', target: upstream.url }] } },
    })
    const paths = [
      '/api/v1/plugins/target/echo',
      '/api/v1/content/datatypes',
      '/keyval/api/atomic',
      '/gateway/api/cors/rules',
      '/up/load',
      '/nowhere',
    ]
    const token = world.credentials.authorization
    const connections = await withstand(world, async () => {
      const all = await openMany(t, world.port, 50 * paths.length)
      for (const [at, connection] of all.entries()) {
        const head = `POST ${paths[at % paths.length]} HTTP/1.1\r\nHost: x\r\nAuthorization: ${token}\r\nContent-Type: application/json\r\n`
        connection.socket.write(
          at % 2 === 0
            ? `${head}Content-Length: 1000\r\n\r\n{`
            : `${head}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`,
        )
        drip(connection, at % 2 === 0 ? ' ' : '1\r\n \r\n', 250)
      }
      return all
    })
    for (const [at, { text }] of connections.entries()) {
      const { status } = answerOf(text())
      assert.ok(
        [404, 408, 413].includes(status),
        `${paths[at % paths.length]} answered ${text().slice(0, 200)}`,
      )
    }
    assert.ok((await world.refused('request_timeout')) >= 50)
  },
)

test(
  'heads, URLs and queries that are too large are refused in the form of the product',
  limit,
  async (t) => {
    const world = await startHostileWorld(t, {
      server: { ...times, maxQueryParameters: 100, maxUrlLength: 4000 },
    })
    const { port } = world
    const tell = (target: string, headers = '') =>
      tellRaw(t, port, `GET ${target} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`)
    const long = (length: number) => 'a'.repeat(length)
    assertRefused(await tell('/health', `X: ${long(20_000)}\r\n`), 431, 'HEADERS_TOO_LARGE')
    assertRefused(await tell('/health', `X: ${long(1_000_000)}\r\n`), 431, 'HEADERS_TOO_LARGE')
    assertRefused(await tell('/health', 'a:b\r\n'.repeat(1200)), 431, 'HEADERS_TOO_LARGE')
    assertRefused(await tell('/health', 'a:b\r\n'.repeat(260)), 431, 'HEADERS_TOO_LARGE')
    for (const path of [
      '/health',
      '/gateway/api/stats',
      '/keyval/api/keys',
      '/api/v1/plugins/target/ok',
      '/no',
    ]) {
      assertRefused(await tell(`${path}?${long(5000)}`), 414, 'URL_TOO_LONG')
      assertRefused(await tell(`${path}?${'a&'.repeat(101)}`), 400, 'TOO_MANY_PARAMETERS')
    }
    assertRefused(await tell(`/${long(1_000_000)}`), 414, 'URL_TOO_LONG')
    assertRefused(await tellRaw(t, port, 'this is no request\r\n\r\n'), 400, 'REQUEST_MALFORMED')
    assertRefused(await tellRaw(t, port, '\x16\x03\x01\x02\x00\x01'), 400, 'REQUEST_MALFORMED')
    const both =
      'POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
    assertRefused(await tellRaw(t, port, both), 400, 'REQUEST_MALFORMED')
    const deep = `a${'[b]'.repeat(1000)}=1&__proto__[x]=2`
    const flat = await world.client.send('GET', `/api/v1/plugins/target/query?${deep}`)
    assert.deepEqual(Object.keys(flat.json()).sort(), [`a${'[b]'.repeat(1000)}`, '__proto__[x]'].sort())
    for (const reason of ['headers_too_large', 'url_too_long', 'too_many_parameters', 'malformed']) {
      assert.ok((await world.refused(reason)) > 0, reason)
    }
  },
)

test('what cannot be read behind a request does not take the answer of that request', limit, async (t) => {
  const upstream = await startUpstream(t, (_, response) => {
    setTimeout(() => response.end('whole answer'), 300)
  })
  const world = await startHostileWorld(t, {
    server: times,
    gateway: { proxy: { rules: [{ pattern: '^/up', target: upstream.url }] } },
  })
  const text = await tellRaw(t, world.port, 'GET /up HTTP/1.1\r\nHost: x\r\n\r\nno request at all\r\n\r\n')
  assert.match(text, /^HTTP\/1\.1 200 [\s\S]*whole answer/)
  assert.equal(text.split('HTTP/1.1 ').length, 2)
})

test('clients that close their side before the answer leave nothing behind', limit, async (t) => {
  let asked = 0
  const upstream = await startUpstream(t, () => {
    asked += 1
  })
  const world = await startHostileWorld(t, {
    server: times,
    gateway: { proxy: { rules: [{ pattern: '^/up', target: upstream.url }], timeout: '10s' } },
  })
  const target = new Set<unknown>()
  upstream.server.on('connection', (socket) => {
    target.add(socket)
    socket.once('close', () => target.delete(socket))
  })
  const sockets = world.openSockets()
  const halfClosed = await openMany(t, world.port, 200)
  for (const [at, { socket }] of halfClosed.entries()) {
    socket.end(['GET /up HTTP/1.1\r\nHost: x\r\n\r\n', 'GET /up HTTP/1.1\r\n', ''][at % 3] as string)
  }
  await Promise.all(halfClosed.map(({ gone }) => gone))
  await until('the target is left as well', () => target.size === 0)
  assert.ok(asked > 0, 'no request came to the target')
  await until('nothing is open any more', () => world.openSockets() <= sockets + 4)
  await sendHealthy(world.client, 20)
})

test('ten thousand requests in one packet are answered in order, one at a time', limit, async (t) => {
  let atOnce = 0
  let atOnceMax = 0
  const upstream = await startUpstream(t, (asked, response) => {
    atOnce += 1
    atOnceMax = Math.max(atOnceMax, atOnce)
    setImmediate(() => {
      atOnce -= 1
      response.end(`<${asked.url}>`)
    })
  })
  const world = await startHostileWorld(t, {
    server: { ...times, requestTimeout: '30s', maxRequestsPerSocket: 3000 },
    gateway: { proxy: { rules: [{ pattern: '^/up', target: upstream.url }] } },
  })
  const connection = await openRaw(t, world.port)
  const requests = Array.from({ length: 10_000 }, (_, at) => `GET /up/${at} HTTP/1.1\r\nHost: x\r\n\r\n`)
  connection.socket.write(requests.join(''))
  await sendHealthy(world.client, 50)
  await connection.gone
  const numbers = [...connection.text().matchAll(/<\/up\/(\d+)>/g)].map(([, number]) => Number(number))
  assert.deepEqual(
    numbers,
    Array.from({ length: 3000 }, (_, at) => at),
  )
  assert.equal(atOnceMax, 1)
  assert.match(connection.text().slice(-400), /\r\nconnection: close\r\n/i)
})

test(
  'a head or a body that stays away behind a request which is answered late ends its connection',
  limit,
  async (t) => {
    const upstream = await startUpstream(t, (_, response) => {
      setTimeout(() => response.end('late answer'), 2500)
    })
    const world = await startHostileWorld(t, {
      server: times,
      gateway: { proxy: { rules: [{ pattern: '^/up', target: upstream.url }] } },
    })
    const rests = [
      'GET /up HTTP/1.1\r\nX-Slow: ',
      'POST /api/v1/plugins/target/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{',
    ]
    for (const rest of rests) {
      const connection = await openRaw(t, world.port)
      connection.socket.write(`GET /up HTTP/1.1\r\nHost: x\r\n\r\n${rest}`)
      drip(connection, 'a'.repeat(rest.startsWith('GET') ? 1 : 0), 250)
      await connection.gone
      assert.match(connection.text(), /^HTTP\/1\.1 200 [\s\S]*late answer/)
      assert.match(connection.text(), /late answer[\s\S]*HTTP\/1\.1 408 /)
    }
  },
)

test(
  'connections have a limit in all and for each address, and those that have one are served',
  limit,
  async (t) => {
    const world = await startHostileWorld(t, {
      plugin_trusted_proxies: ['127.0.0.9'],
      server: { maxConnections: 40, maxConnectionsPerAddress: 10 },
    })
    await sendHealthy(world.client, 5)
    const one = await openMany(t, world.port, 10, { from: '127.0.0.2' })
    for (let at = 0; at < 5; at += 1) {
      const more = await openRaw(t, world.port, { from: '127.0.0.2' })
      await more.gone
      assertRefused(more.text(), 503, 'CONNECTIONS_EXHAUSTED')
      assert.match(more.text(), /\r\nretry-after: \d+\r\n/i)
    }
    const proxied = await openMany(t, world.port, 29, { from: '127.0.0.9' })
    const other = await openRaw(t, world.port, { from: '127.0.0.3' })
    await other.gone
    assertRefused(other.text(), 503, 'CONNECTIONS_EXHAUSTED')
    // Neither those who came before nor those with a connection notice.
    await sendHealthy(world.client, 20)
    for (const { socket } of [...one, ...proxied]) assert.equal(socket.destroyed, false)
    assert.equal(await world.refused('max_connections'), 1)
    assert.equal(await world.refused('max_connections_per_address'), 5)
    one[0]?.socket.destroy()
    await until('there is room again', async () => {
      const next = await openRaw(t, world.port, { from: '127.0.0.3' })
      next.socket.write('GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
      await next.gone
      return next.text().startsWith('HTTP/1.1 200')
    })
  },
)
