import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { executorLimits } from '../../../src/base/limits/sandbox.js'
import { Reputation } from '../../../src/sandbox/reputation.js'
import { call, createSandboxFixture } from '../../helpers/sandbox-fixture.js'

describe('the reputation of a plugin', () => {
  it('does not suffer from a rare call that the machine has delayed', () => {
    const reputation = new Reputation()
    for (let count = 0; count < 100; count += 1) reputation.noteCall(1)
    reputation.noteOverrun(1)
    assert.equal(reputation.isSuspect(1), false)
  })

  it('is gone when many of its calls overrun, and comes back in time', () => {
    const reputation = new Reputation()
    for (let count = 0; count < 10; count += 1) {
      reputation.noteCall(1)
      reputation.noteOverrun(1)
    }
    assert.equal(reputation.isSuspect(1), true)
    const halfLife = executorLimits.reputationHalfLifeMs
    assert.equal(reputation.isSuspect(1 + halfLife), true)
    assert.equal(reputation.isSuspect(1 + 10 * halfLife), false)
  })

  it('cannot be bought back by calls of long ago', () => {
    const reputation = new Reputation()
    for (let count = 0; count < 1_000_000; count += 1) reputation.noteCall(1)
    const later = 1 + 30 * executorLimits.reputationHalfLifeMs
    reputation.noteCall(later)
    reputation.noteOverrun(later)
    assert.equal(reputation.isSuspect(later), true)
  })
})

describe('calls that overrun', () => {
  it('are ended when there are more of them than threads and others wait', async (test) => {
    const { load } = await createSandboxFixture(test, { executors: 1 })
    const spin = "probe.on('spin', function() while true do end end)"
    const settings = { timeoutMs: 5000, instructionsMax: Number.MAX_SAFE_INTEGER }
    const bad = [
      await load('a', spin, settings),
      await load('b', spin, settings),
      await load('c', spin, settings),
    ]
    const good = await load('good', "probe.on('echo', function(body) return body end)")
    let spinning = bad.length
    const spins = bad.map((generation) => call(generation, 'spin').finally(() => (spinning -= 1)))
    let served = 0
    while (spinning > 0) {
      const outcome = await call(good, 'echo', 'x')
      if (outcome.ok) served += 1
      else assert.equal(outcome.code, 'POOL_EXHAUSTED')
    }
    const codes = (await Promise.all(spins)).map((outcome) => (outcome.ok ? 'ok' : outcome.code))
    assert.ok(codes.includes('EVICTED'), codes.join())
    assert.ok(served > 0, `served ${served}`)
  })

  it('go on when nobody waits', async (test) => {
    const { load } = await createSandboxFixture(test, { executors: 1 })
    const burn = "probe.on('burn', function() local n = 0 for i = 1, 3e6 do n = n + i end return 'done' end)"
    const slow = [await load('a', burn), await load('b', burn)]
    const outcomes = await Promise.all(slow.map((generation) => call(generation, 'burn')))
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.code)),
      ['ok', 'ok'],
    )
  })
})
