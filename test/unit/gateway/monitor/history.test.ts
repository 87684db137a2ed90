import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { sql } from 'kysely'
import { createDatabase } from '../../../../src/database/database.js'
import { openSqlite } from '../../../../src/database/sqlite.js'
import { MetricsHistory, type MetricsHistoryOptions } from '../../../../src/gateway/monitor/history.js'
import { gatewayFile, openGatewayDatabase } from '../../../helpers/gateway-server.js'
import { until } from '../../../helpers/until.js'

/** Starts a history with one entry in a few milliseconds, each a second after the one before by its own clock. */
async function startHistory(
  test: TestContext,
  options: Pick<MetricsHistoryOptions, 'database'> & Partial<MetricsHistoryOptions>,
) {
  const failures: unknown[] = []
  let ticks = 0
  const history = new MetricsHistory({
    read() {
      ticks += 1
      return { totalRequests: ticks, blockedRequests: 0, allowedRequests: ticks, activeBuckets: 1 }
    },
    log: { error: (fields) => failures.push(fields) },
    now: () => 1000 * ticks,
    everyMs: 2,
    saveEveryMs: 3_600_000,
    ...options,
  })
  test.after(() => history.close())
  await history.start()
  return { history, failures }
}

it('what was counted is there again after a restart, and no more than is kept', async (test) => {
  const file = gatewayFile(test)
  const database = await createDatabase({ file })
  const first = await startHistory(test, { database, max: 20 })
  await until('there is more than is kept', () => (first.history.query(1)[0]?.timestamp ?? 0) > 30_000)
  await first.history.close()
  const before = first.history.query(0)
  await database.close()
  assert.equal(before.length, 20)
  assert.deepEqual(first.failures, [])

  const again = await openGatewayDatabase(test, file)
  const second = await startHistory(test, { database: again, max: 20, everyMs: 3_600_000 })
  assert.deepEqual(second.history.query(0), before)
  assert.deepEqual(second.history.query(3), before.slice(0, 3))
  const [newest, older] = second.history.query(2)
  assert.equal((newest?.timestamp ?? 0) - (older?.timestamp ?? 0), 1000)
  await second.history.clear()
  assert.deepEqual(second.history.query(0), [])
  const rows = await again.kysely.selectFrom('gateway_metrics_history').selectAll().execute()
  assert.deepEqual(rows, [])
})

it('a locked database costs no entry: they are written once it is free', async (test) => {
  const file = gatewayFile(test)
  const database = await createDatabase({ file, busyRetryMs: 20 })
  test.after(() => database.close())
  const { history, failures } = await startHistory(test, { database, saveEveryMs: 5 })
  const locker = openSqlite({ file, busyTimeoutMs: 0 })
  test.after(() => locker.close())
  locker.exec('begin immediate')
  await until('writing has failed', () => failures.length > 0)
  locker.exec('commit')
  const seen = history.query(0).length
  await until('all are written', async () => {
    const rows = await database.kysely.selectFrom('gateway_metrics_history').select('timestamp').execute()
    return rows.length >= seen
  })
  await history.close()
  const rows = await database.kysely
    .selectFrom('gateway_metrics_history')
    .select('timestamp')
    .orderBy('timestamp', 'desc')
    .execute()
  assert.deepEqual(
    rows.map(({ timestamp }) => timestamp),
    history.query(0).map(({ timestamp }) => timestamp),
  )
})

it('a clock that is set back leaves neither two orders nor entries of the future', async (test) => {
  const database = await openGatewayDatabase(test)
  let nowMs = 1_000_000
  const { history } = await startHistory(test, { database, saveEveryMs: 3, now: () => nowMs++ })
  const written = () => database.kysely.selectFrom('gateway_metrics_history').select('timestamp').execute()
  await until('some are written', async () => (await written()).length > 3)
  nowMs = 500_000
  await until('the clock is followed', () => (history.query(1)[0]?.timestamp ?? Infinity) < 600_000)
  await history.close()
  const times = history.query(0).map(({ timestamp }) => timestamp)
  assert.ok(times.every((time) => time < 600_000))
  const kept = (await written()).map(({ timestamp }) => timestamp)
  assert.deepEqual(
    kept.sort((left, right) => right - left),
    times,
  )
})

it('without a rate limit there is no history, and what fails is logged and not raised', async (test) => {
  const database = await openGatewayDatabase(test)
  const none = await startHistory(test, { database, read: undefined })
  assert.deepEqual(none.history.query(0), [])
  await none.history.clear()
  const read = () => {
    throw new Error('no figures')
  }
  const failing = await startHistory(test, { database, read })
  await until('it is logged', () => failing.failures.length > 0)
  await database.close()
  const closed = await startHistory(test, { database })
  await until('it counts', () => closed.history.query(0).length > 0)
  await closed.history.close()
  assert.equal(closed.failures.length, 2)
  await assert.rejects(closed.history.clear(), { code: 'DATABASE_CLOSED' })
})

it('a full disk costs no entry: it is told, and what waits is written once there is room', async (test) => {
  const file = gatewayFile(test)
  const database = await openGatewayDatabase(test, file)
  const pages = async (count: number) =>
    sql<unknown>`pragma max_page_count = ${sql.lit(count)}`.execute(database.kysely)
  await pages(1)
  const { history, failures } = await startHistory(test, { database, saveEveryMs: 20, everyMs: 1 })
  await until('there is no room left', () => failures.length > 1)
  assert.match(JSON.stringify(failures[0]), /full/)
  const before = history.query(0)
  assert.deepEqual(
    before.map(({ totalRequests }) => totalRequests),
    before.map((_, at) => before.length - at),
  )
  await pages(1_000_000)
  const count = failures.length
  const stored = () => database.kysely.selectFrom('gateway_metrics_history').select('timestamp').execute()
  const rows = await until('all is written', async () => {
    const found = await stored()
    return found.length >= before.length && found
  })
  assert.equal(rows[0]?.timestamp, 1000)
  assert.ok(failures.length <= count + 1, 'nothing fails once there is room')
})
