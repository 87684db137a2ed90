import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { openSqlite } from '../../../src/database/sqlite.js'
import type { Kv, KvMessage } from '../../../src/kv/kv.js'
import { type KvFixture, openKvFixture } from '../../helpers/kv-service.js'

async function open(test: TestContext): Promise<KvFixture & { readonly kv: Kv }> {
  const fixture = await openKvFixture()
  test.after(() => fixture.close())
  return { ...fixture, kv: fixture.service.namespace('waits') }
}

it('who waits for messages gets each of them once, in the order in which they waited', async (test) => {
  const { kv } = await open(test)
  const received: (KvMessage | undefined)[] = []
  const waiting = Array.from({ length: 20 }, async () => {
    received.push(await kv.queues.next({ signal: new AbortController().signal }))
  })
  const other = kv.queues.next({ queue: 'other', signal: new AbortController().signal })
  await nextTurn()
  assert.equal(received.length, 0)
  for (let n = 0; n < 20; n += 1) await kv.queues.enqueue(n)
  await Promise.all(waiting)
  assert.deepEqual(
    received.map((message) => message?.value),
    Array.from({ length: 20 }, (_, n) => n),
  )
  await kv.queues.enqueue('mine', { queue: 'other' })
  assert.equal((await other)?.value, 'mine')
})

it('a wait ends with its signal, with a delay, with a lease, and with the store', async (test) => {
  const { kv, service } = await open(test)
  const leaving = new AbortController()
  const left = kv.queues.next({ signal: leaving.signal })
  const { signal } = new AbortController()
  const staying = kv.queues.next({ signal, lease: 20 })
  leaving.abort()
  assert.equal(await left, undefined)
  assert.equal(await kv.queues.next({ signal: leaving.signal }), undefined)
  const { id } = await kv.queues.enqueue('later', { delay: 30 })
  const first = await staying
  const second = await kv.queues.next({ signal })
  assert.deepEqual([first?.id, first?.attempts, second?.id, second?.attempts], [id, 1, id, 2])
  const closed = kv.queues.next({ signal })
  await nextTurn()
  await service.close()
  await assert.rejects(closed, { code: 'KV_CLOSED' })
})

it('messages of another connection, and of another process as it seems, are noticed', async (test) => {
  const { kv, file, signal: commits, service } = await open(test)
  await kv.queues.enqueue('first')
  const { signal } = new AbortController()
  assert.equal((await kv.queues.next({ signal }))?.value, 'first')
  const waiting = kv.queues.next({ signal })
  await nextTurn()
  const other = openSqlite({ file, busyTimeoutMs: 5000 })
  test.after(() => other.close())
  // A copy of the row, made without a word to the signal of this process.
  other.exec(
    `insert into kv_messages (namespace, queue, kind, due_at, backoff, fallback_keys, bytes, created_at, value)
     select namespace, queue, kind, 0, backoff, fallback_keys, bytes, created_at, '"second"' from kv_messages`,
  )
  assert.equal((await waiting)?.value, 'second')
  assert.ok(commits.memory.byteLength > 0)
  assert.deepEqual(await service.names(), ['shared:waits'])
})

it('several keys are deleted in one commit, filtered or not, and what is below them in the end', async (test) => {
  const { kv } = await open(test)
  for (const n of [1, 2, 3, 4]) await kv.set(['n', n], { n })
  const since = (await kv.set(['n'], { n: 0 })).versionstamp
  assert.deepEqual(
    await kv.deleteMany([['n', 1], ['n', 2], ['n', 1], ['none']], { where: { n: { $lt: 2 } } }),
    {
      deletedCount: 1,
    },
  )
  assert.deepEqual(
    await kv.deleteMany([
      ['n', 2],
      ['n', 3],
    ]),
    { deletedCount: 2 },
  )
  const { changes, reset } = await kv.changes({ prefix: ['n'] }, { since })
  assert.equal(reset, false)
  assert.deepEqual(
    changes.map(({ type, key }) => [type, key[1]]),
    [
      ['delete', 1],
      ['delete', 2],
      ['delete', 3],
    ],
  )
  assert.equal(changes[1]?.versionstamp, changes[2]?.versionstamp)
  assert.deepEqual(await kv.deleteMany([['n']], { exact: false }), { deletedCount: 2 })
  assert.deepEqual((await kv.changes({ prefix: [] })).changes, [])
})

it('a look gives all that there is, or says that it is too much', async (test) => {
  const { kv } = await open(test)
  for (let n = 0; n < 100; n += 1) await kv.set(['big', n], 'x'.repeat(60_000))
  const all = await kv.changes({ prefix: ['big'] })
  assert.deepEqual([all.reset, all.isComplete, all.changes.length], [true, true, 100])
  // A versionstamp that the store has never given is too far ahead.
  const ahead = await kv.changes({ prefix: ['big', 0] }, { since: 'fffff'.padStart(20, '0') })
  assert.deepEqual([ahead.reset, ahead.changes.length], [true, 1])
  for (let n = 100; n < 150; n += 1) await kv.set(['big', n], 'x'.repeat(60_000))
  await assert.rejects(kv.changes({ prefix: ['big'] }), { code: 'KV_RESET_TOO_LARGE', status: 413 })
})
