import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { metricsPrefixes } from '../../src/admin/metrics-operations.js'
import type { PoolShown, WorkerShown } from '../../src/telemetry/pool-figures.js'
import { plugin, startHost, type TestHost, useHost } from '../helpers/create-host.js'
import { openStream } from '../helpers/event-stream.js'

interface Stats {
  readonly pool: PoolShown
  readonly workers: Readonly<Record<string, WorkerShown>>
}

const worker = (version = '1.0.0') =>
  plugin(
    'worker',
    `
local public = { public = true }
http.handle("GET", "/ok", function() return { json = {} } end, public)
http.handle("GET", "/raise", function() error("no") end, public)
http.handle("GET", "/guarded", function() return {} end)
`,
    version,
  )
const plugins = { 'worker/init.lua': worker(), 'quiet/init.lua': plugin('quiet', '') }

async function read(host: TestHost, path = `${metricsPrefixes[0]}/stats`): Promise<Stats> {
  const answer = await host.send('GET', path, { headers: host.credentials })
  assert.equal(answer.status, 200, answer.text)
  assert.match(String(answer.headers['content-type']), /^application\/json/)
  return answer.json<Stats>()
}

describe('the figures of plugins', () => {
  const server = useHost({ plugins, config: { plugin_executors: 2 } })

  it('are those of what really happened', async () => {
    const host = server()
    const before = await read(host)
    assert.deepEqual(Object.keys(before.workers).sort(), ['quiet@1.0.0', 'worker@1.0.0'])
    assert.equal(before.pool.totalRequests, 0)
    assert.equal(before.workers['worker@1.0.0']?.avgResponseTimeMs, 0)
    for (const path of ['ok', 'ok', 'raise', 'guarded', 'nothing', 'ok'])
      await host.call('GET', `/worker/${path}`)
    await host.call('GET', '/nobody/x')
    const { pool, workers } = await read(host)
    assert.equal(pool.totalRequests, 6, 'what names no plugin is no request to one')
    assert.deepEqual([pool.hits, pool.misses, pool.hitRate], [4, 0, 100])
    assert.ok(pool.activeWorkers >= 2)
    assert.ok(pool.totalWorkersCreated >= pool.totalWorkersRetired + 1)
    assert.ok(pool.avgResponseTimeMs > 0 && pool.requestsPerSecond > 0 && pool.uptimeMs > 0)
    const found = workers['worker@1.0.0']
    assert.deepEqual([found?.requestCount, found?.errorCount, found?.status], [4, 1, 'idle'])
    assert.equal(workers['quiet@1.0.0']?.requestCount, 0)
    const { totalResponseTimeMs = 0, avgResponseTimeMs = 0, ageMs = 0, idleMs = 0 } = found ?? {}
    assert.ok(Math.abs(totalResponseTimeMs / 4 - avgResponseTimeMs) < 0.02)
    assert.ok(ageMs > idleMs)
  })

  for (const prefix of metricsPrefixes) {
    const cases = [
      ['GET', '', 200],
      ['GET', '/', 200],
      ['GET', '/stats', 200],
      ['HEAD', '/stats', 200],
      ['HEAD', '/sse', 404],
      ['POST', '/stats', 404],
      ['DELETE', '/', 404],
      ['GET', '/none', 404],
      ['GET', '/%zz', 400],
      ['GET', '/prometheus', 200],
    ] as const
    for (const [method, path, status] of cases) {
      it(`${method} ${prefix}${path} is ${status} for an admin, and nothing for others`, async () => {
        const host = server()
        const answer = await host.send(method, prefix + path, { headers: host.credentials })
        assert.equal(answer.status, status, answer.text)
        const strangers = [
          {},
          { authorization: 'Bearer wrong' },
          { cookie: host.credentials.authorization ?? '' },
        ]
        for (const headers of strangers) {
          const refused = await host.send(method, prefix + path, { headers })
          assert.equal(refused.status, status === 400 ? 400 : 401)
          assert.ok(!refused.text.includes('worker@'), refused.text)
        }
      })
    }

    it(`${prefix} has the same figures in all of its forms`, async () => {
      const host = server()
      const { pool } = await read(host, `${prefix}/stats`)
      const alone = (await read(host, `${prefix}/`)) as unknown as PoolShown
      assert.equal(alone.totalRequests, pool.totalRequests)
      const text = await host.send('GET', `${prefix}/prometheus`, { headers: host.credentials })
      assert.match(text.text, /plugin_http_requests_total\{plugin="worker"/)
      const stream = await openStream(`${host.url}${prefix}/sse`, host.credentials)
      assert.equal(stream.status, 200)
      const first = JSON.parse((await stream.next('message'))?.data ?? '') as Stats
      assert.equal(first.pool.totalRequests, pool.totalRequests)
      assert.ok(first.workers['worker@1.0.0'])
      await host.call('GET', '/worker/ok')
      const second = JSON.parse((await stream.next('message'))?.data ?? '') as Stats
      assert.equal(second.pool.totalRequests, pool.totalRequests + 1)
      stream.close()
      const refused = await openStream(`${host.url}${prefix}/sse`, {})
      assert.equal(refused.status, 401)
      refused.close()
    })
  }

  it('stand in the OpenAPI document once', async () => {
    const host = server()
    const answer = await host.send('GET', '/api/v1/openapi.json')
    const paths = Object.keys(answer.json<{ paths: object }>().paths)
    const [first, second] = metricsPrefixes
    for (const path of ['/', '/stats', '/sse']) assert.ok(paths.includes(first + path), first + path)
    assert.ok(!paths.some((path) => path.startsWith(second)))
  })
})

it('a version that was replaced is offline, and keeps its counts; streams end when the host closes, which does not wait for them', async (t) => {
  const host = await startHost(t, { plugins })
  await host.call('GET', '/worker/ok')
  await host.write({ 'worker/init.lua': worker('1.1.0') })
  await host.admin('POST', '/worker/reload')
  await host.approveAll()
  const { workers } = await read(host)
  assert.deepEqual([workers['worker@1.0.0']?.status, workers['worker@1.0.0']?.requestCount], ['offline', 1])
  assert.deepEqual([workers['worker@1.1.0']?.status, workers['worker@1.1.0']?.requestCount], ['idle', 0])
  const streams = await Promise.all(
    metricsPrefixes.map((prefix) => openStream(`${host.url}${prefix}/sse`, host.credentials)),
  )
  for (const stream of streams) assert.ok(await stream.next('message'))
  await host.close()
  for (const stream of streams) assert.equal(await stream.next('none'), undefined)
})
