import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { monitorLimits } from '../../src/base/limits/gateway.js'
import { openSqlite } from '../../src/database/sqlite.js'
import { type TestHost, useHost } from '../helpers/create-host.js'
import { openStream, type ReceivedStream } from '../helpers/event-stream.js'
import { until } from '../helpers/until.js'

/** The live figures, the request log and the history of a host, over sockets. */

interface Snapshot {
  readonly timestamp: number
  readonly rateLimit: { readonly metrics: { readonly activeBuckets: number }; readonly config: object } | null
  readonly cors: { readonly enabled: boolean; readonly rules: readonly object[] }
  readonly shell: object | null
  readonly recentLogs: readonly { readonly path: string }[]
}

interface Entry {
  readonly timestamp: number
  readonly totalRequests: number
  readonly blockedRequests: number
  readonly allowedRequests: number
  readonly activeBuckets: number
}

const limited = { 'gateway.rateLimit.requests': 100, 'gateway.rateLimit.window': '1h' }

/** Nothing is on but what cannot be off. */
const plain = useHost({ plugins: {} })
const watched = useHost({ plugins: {}, config: { ...limited, 'gateway.cors': {} } })
/** A limit without a history, and few lines of the log. */
const brief = useHost({
  plugins: {},
  config: {
    'gateway.rateLimit.requests': 2,
    'gateway.rateLimit.window': '1h',
    'gateway.log.size': 10,
    'gateway.history.enabled': false,
  },
})

const ask = (server: TestHost, prefix = '/gateway/api'): Promise<ReceivedStream> =>
  openStream(`${server.url}${prefix}/sse`, { ...server.credentials })

/** Opens a stream as soon as one of those that other tests have closed has left its place. */
const open = (server: TestHost, prefix?: string): Promise<ReceivedStream> =>
  until('there is a place', async () => {
    const stream = await ask(server, prefix)
    if (stream.status === 200) return stream
    stream.close()
    return undefined
  })

async function snapshot(stream: ReceivedStream): Promise<Snapshot> {
  const event = await stream.next('message')
  assert.ok(event, 'the stream has not ended')
  return JSON.parse(event.data ?? '') as Snapshot
}

const read = async <T>(server: TestHost, path: string): Promise<T> => {
  const answer = await server.send('GET', `/gateway/api${path}`, { headers: server.credentials })
  assert.equal(answer.status, 200, answer.text)
  return answer.json<T>()
}

describe('live figures', () => {
  it('come at once, and again each second with what has happened meanwhile', async (t) => {
    const server = watched()
    for (const prefix of ['/gateway/api', '/api/gateway']) {
      const path = `/seen-by${prefix}`
      const stream = await open(server, prefix)
      t.after(() => stream.close())
      const first = await snapshot(stream)
      assert.deepEqual(Object.keys(first).sort(), ['cors', 'rateLimit', 'recentLogs', 'shell', 'timestamp'])
      assert.deepEqual(first.rateLimit?.config, { requests: 100, window: '1h', keyBy: 'ip' })
      assert.equal(first.cors.enabled, true)
      assert.equal(first.shell, null)
      assert.ok(first.recentLogs.every((entry) => entry.path !== path))
      await server.send('GET', path)
      const second = await snapshot(stream)
      const third = await snapshot(stream)
      // The timer of the server never comes early; how late it comes depends on the machine.
      assert.ok(third.timestamp - second.timestamp > 900, `${third.timestamp - second.timestamp} ms`)
      assert.ok(third.recentLogs.some((entry) => entry.path === path))
      assert.ok(third.recentLogs.length <= monitorLimits.recentRequestsMax)
      assert.equal(third.rateLimit?.metrics.activeBuckets, 1)
    }
  })

  it('are null for what is off', async (t) => {
    const server = plain()
    const stream = await open(server)
    t.after(() => stream.close())
    const { rateLimit, cors, shell } = await snapshot(stream)
    assert.deepEqual([rateLimit, cors, shell], [null, { enabled: false, rules: [] }, null])
  })

  it('end on the side of the server when clients leave: their places are free again, and no others', async (t) => {
    const server = plain()
    const opened: ReceivedStream[] = []
    t.after(() => {
      for (const stream of opened) stream.close()
    })
    const fill = async () => {
      let count = 0
      for (;;) {
        const stream = await ask(server)
        opened.push(stream)
        if (stream.status !== 200) {
          assert.deepEqual([stream.status, stream.headers['retry-after']], [503, '5'])
          return count
        }
        count += 1
      }
    }
    let filled = 0
    await until('the host has counted those of other tests that left', async () => {
      filled += await fill()
      return filled >= monitorLimits.streamsMax
    })
    assert.equal(filled, monitorLimits.streamsMax)
    assert.equal(await fill(), 0)
    for (const stream of opened.slice(0, 5)) stream.close()
    let freed = 0
    await until('the host has counted those that left', async () => {
      freed += await fill()
      return freed >= 5
    })
    assert.equal(freed, 5)
    assert.equal(await fill(), 0)
  })
})

it('the log has one entry for each request, of its own shape, with its filters', async () => {
  const server = brief()
  await server.send('POST', '/gateway/api/rate-limit/clear', { headers: server.credentials })
  await server.send('DELETE', '/gateway/api/logs', { headers: server.credentials })
  const before = Date.now()
  const statuses: number[] = []
  for (const path of ['/health?token=secret', '/nowhere', '/health']) {
    statuses.push((await server.send('GET', path)).status)
  }
  assert.deepEqual(statuses, [200, 404, 429])
  const logs = await until('all have ended', async () => {
    const entries = (await read<Record<string, unknown>[]>(server, '/logs')).filter(
      ({ path }) => !String(path).startsWith('/gateway/api'),
    )
    return entries.length >= 3 && entries
  })
  const [third, second, first] = logs.slice(-3)
  const shapes = [
    [first, 'GET', '/health', 200, false],
    [second, 'GET', '/nowhere', 404, false],
    [third, 'GET', '/health', 429, true],
  ] as const
  for (const [entry, method, path, status, rateLimited] of shapes) {
    const { id, timestamp, duration, ...rest } = entry ?? {}
    assert.deepEqual(rest, { ip: '127.0.0.1', method, path, status, rateLimited })
    assert.match(String(id), /^\d{13}-[0-9a-z]{7}$/)
    assert.ok(Number(timestamp) >= before && Number(timestamp) <= Date.now())
    assert.ok(Number(duration) > 0)
  }
  assert.equal(new Set(logs.map(({ id }) => id)).size, logs.length)
  const paths = async (query: string) =>
    (await read<{ path: string; status: number }[]>(server, `/logs?${query}`)).map(({ status }) => status)
  assert.deepEqual(await paths('rateLimited=true'), [429])
  assert.deepEqual(await paths('statusRange=4'), [429, 404])
  assert.deepEqual(await paths('statusRange=4&limit=1'), [429])
  assert.deepEqual(await paths('statusRange=5'), [])
  assert.deepEqual(await paths('ip=192.0.2.1'), [])
  assert.deepEqual(await paths('ip=127.0.0.1&status=404'), [404])
  const stats = await read<{ total: number; rateLimited: number; byStatus: Record<string, number> }>(
    server,
    '/logs/stats',
  )
  assert.deepEqual([stats.rateLimited, stats.byStatus['4xx']], [1, 2])
  for (let at = 0; at < 60; at += 1) await server.send('GET', '/health')
  assert.equal((await read<unknown[]>(server, '/logs')).length, 10, 'no more are kept than the size')
  await server.send('DELETE', '/gateway/api/logs', { headers: server.credentials })
  const left = await read<{ path: string }[]>(server, '/logs?path=health')
  assert.deepEqual(left, [])
})

it('a list of the log has 50 entries unless it is told otherwise', async () => {
  const server = plain()
  for (let at = 0; at < 120; at += 1) await server.send('GET', '/health')
  await until('all have ended', async () => (await read<unknown[]>(server, '/logs?limit=0')).length === 100)
  assert.equal((await read<unknown[]>(server, '/logs')).length, 50)
  assert.equal((await read<unknown[]>(server, '/logs?limit=100')).length, 100)
})

describe('the history', () => {
  const history = (server: TestHost, query = '') => read<Entry[]>(server, `/metrics/history${query}`)
  const isOld = ({ timestamp }: Entry) => timestamp < Date.now() - 1_000_000

  /** Writes as many entries as there are seconds, all of earlier. */
  function writeRows(server: TestHost, count: number): void {
    const database = openSqlite({ file: join(server.dataDirectory, 'modula.db'), busyTimeoutMs: 1000 })
    const start = Date.now() - 10_000_000
    const insert = database.prepare('insert into gateway_metrics_history values (?, ?, ?, ?, ?)')
    database.exec('begin')
    for (let at = 0; at < count; at += 1) insert.run(start + at * 1000, at, 0, at, 1)
    database.exec('commit')
    database.close()
  }

  it('has what was counted each second, newest first, for an hour, until it is deleted, whatever restarts', async () => {
    const server = watched()
    await server.send('GET', '/health')
    await until('two entries', async () => (await history(server)).length >= 2)
    const before = await history(server)
    for (const [at, entry] of before.entries()) {
      assert.deepEqual(Object.keys(entry), [
        'timestamp',
        'totalRequests',
        'blockedRequests',
        'allowedRequests',
        'activeBuckets',
      ])
      assert.ok(at === 0 || entry.timestamp < Number(before[at - 1]?.timestamp))
    }
    const [latest] = before
    assert.ok(Number(latest?.totalRequests) >= 1)
    assert.equal(latest?.allowedRequests, latest?.totalRequests)

    const stream = await open(server)
    await snapshot(stream)
    await server.close()
    await until('the stream is over, and was not waited for', () => stream.isOver)
    writeRows(server, monitorLimits.historyMax + 100)
    await server.restart()
    const after = await history(server, '?limit=0')
    const place = after.findIndex(({ timestamp }) => timestamp === before[0]?.timestamp)
    assert.deepEqual(after.slice(place, place + before.length), before, 'nothing is lost')
    assert.equal(new Set(after.map(({ timestamp }) => timestamp)).size, after.length, 'and nothing doubled')
    assert.ok(after.slice(place + before.length).every((entry) => isOld(entry) || entry.totalRequests >= 0))

    assert.equal((await history(server)).length, 60)
    assert.equal((await history(server, '?limit=1')).length, 1)
    assert.equal((await history(server, '?limit=3600')).length, 3600)
    assert.equal(after.length, 3600)
    const [newest] = await history(server, '?limit=1')
    assert.ok(Number(newest?.totalRequests) >= 0)
    assert.ok(
      after.every((entry) => entry.totalRequests >= 100 || !isOld(entry)),
      'the oldest have gone',
    )

    assert.ok(after.filter(isOld).length > 3500)
    const cleared = await server.send('DELETE', '/gateway/api/metrics/history', {
      headers: server.credentials,
    })
    assert.deepEqual(cleared.json(), { cleared: true })
    await server.restart()
    assert.deepEqual((await history(server, '?limit=0')).filter(isOld), [], 'in the file as well')
  })

  it('is empty without a rate limit, and where it is turned off', async () => {
    for (const server of [plain(), brief()]) {
      const stream = await open(server)
      for (let at = 0; at < 3; at += 1) await snapshot(stream)
      stream.close()
      assert.deepEqual(await history(server), [])
    }
  })
})
