import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { loginLimits } from '../../../src/base/limits/identity.js'
import { LoginThrottle } from '../../../src/identity/login-throttle.js'

const windowMs = 15 * 60_000

/** A throttle whose clock stands still unless it is told otherwise. */
function world(more: { attempts?: number; perNetwork?: number; keysMax?: number } = {}) {
  const time = { now: 0 }
  const throttle = new LoginThrottle({
    attempts: 10,
    windowMs,
    perNetwork: 100,
    clock: () => time.now,
    ...more,
  })
  /** Fails once; gives 0, or the seconds to wait. */
  const fail = (name: string, network: string): number => {
    const admission = throttle.begin(name, network)
    return admission.kind === 'wait' ? admission.seconds : 0
  }
  const succeed = (name: string, network: string): number => {
    const admission = throttle.begin(name, network)
    if (admission.kind === 'wait') return admission.seconds
    admission.attempt.succeeded()
    return 0
  }
  /** Fails until it has to wait; gives how often it could. */
  const exhaust = (name: string, network: string): number => {
    for (let count = 0; ; count += 1) if (fail(name, network) > 0 || count === 5000) return count
  }
  return { time, throttle, fail, succeed, exhaust }
}

test('after too many failures pauses grow, up to the window', () => {
  const { time, fail, exhaust } = world()
  assert.equal(exhaust('ann', 'a'), 10)
  const pauses: number[] = []
  for (let count = 0; count < 14; count += 1) {
    const seconds = fail('ann', 'a')
    pauses.push(seconds)
    time.now += seconds * 1000 - 1
    assert.ok(fail('ann', 'a') >= 1, 'let through too early')
    time.now += 1
    assert.equal(fail('ann', 'a'), 0, 'not let through after the time that was given')
  }
  assert.equal(pauses[0], loginLimits.firstPauseMs / 1000)
  for (const [at, seconds] of pauses.entries()) {
    assert.equal(seconds, Math.min(windowMs / 1000, 2 ** at * (pauses[0] ?? 0)))
  }
})

test('asking while one has to wait makes nothing worse', () => {
  const { time, fail, exhaust } = world()
  exhaust('ann', 'a')
  const seconds = fail('ann', 'a')
  for (let count = 0; count < 1000; count += 1) assert.equal(fail('ann', 'a'), seconds)
  time.now += seconds * 1000
  assert.equal(fail('ann', 'a'), 0)
})

test('failures are forgotten after a long time without one', () => {
  const { time, exhaust } = world()
  exhaust('ann', 'a')
  time.now += 2 * windowMs
  assert.equal(exhaust('ann', 'a'), 10)
})

test('many tries at once count as if they came one by one', () => {
  const { throttle } = world()
  const admissions = Array.from({ length: 100 }, () => throttle.begin('ann', 'a'))
  assert.equal(admissions.filter(({ kind }) => kind === 'admitted').length, 10)
})

test('a stranger keeps nobody else from signing in, from however many networks', () => {
  const { fail, succeed } = world()
  for (let network = 0; network < 2000; network += 1) {
    for (let count = 0; count < 12; count += 1) fail('ann', `stranger${network}`)
  }
  assert.equal(fail('ann', 'home'), 0, 'the owner may mistype once')
  assert.equal(succeed('ann', 'home'), 0)
})

test('a name that many fail at gets fewer tries from strangers, but not from where its owner was', () => {
  const { exhaust, fail, succeed, time } = world()
  assert.equal(succeed('ann', 'home'), 0)
  for (let network = 0; network < 3; network += 1) assert.equal(exhaust('ann', `stranger${network}`), 10)
  assert.equal(exhaust('ann', 'stranger9'), loginLimits.wariedAttempts)
  assert.equal(exhaust('bob', 'stranger8'), 10, 'another name')
  assert.equal(exhaust('ann', 'home'), 10)
  // Strangers that were let through wait, and are let through again.
  time.now += fail('ann', 'stranger9') * 1000
  assert.equal(fail('ann', 'stranger9'), 0)
  time.now += 2 * windowMs
  assert.equal(exhaust('ann', 'stranger10'), 10)
})

test('success resets the name and not the network', () => {
  const { fail, succeed } = world({ perNetwork: 20 })
  for (let count = 0; count < 9; count += 1) assert.equal(fail('ann', 'a'), 0)
  assert.equal(succeed('ann', 'a'), 0)
  for (let count = 0; count < 9; count += 1) assert.equal(fail('ann', 'a'), 0)
  assert.equal(succeed('ann', 'a'), 0)
  // 18 failures of the network stand: its own account does not buy it more.
  assert.equal(fail('bob', 'a'), 0)
  assert.equal(fail('cid', 'a'), 0)
  assert.ok(fail('dan', 'a') > 0)
  assert.equal(fail('dan', 'b'), 0)
})

test('a network that signs in often is not slowed down', () => {
  const { succeed } = world({ perNetwork: 5 })
  for (let count = 0; count < 1000; count += 1) assert.equal(succeed(`user${count}`, 'office'), 0)
})

test('a network that fails at many names pauses for all of them, as long as it has to', () => {
  const { time, fail } = world()
  for (let count = 0; count < 100; count += 1) assert.equal(fail(`name${count}`, 'a'), 0)
  const seconds = fail('name100', 'a')
  assert.equal(seconds, windowMs / 1000 / 100)
  assert.equal(fail('name100', 'b'), 0)
  time.now += seconds * 1000
  assert.equal(fail('name100', 'a'), 0)
  assert.ok(fail('name101', 'a') > 0)
})

test('a try that was cancelled was none, and takes no other back', () => {
  const { throttle, exhaust, fail } = world({ perNetwork: 12 })
  for (let count = 0; count < 5; count += 1) fail('ann', 'a')
  for (let count = 0; count < 100; count += 1) {
    const admission = throttle.begin('ann', 'a')
    assert.ok(admission.kind === 'admitted')
    admission.attempt.cancelled()
    // Only what is called first counts.
    admission.attempt.cancelled()
    admission.attempt.succeeded()
  }
  assert.equal(exhaust('ann', 'a'), 5)
})

test('spellings of a name are one name, and a long one is no way around', () => {
  const { fail, exhaust } = world()
  exhaust('Ann', 'a')
  for (const spelling of ['ann', 'ANN', 'ａｎｎ']) assert.ok(fail(spelling, 'a') > 0, spelling)
  const long = 'x'.repeat(1_000_000)
  exhaust(long, 'b')
  assert.ok(fail(`${long}y`, 'b') > 0)
})

test('nobody learns from the throttle who has an account', () => {
  const order = fc.array(fc.record({ network: fc.constantFrom('a', 'b', 'c'), passMs: fc.nat(60_000) }), {
    maxLength: 60,
  })
  fc.assert(
    fc.property(order, (steps) => {
      // Nothing here knows of accounts: whatever the name, the answers are the same.
      const answers = ['ann', 'nobody@example.com', '', '\0'].map((name) => {
        const { time, fail } = world({ attempts: 3, perNetwork: 10 })
        return steps.map(({ network, passMs }) => {
          time.now += passMs
          return fail(name, network)
        })
      })
      for (const others of answers) assert.deepEqual(others, answers[0])
    }),
  )
})

test('memory is bounded however many names and networks there are', () => {
  const { throttle, fail } = world({ keysMax: 100 })
  for (let count = 0; count < 5000; count += 1)
    fail(`name${count}${'x'.repeat(1000)}`, `network${count % 700}`)
  assert.ok(throttle.size <= 300, String(throttle.size))
})

test('somebody waits for the window at most, and what they are told is true', () => {
  const step = fc.record({
    name: fc.constantFrom('ann', 'bob'),
    network: fc.constantFrom('a', 'b'),
    outcome: fc.constantFrom('fail', 'fail', 'fail', 'succeed', 'cancel'),
    passMs: fc.oneof(fc.constant(0), fc.nat(20_000)),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const { time, throttle } = world({ attempts: 3, perNetwork: 6 })
      for (const { name, network, outcome, passMs } of steps) {
        time.now += passMs
        const admission = throttle.begin(name, network)
        if (admission.kind === 'wait') {
          assert.ok(Number.isInteger(admission.seconds) && admission.seconds >= 1)
          assert.ok(admission.seconds <= windowMs / 1000)
          time.now += admission.seconds * 1000
          const again = throttle.begin(name, network)
          assert.equal(again.kind, 'admitted')
        } else if (outcome === 'succeed') admission.attempt.succeeded()
        else if (outcome === 'cancel') admission.attempt.cancelled()
      }
    }),
  )
})
