import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { PluginBreaker } from '../../../src/plugins/breaker.js'

const resetMs = 60_000

function createBreaker(t: TestContext, failuresMax = 3) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const trips: number[] = []
  const breaker = new PluginBreaker({ failuresMax, resetMs, onTrip: (failures) => trips.push(failures) })
  t.after(() => breaker.close())
  const fail = (times: number) => {
    for (let count = 0; count < times; count += 1) {
      const ticket = breaker.tryEnter()
      assert.notEqual(ticket, 'refused')
      if (ticket !== 'refused') breaker.failure(ticket)
    }
  }
  return { breaker, trips, fail, wait: (ms: number) => t.mock.timers.tick(ms) }
}

describe('the breaker of a plugin', () => {
  it('opens at the last failure in a row and not before', (t) => {
    const { breaker, trips, fail } = createBreaker(t)
    fail(2)
    assert.equal(breaker.state, 'closed')
    assert.equal(breaker.failures, 2)
    assert.equal(breaker.retryAfterSeconds, 0)
    fail(1)
    assert.equal(breaker.state, 'open')
    assert.equal(breaker.tryEnter(), 'refused')
    assert.equal(breaker.refuses, true)
    assert.deepEqual(trips, [3])
    assert.ok(breaker.retryAfterSeconds > 0 && breaker.retryAfterSeconds <= 60)
  })

  it('forgets failures at a success, and not at an outcome that says nothing', (t) => {
    const { breaker, fail } = createBreaker(t)
    fail(2)
    breaker.neutral('pass')
    assert.equal(breaker.failures, 2)
    breaker.success('pass')
    assert.equal(breaker.failures, 0)
    fail(2)
    assert.equal(breaker.state, 'closed')
  })

  it('lets exactly one probe through after its time', (t) => {
    const { breaker, fail, wait } = createBreaker(t)
    fail(3)
    wait(resetMs - 1)
    assert.equal(breaker.tryEnter(), 'refused')
    wait(1)
    assert.equal(breaker.state, 'half-open')
    assert.equal(breaker.refuses, false)
    assert.equal(breaker.tryEnter(), 'probe')
    assert.equal(breaker.refuses, true)
    assert.equal(breaker.tryEnter(), 'refused')
    assert.equal(breaker.retryAfterSeconds, 1)
  })

  it('closes when the probe succeeds', (t) => {
    const { breaker, fail, wait } = createBreaker(t)
    fail(3)
    wait(resetMs)
    assert.equal(breaker.tryEnter(), 'probe')
    breaker.success('probe')
    assert.equal(breaker.state, 'closed')
    assert.equal(breaker.failures, 0)
    assert.equal(breaker.tryEnter(), 'pass')
  })

  it('opens again for the whole time when the probe fails', (t) => {
    const { breaker, trips, fail, wait } = createBreaker(t)
    fail(3)
    wait(resetMs)
    fail(1)
    assert.equal(breaker.state, 'open')
    assert.deepEqual(trips, [3, 4])
    wait(resetMs - 1)
    assert.equal(breaker.tryEnter(), 'refused')
    wait(1)
    assert.equal(breaker.tryEnter(), 'probe')
  })

  it('lets the next call probe when the probe says nothing', (t) => {
    const { breaker, fail, wait } = createBreaker(t)
    fail(3)
    wait(resetMs)
    assert.equal(breaker.tryEnter(), 'probe')
    breaker.neutral('probe')
    assert.equal(breaker.state, 'half-open')
    assert.equal(breaker.tryEnter(), 'probe')
  })

  it('does not listen to calls that passed before it opened', (t) => {
    const { breaker, fail, wait } = createBreaker(t)
    fail(3)
    breaker.success('pass')
    assert.equal(breaker.state, 'open')
    breaker.failure('pass')
    assert.equal(breaker.failures, 3)
    wait(resetMs)
    breaker.success('pass')
    breaker.failure('pass')
    assert.equal(breaker.state, 'half-open')
  })

  it('does not let a probe from before decide a later state', (t) => {
    const { breaker, fail, wait } = createBreaker(t)
    fail(3)
    wait(resetMs)
    assert.equal(breaker.tryEnter(), 'probe')
    breaker.trip()
    assert.equal(breaker.state, 'open')
    breaker.success('probe')
    assert.equal(breaker.state, 'open')
    wait(resetMs)
    assert.equal(breaker.tryEnter(), 'probe')
    breaker.reset()
    breaker.failure('probe')
    assert.equal(breaker.state, 'closed')
    assert.equal(breaker.failures, 0)
  })

  it('is opened by trip and closed by reset', (t) => {
    const { breaker, trips, fail, wait } = createBreaker(t)
    breaker.trip()
    breaker.trip()
    assert.equal(breaker.state, 'open')
    assert.deepEqual(trips, [0])
    breaker.reset()
    assert.equal(breaker.state, 'closed')
    assert.equal(breaker.tryEnter(), 'pass')
    wait(resetMs)
    assert.equal(breaker.state, 'closed')
    fail(2)
    breaker.reset()
    assert.equal(breaker.failures, 0)
  })

  it('refuses everything once it is closed for good, and has no timer left', (t) => {
    const { breaker, fail, wait } = createBreaker(t)
    fail(3)
    breaker.close()
    breaker.close()
    wait(resetMs)
    breaker.reset()
    breaker.trip()
    assert.equal(breaker.tryEnter(), 'refused')
    assert.equal(breaker.state, 'open')
  })

  it('opens at the first failure when one is the limit', (t) => {
    const { breaker, fail } = createBreaker(t, 1)
    fail(1)
    assert.equal(breaker.state, 'open')
  })
})
