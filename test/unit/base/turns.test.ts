import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Deferred } from '../../../src/base/deferred.js'
import { Turns } from '../../../src/base/turns.js'

test('work waits for all that was given before, whether it fails or not', async () => {
  const turns = new Turns()
  const steps: string[] = []
  const first = new Deferred<void>()
  const failing = turns.take(async () => {
    steps.push('first begins')
    await first.promise
    steps.push('first ends')
    throw new Error('no')
  })
  const second = turns.take(async () => {
    steps.push('second')
    return 2
  })
  const ended = turns.ended().then(() => steps.push('all ended'))
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(steps, ['first begins'], 'nothing else has begun')
  first.resolve(undefined)
  await assert.rejects(failing, /no/)
  assert.equal(await second, 2)
  await ended
  assert.deepEqual(steps, ['first begins', 'first ends', 'second', 'all ended'])
})

test('work that throws at once fails its own promise alone', async () => {
  const turns = new Turns()
  const failing = turns.take(() => {
    throw new Error('at once')
  })
  await assert.rejects(failing, /at once/)
  assert.equal(await turns.take(async () => 'next'), 'next')
})
