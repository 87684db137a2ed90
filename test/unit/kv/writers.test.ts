import assert from 'node:assert/strict'
import { once } from 'node:events'
import { it } from 'node:test'
import { Worker } from 'node:worker_threads'
import { openKvFixture } from '../../helpers/kv-service.js'
import type { WriterOrders } from './kv-worker.js'

const rounds = 150
const names = ['one', 'two', 'three']

it('no update is lost between threads, and every check has exactly one winner', async (test) => {
  const { service, file, signal, close } = await openKvFixture()
  test.after(close)
  const kv = service.namespace('race')
  const follower = kv.watch({ keys: [['summed']] }, { initial: false })[Symbol.asyncIterator]()
  const workers = names.map((name) => {
    const workerData: WriterOrders = { file, signal: signal.memory, namespace: kv.namespace, name, rounds }
    return new Worker(new URL('./kv-worker.js', import.meta.url), { workerData })
  })
  const own = (async () => {
    let won = 0
    for (let round = 0; round < rounds; round += 1) {
      const counted = await kv.transaction(
        async (transaction) => {
          const { value } = await transaction.get(['checked'])
          transaction.set(['checked'], ((value as number | null) ?? 0) + 1)
        },
        { maxRetries: 100, retryDelay: 1 },
      )
      assert.equal(counted.ok, true)
      await kv.atomic().sum(['summed'], 1).commit()
      const slot = ['slots', round]
      const { ok } = await kv.atomic().check({ key: slot, versionstamp: null }).set(slot, 'own').commit()
      if (ok) won += 1
    }
    return won
  })()
  const wins = await Promise.all([
    own,
    ...workers.map(async (worker) => {
      const [won] = (await once(worker, 'message')) as [number]
      await worker.terminate()
      return won
    }),
  ])
  const total = rounds * (names.length + 1)
  assert.equal((await kv.get(['checked'])).value, total)
  assert.equal((await kv.get(['summed'])).value, total)
  assert.equal(
    wins.reduce((sum, won) => sum + won, 0),
    rounds,
  )
  assert.equal(await kv.count(['slots']), rounds)
  // The watcher saw every commit of every thread, in order.
  const seen: unknown[] = []
  while (seen.length < total) {
    const { value } = await follower.next()
    seen.push(...(value?.changes.map((change: { readonly value: unknown }) => change.value) ?? []))
  }
  assert.deepEqual(
    seen,
    Array.from({ length: total }, (_, at) => at + 1),
  )
  await follower.return?.()
})
