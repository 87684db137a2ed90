import assert from 'node:assert/strict'
import { test } from 'node:test'
import { poolFigureLimits } from '../../../src/base/limits/telemetry.js'
import { PoolFigures, type ServingPlugin } from '../../../src/telemetry/pool-figures.js'

function world() {
  const clock = { nowMs: 5500 }
  const serving: ServingPlugin[] = []
  const figures = new PoolFigures(() => clock.nowMs)
  const start = () =>
    figures.follow({
      all: () => serving,
      versionOf: (plugin) => serving.find(({ name }) => name === plugin)?.version,
    })
  const serve = (name: string, version = '1.0.0', callsInFlight = 0) => {
    serving.splice(0, serving.length, ...serving.filter((each) => each.name !== name))
    serving.push({ name, version, vms: 2, callsInFlight })
    figures.look()
  }
  return { clock, serving, figures, start, serve }
}

test('there is no pool before the plugins are started, and zeros, no NaN, before the first request', () => {
  const { figures, start } = world()
  assert.equal(figures.pool(), undefined)
  assert.deepEqual(figures.workers(), {})
  start()
  const { memoryUsageMB, ...rest } = figures.pool() ?? assert.fail('no pool')
  assert.ok(memoryUsageMB > 0)
  assert.deepEqual(rest, {
    activeWorkers: 0,
    avgResponseTimeMs: 0,
    hitRate: 0,
    hits: 0,
    misses: 0,
    requestsPerSecond: 0,
    totalRequests: 0,
    totalWorkersCreated: 0,
    totalWorkersFailed: 0,
    totalWorkersRetired: 0,
    uptimeMs: 0,
  })
})

test('requests are counted for the version that serves, and for all together', () => {
  const { figures, start, serve, clock } = world()
  start()
  serve('shop')
  serve('quiet', '2.0.0', 1)
  clock.nowMs += 1000
  figures.answered('shop', 200, 10)
  figures.answered('shop', 500, 30)
  figures.answered('shop', 503, 20)
  figures.missed()
  figures.refused()
  clock.nowMs += 500
  const pool = figures.pool()
  assert.deepEqual(
    [
      pool?.activeWorkers,
      pool?.avgResponseTimeMs,
      pool?.hits,
      pool?.misses,
      pool?.hitRate,
      pool?.totalRequests,
    ],
    [4, 20, 2, 1, 66.67, 4],
  )
  assert.deepEqual(figures.workers(), {
    'shop@1.0.0': {
      ageMs: 1500,
      avgResponseTimeMs: 20,
      errorCount: 2,
      idleMs: 500,
      requestCount: 3,
      status: 'idle',
      totalResponseTimeMs: 60,
    },
    'quiet@2.0.0': {
      ageMs: 1500,
      avgResponseTimeMs: 0,
      errorCount: 0,
      idleMs: 1500,
      requestCount: 0,
      status: 'active',
      totalResponseTimeMs: 0,
    },
  })
})

test('the rate is that of the last seconds, and forgets a storm', () => {
  const { figures, start, serve, clock } = world()
  start()
  serve('shop')
  for (let request = 0; request < 1000; request += 1) {
    figures.answered('shop', 200, 1)
    clock.nowMs += 10
  }
  const during = figures.pool()?.requestsPerSecond ?? 0
  assert.ok(during > 95 && during < 106, String(during))
  clock.nowMs += poolFigureLimits.rateSeconds * 1000
  assert.equal(figures.pool()?.requestsPerSecond, 0)
  assert.equal(figures.pool()?.totalRequests, 1000)
})

test('a former version is offline with its counts; the mean of all is that of the last answers', () => {
  const { figures, start, serve, clock } = world()
  start()
  serve('shop')
  figures.answered('shop', 200, 1_000_000)
  clock.nowMs += 2000
  serve('shop', '1.1.0')
  clock.nowMs += 3000
  for (let answer = 0; answer < poolFigureLimits.answersKept; answer += 1) figures.answered('shop', 200, 4)
  const workers = figures.workers()
  assert.deepEqual(
    [workers['shop@1.0.0']?.status, workers['shop@1.0.0']?.requestCount, workers['shop@1.0.0']?.ageMs],
    ['offline', 1, 2000],
  )
  assert.equal(workers['shop@1.1.0']?.requestCount, poolFigureLimits.answersKept)
  assert.equal(workers['shop@1.1.0']?.ageMs, 3000)
  assert.equal(figures.pool()?.avgResponseTimeMs, 4)
  serve('shop', '1.0.0')
  assert.equal(figures.workers()['shop@1.0.0']?.requestCount, 1, 'it goes on with what it had')
  assert.equal(figures.workers()['shop@1.0.0']?.ageMs, 0)
  assert.equal(figures.workers()['shop@1.1.0']?.status, 'offline')
})

test('versions without end are bounded, and those that serve are not forgotten for them', () => {
  const { figures, start, serve } = world()
  start()
  serve('steady')
  for (let version = 0; version < poolFigureLimits.workersMax + 50; version += 1)
    serve('shop', `1.0.${version}`)
  const keys = Object.keys(figures.workers())
  assert.equal(keys.length, poolFigureLimits.workersMax)
  assert.ok(keys.includes('steady@1.0.0'))
  assert.ok(keys.includes(`shop@1.0.${poolFigureLimits.workersMax + 49}`))
  assert.ok(!keys.includes('shop@1.0.0'))
})
