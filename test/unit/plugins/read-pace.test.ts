import assert from 'node:assert/strict'
import { it } from 'node:test'
import { coreLimits } from '../../../src/base/limits/content.js'
import { ReadPace } from '../../../src/plugins/read-pace.js'

/** Keeps the thread for some time, as a statement does. */
async function busy(ms: number): Promise<number> {
  const end = performance.now() + ms
  while (performance.now() < end);
  return ms
}

it('a plugin that reads without end takes only a part of the thread', async () => {
  const pace = new ReadPace()
  const startMs = performance.now()
  const reads = await Promise.all(Array.from({ length: 5 }, () => pace.run('greedy', 60_000, () => busy(20))))
  assert.equal(reads.length, 5)
  // Four rests lie between five reads.
  assert.ok(performance.now() - startMs >= 5 * 20 + 4 * 20 * coreLimits.restFactor - 5)
})

it('plugins do not wait for one another, and short reads not at all', async () => {
  const pace = new ReadPace()
  await pace.run('greedy', 60_000, () => busy(100))
  const order: string[] = []
  const greedy = pace.run('greedy', 60_000, async () => order.push('greedy'))
  const modest = Array.from({ length: 100 }, () =>
    pace.run('modest', 60_000, async () => order.push('modest')),
  )
  await Promise.all([greedy, ...modest])
  assert.equal(order.length, 101)
  assert.equal(order.at(-1), 'greedy')
})

it('a read that fails has its error, rests like others, and the next one runs', async () => {
  const pace = new ReadPace()
  const failing = pace.run('a', 60_000, async () => {
    await busy(20)
    throw new Error('stopped')
  })
  const startMs = performance.now()
  const next = pace.run('a', 60_000, async () => performance.now())
  await assert.rejects(failing, /stopped/)
  assert.ok((await next) - startMs >= 20 * coreLimits.restFactor - 5)
})

it('a read whose caller has gone does not run', async () => {
  const pace = new ReadPace()
  const first = pace.run('a', 60_000, () => busy(30))
  let ran = false
  const late = pace.run('a', 10, async () => {
    ran = true
  })
  await assert.rejects(late, /waited for other reads/)
  await first
  assert.equal(ran, false)
  assert.equal(await pace.run('a', 60_000, async () => 7), 7)
})
