import assert from 'node:assert/strict'
import { it } from 'node:test'
import { openSqlite } from '../../../src/database/sqlite.js'
import { createKvClock } from '../../../src/kv/clock.js'
import { openKvFixture } from '../../helpers/kv-service.js'
import { until } from '../../helpers/until.js'

it('writes wait for a locked file without blocking the loop, and keep their order', async (test) => {
  const { service, file, close } = await openKvFixture()
  test.after(close)
  const kv = service.namespace('busy')
  await kv.set(['k'], 'before')
  const other = openSqlite({ file, busyTimeoutMs: 0 })
  other.exec('begin immediate')
  const settled: string[] = []
  const writes = ['first', 'second'].map((value) => kv.set(['k'], value).then(() => settled.push(value)))
  let turns = 0
  await until('the loop goes round', () => {
    turns += 1
    return turns > 5
  })
  assert.equal(settled.length, 0)
  writes.push(kv.set(['k'], 'third').then(() => settled.push('third')))
  const deleting = kv.delete(['none'], { exact: false })
  assert.equal((await kv.get(['k'])).value, 'before')
  other.exec('rollback')
  other.close()
  await Promise.all(writes)
  assert.deepEqual(settled, ['first', 'second', 'third'])
  assert.deepEqual(await deleting, { deletedCount: 0 })
  assert.equal((await kv.get(['k'])).value, 'third')
})

it('commits that wait are bounded in memory', async (test) => {
  const { service, file, close } = await openKvFixture({ namespaceBytes: 1024 ** 3 })
  test.after(close)
  const kv = service.namespace('flood')
  const other = openSqlite({ file, busyTimeoutMs: 0 })
  other.exec('begin immediate')
  const value = 'x'.repeat(60_000)
  const outcomes = Promise.allSettled(Array.from({ length: 1300 }, (_, at) => kv.set(['k', at % 10], value)))
  await assert.rejects(kv.set(['more'], value), { code: 'KV_OVERLOADED', status: 503 })
  other.exec('rollback')
  other.close()
  const refused = (await outcomes).filter(({ status }) => status === 'rejected')
  assert.ok(refused.length > 0 && refused.length < 400, `${refused.length} were refused`)
  await kv.set(['more'], value)
})

it('closing writes what waits and refuses what comes after', async () => {
  const { service, file, close } = await openKvFixture()
  const kv = service.namespace('closing')
  const write = kv.set(['k'], 1)
  const closing = service.close()
  assert.equal((await write).ok, true)
  await closing
  const refused = { code: 'KV_CLOSED', status: 503 }
  await assert.rejects(kv.get(['k']), refused)
  await assert.rejects(kv.set(['k'], 2), refused)
  await assert.rejects(kv.delete(['k'], { exact: false }), refused)
  await assert.rejects(kv.count(), refused)
  await assert.rejects(kv.queues.dequeue(), refused)
  await assert.rejects(kv.search.createIndex(['p'], { fields: ['t'] }), refused)
  const reader = openSqlite({ file, busyTimeoutMs: 0 })
  assert.deepEqual(reader.prepare('select count(*) as entries from kv_entries').get(), { entries: 1 })
  reader.close()
  await close()
})

it('a caller that awaits one call after the other leaves turns to others', async (test) => {
  const { service, close } = await openKvFixture()
  test.after(close)
  const kv = service.namespace('turns')
  await kv.set(['k'], 1)
  let isRunning = true
  let turns = 0
  const turn = (): void => {
    turns += 1
    if (isRunning) setImmediate(turn)
  }
  const read = async (): Promise<void> => {
    for (let call = 0; call < 20_000; call += 1) await kv.get(['k'])
  }
  const write = async (): Promise<void> => {
    for (let call = 0; call < 2000; call += 1) await kv.set(['n', call % 10], call)
  }
  turn()
  await read()
  const afterReads = turns
  await write()
  isRunning = false
  assert.ok(afterReads > 3, `reads left ${afterReads} turns`)
  assert.ok(turns - afterReads > 3, `writes left ${turns - afterReads} turns`)
})

it('writes of one tick share a transaction, and so one wake-up', async (test) => {
  const { service, signal, close } = await openKvFixture({ sweepIntervalMs: 60_000 })
  test.after(close)
  const kv = service.namespace('group')
  await kv.set(['k'], 1)
  const count = new Int32Array(signal.memory)
  const before = Atomics.load(count, 0)
  const results = await Promise.all(Array.from({ length: 50 }, (_, at) => kv.set(['k', at], at)))
  assert.equal(Atomics.load(count, 0) - before, 1)
  assert.equal(new Set(results.map(({ versionstamp }) => versionstamp)).size, 50)
})

it('a recursive delete leaves what is written while it runs', async (test) => {
  const { service, close } = await openKvFixture()
  test.after(close)
  const kv = service.namespace('deleting')
  for (let from = 0; from < 3000; from += 1000) {
    const atomic = kv.atomic()
    for (let at = from; at < from + 1000; at += 1) atomic.set(['n', at], at)
    await atomic.commit()
  }
  const deleting = kv.delete(['n'], { exact: false })
  await kv.set(['n', 2999], 'new')
  await kv.set(['n', 5000], 'new')
  const { deletedCount } = await deleting
  assert.ok(deletedCount === 2999 || deletedCount === 3000)
  const left: unknown[] = []
  for await (const { key } of kv.list()) left.push(key[1])
  assert.deepEqual(left, [2999, 5000])
})

it('time that goes back does not bring back what has expired', async (test) => {
  let wall = 1_000_000
  const { service, close } = await openKvFixture({
    clock: createKvClock(() => wall),
    sweepIntervalMs: 60_000,
  })
  test.after(close)
  const kv = service.namespace('clock')
  const { versionstamp } = await kv.set(['k'], 1, { expiresIn: 100 })
  wall += 99
  assert.equal((await kv.get(['k'])).value, 1)
  wall += 1
  assert.equal((await kv.get(['k'])).versionstamp, null)
  wall -= 50
  assert.equal((await kv.get(['k'])).versionstamp, null)
  assert.equal(await kv.count(), 0)
  assert.deepEqual(await kv.delete(['k']), { deletedCount: 0 })
  assert.equal(
    (
      await kv
        .atomic()
        .check({ key: ['k'], versionstamp })
        .commit()
    ).ok,
    false,
  )
})

it('expired entries are swept in small commits, and their room comes back', async (test) => {
  const { service, file, close } = await openKvFixture({ sweepIntervalMs: 20 })
  test.after(close)
  const kv = service.namespace('sweep')
  for (let from = 0; from < 2000; from += 1000) {
    const atomic = kv.atomic()
    for (let at = from; at < from + 1000; at += 1) atomic.set(['n', at], at, { expiresIn: 1 })
    await atomic.commit()
  }
  await kv.set(['stays'], 1)
  const reader = openSqlite({ file, busyTimeoutMs: 0 })
  const state = reader.prepare("select entries, bytes from kv_namespaces where name = 'shared:sweep'")
  await until('only one entry is left', () => (state.get() as { entries: number }).entries === 1)
  const { bytes } = state.get() as { bytes: number }
  assert.ok(bytes < 100, `${bytes} bytes are left`)
  reader.close()
})

it('a namespace that is full refuses writes, and not deletes', async (test) => {
  const { service, close } = await openKvFixture({ namespaceBytes: 64 * 1024 })
  test.after(close)
  const kv = service.namespace('quota')
  await kv.set(['a'], 'x'.repeat(40_000))
  await assert.rejects(kv.set(['b'], 'x'.repeat(40_000)), { code: 'KV_QUOTA_EXCEEDED', status: 507 })
  await service.namespace('other').set(['b'], 'x'.repeat(40_000))
  assert.deepEqual(await kv.delete(['a']), { deletedCount: 1 })
  await kv.set(['b'], 'x'.repeat(40_000))
})
