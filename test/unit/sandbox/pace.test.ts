import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { executorLimits } from '../../../src/base/limits/sandbox.js'
import { HostLoad } from '../../../src/sandbox/host-load.js'
import { SharedState } from '../../../src/sandbox/shared-state.js'

function occupy(ms: number): void {
  const endMs = performance.now() + ms
  while (performance.now() < endMs) Math.random()
}

describe('the load of the host', () => {
  it('is high while the event loop has hardly a pause', async () => {
    const load = new HostLoad()
    for (let count = 0; count < 4; count += 1) {
      occupy(executorLimits.hostLoadWindowMs)
      await turn()
    }
    assert.equal(load.isBusy, true)
  })
})

describe('the pace of an executor', () => {
  it('is none until one is set, and none again afterwards', () => {
    const shared = new SharedState()
    assert.equal(shared.restMs, 0)
    shared.setPace(3)
    assert.equal(new SharedState(shared.buffer).restMs, 3)
    shared.setPace(0)
    assert.equal(shared.restMs, 0)
  })

  it('does not rest for a pace that was taken back meanwhile', () => {
    const shared = new SharedState()
    shared.setPace(60_000)
    const { restMs } = shared
    shared.setPace(0)
    // Returns at once; the file's time limit is the proof.
    shared.rest(restMs)
    assert.equal(shared.restMs, 0)
  })
})
