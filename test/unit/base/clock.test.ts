import assert from 'node:assert/strict'
import { once } from 'node:events'
import { it } from 'node:test'
import { Worker } from 'node:worker_threads'
import { createMonotonicClock } from '../../../src/base/clock.js'

it('the clocks of two threads agree: one that has just started is not behind', async (test) => {
  const code = `
    const { parentPort, workerData } = require('node:worker_threads')
    import(workerData).then(({ createMonotonicClock }) => {
      const clock = createMonotonicClock()
      parentPort.on('message', () => parentPort.postMessage(clock()))
      parentPort.postMessage('ready')
    })
  `
  const clock = createMonotonicClock()
  for (let round = 0; round < 5; round += 1) {
    const workerData = new URL('../../../src/base/clock.js', import.meta.url).href
    const worker = new Worker(code, { eval: true, workerData })
    test.after(() => worker.terminate())
    await once(worker, 'message')
    for (let message = 0; message < 50; message += 1) {
      const beforeMs = clock()
      worker.postMessage('now')
      const [thereMs] = await once(worker, 'message')
      const afterMs = clock()
      assert.ok(thereMs >= beforeMs - 0.1, `behind by ${beforeMs - thereMs} ms`)
      assert.ok(thereMs <= afterMs + 0.1, `ahead by ${thereMs - afterMs} ms`)
    }
  }
})

it('a clock never goes back', () => {
  const clock = createMonotonicClock()
  let lastMs = clock()
  for (let count = 0; count < 10_000; count += 1) {
    const nowMs = clock()
    assert.ok(nowMs >= lastMs)
    lastMs = nowMs
  }
})
