import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import {
  growthMax,
  type HostileWorld,
  sendHealthy,
  slowerMax,
  startHostileWorld,
} from '../helpers/hostile-world.js'
import { startUpstream } from '../helpers/proxy-world.js'
import { openMany, openRaw, type RawConnection } from '../helpers/raw-connection.js'
import { until } from '../helpers/until.js'

const limit = { timeout: 120_000 }
const mebibyte = 1024 * 1024
const bigBytes = 4 * mebibyte
const get = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`

interface Peak {
  stop(): number
}

/** Follows the memory of a server. */
function watchMemory(world: HostileWorld): Peak {
  let most = world.residentBytes()
  const timer = setInterval(() => {
    most = Math.max(most, world.residentBytes())
  }, 50)
  // A test that fails does not stop it, and must not keep its process alive.
  timer.unref()
  return {
    stop() {
      clearInterval(timer)
      return Math.max(most, world.residentBytes())
    },
  }
}

/** Lets a healthy client work beside clients that do not read, until the server has cut these off. */
async function outlast(world: HostileWorld, attack: () => Promise<readonly RawConnection[]>): Promise<void> {
  // What the plugin needs for its answers, such as open databases, is not what the clients take.
  await Promise.all(Array.from({ length: 8 }, () => world.client.send('GET', '/api/v1/plugins/target/big')))
  const alone = await sendHealthy(world.client, 100)
  const sockets = world.openSockets()
  const bytes = world.residentBytes()
  const memory = watchMemory(world)
  const connections = await attack()
  const beside = await sendHealthy(world.client, 100)
  assert.ok(
    beside.medianMs <= alone.medianMs * slowerMax,
    `a healthy client took ${beside.medianMs} ms beside the attack, ${alone.medianMs} ms without`,
  )
  const cutOff = async () => (await world.refused('stalled')) >= connections.length
  await until('the server has cut all of them off', cutOff)
  await until('nothing of them is open', () => world.openSockets() <= sockets + 4)
  const growth = memory.stop() - bytes
  assert.ok(growth <= growthMax, `the server grew by ${growth} bytes`)
  for (const { socket } of connections) socket.resume()
  await Promise.all(connections.map(({ gone }) => gone))
  await sendHealthy(world.client, 20)
}

/** A body of 50 MiB, as fast as it is taken. */
function sendLarge(response: ServerResponse): void {
  const chunk = Buffer.alloc(64 * 1024, 7)
  let left = (50 * mebibyte) / chunk.length
  const more = (): void => {
    while (left > 0) {
      left -= 1
      if (!response.write(chunk)) {
        response.once('drain', more)
        return
      }
    }
    response.end()
  }
  more()
}

test('clients that read nothing of what they asked for are cut off, whatever it is', limit, async (t) => {
  const upstream = await startUpstream(t, (asked, response) => {
    if (asked.url === '/up/large') sendLarge(response)
    else {
      response.setHeader('cache-control', 'public, max-age=600')
      response.end(Buffer.alloc(900 * 1024, 7))
    }
  })
  const world = await startHostileWorld(t, {
    server: { stallTimeout: '3s' },
    gateway: {
      cache: { enabled: true },
      compression: { enabled: true },
      proxy: { rules: [{ pattern: '^/up', target: upstream.url }] },
    },
  })
  const first = await world.client.send('GET', '/up/cached')
  assert.equal(first.bytes.length, 900 * 1024)
  const requests = [
    get('/up/large'),
    // More than one, as the buffers of the system hold what is small.
    get('/up/cached').repeat(12),
    // A plugin that is busy answers so, and the next one is large again.
    get('/api/v1/plugins/target/big').repeat(50),
    get('/api/v1/plugins/target/big', 'Accept-Encoding: gzip\r\n').repeat(50),
  ]
  await outlast(world, async () => {
    const connections = await openMany(t, world.port, 32, { isPaused: true })
    for (const [at, { socket }] of connections.entries()) socket.write(requests[at % 4] as string)
    return connections
  })
  assert.equal(await world.refused('stalled'), 32)
  // Ninety-six were asked for.
  assert.ok(upstream.requests.filter(({ url }) => url === '/up/cached').length < 10)
})

test(
  'ten thousand requests for large answers on a connection that is not read from make one',
  limit,
  async (t) => {
    const world = await startHostileWorld(t, { server: { stallTimeout: '3s' } })
    await outlast(world, async () => {
      const connections = await openMany(t, world.port, 4, { isPaused: true })
      for (const { socket } of connections) socket.write(get('/api/v1/plugins/target/big').repeat(10_000))
      return connections
    })
    assert.equal(await world.refused('stalled'), 4)
  },
)

test('ten thousand requests whose answers are read late are all answered', limit, async (t) => {
  const world = await startHostileWorld(t, {})
  const connection = await openRaw(t, world.port, { isPaused: true })
  const last = get('/health', 'Connection: close\r\n')
  connection.socket.write(get('/health').repeat(9_999) + last)
  await sendHealthy(world.client, 50)
  connection.socket.resume()
  await connection.gone
  assert.equal(connection.text().split('HTTP/1.1 200 OK\r\n').length - 1, 10_000)
})

test(
  'when too much waits, those who do not read make room, and those who read have all',
  limit,
  async (t) => {
    const world = await startHostileWorld(t, { server: { stallTimeout: '1h', maxUnreadBytes: 8 * mebibyte } })
    const deaf = await openMany(t, world.port, 12, { isPaused: true })
    for (const { socket } of deaf) socket.write(get('/api/v1/plugins/target/big').repeat(4))
    await until('some are cut off', async () => (await world.refused('unread_bytes')) >= 6)
    const { bytes } = await until('the plugin has time', async () => {
      const answer = await world.client.send('GET', '/api/v1/plugins/target/big')
      return answer.status === 200 ? answer : undefined
    })
    assert.equal(bytes.length, bigBytes)
    assert.equal(await world.refused('stalled'), 0)
  },
)

test('a client that reads slowly but steadily gets its whole answer', limit, async (t) => {
  const upstream = await startUpstream(t, (_, response) => sendLarge(response))
  const world = await startHostileWorld(t, {
    server: { stallTimeout: '3s' },
    gateway: { proxy: { rules: [{ pattern: '^/up', target: upstream.url }] } },
  })
  const { socket, gone } = await openRaw(t, world.port, { isPaused: true })
  let bytes = 0
  socket.on('data', (chunk) => {
    bytes += chunk.length
    // The reader stops after some bytes, each time for a fraction of what a client may take.
    if (bytes % (2 * mebibyte) < chunk.length) {
      socket.pause()
      setTimeout(() => socket.resume(), 100)
    }
  })
  socket.write(get('/up', 'Connection: close\r\n'))
  socket.resume()
  await gone
  assert.ok(bytes >= 50 * mebibyte, `only ${bytes} bytes came`)
  assert.equal(await world.refused('stalled'), 0)
})

test('a WebSocket that sends and never reads is cut off while its target floods it', limit, async (t) => {
  const upstream = await startUpstream(t)
  let flooded = 0
  const targets = new Set<Socket>()
  upstream.server.on('upgrade', (_, socket: Socket) => {
    targets.add(socket)
    socket.on('error', () => {})
    socket.resume()
    socket.once('close', () => targets.delete(socket))
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    const chunk = Buffer.alloc(64 * 1024)
    // As long as the server takes all, nothing else in here has a turn unless this gives one.
    const flood = (): void => {
      if (socket.destroyed || !socket.write(chunk)) return
      flooded += chunk.length
      setImmediate(flood)
    }
    socket.on('drain', flood)
    flood()
  })
  const world = await startHostileWorld(t, {
    server: { stallTimeout: '3s' },
    gateway: { proxy: { rules: [{ pattern: '^/ws', target: upstream.url }] } },
  })
  await outlast(world, async () => {
    const connections = await openMany(t, world.port, 10, { isPaused: true })
    for (const { socket } of connections) {
      socket.write(
        get(
          '/ws',
          'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n',
        ),
      )
    }
    await until('the target floods', () => flooded > mebibyte)
    for (const { socket } of connections) {
      const timer = setInterval(() => socket.write(Buffer.from([0x89, 0x80, 0, 0, 0, 0])), 100)
      socket.once('close', () => clearInterval(timer))
    }
    return connections
  })
  await until('the target is left', () => targets.size === 0)
  assert.equal(await world.refused('stalled'), 10)
})

test('streams of events that nobody reads hold neither memory nor others', limit, async (t) => {
  const world = await startHostileWorld(t, {
    server: { stallTimeout: '3s' },
    keyval: { rate_limit: 1_000_000 },
  })
  const { authorization } = world.credentials
  const credential = `Authorization: ${authorization}\r\n`
  const write = async (round: number): Promise<void> => {
    const mutations = Array.from({ length: 500 }, (_, at) => ({
      type: 'set',
      key: ['deaf', at],
      value: { round, pad: 'x'.repeat(1000) },
    }))
    const { status, text } = await world.client.send('POST', '/keyval/api/atomic', {
      headers: world.credentials,
      json: { mutations },
    })
    assert.equal(status, 200, text)
  }
  await outlast(world, async () => {
    const watching = await openMany(t, world.port, 10, { isPaused: true })
    for (const { socket } of watching) {
      socket.write(get('/keyval/api/watch/prefix?prefix=deaf', credential))
    }
    const live = await openMany(t, world.port, 10)
    for (const { socket } of live) socket.write(get('/gateway/api/sse', credential))
    await Promise.all(live.map(({ socket }) => once(socket, 'data')))
    for (const { socket } of live) socket.pause()
    for (let round = 0; round < 30; round += 1) await write(round)
    await until('those who watch are cut off', async () => (await world.refused('stalled')) === 10)
    // Live figures are so small that the buffers of the system hold them for long; they go with their clients.
    for (const { socket } of live) socket.destroy()
    return watching
  })
  const { text } = await world.client.send('GET', '/gateway/api/stats', { headers: world.credentials })
  assert.ok(text.length > 0)
})
