import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { rateLimits } from '../../../src/base/limits/server.js'
import { createTokenBuckets, type TokenBucketOptions } from '../../../src/base/token-buckets.js'

/** Buckets on a clock that the test moves. */
function withClock(options: Omit<TokenBucketOptions, 'clock'>, startMs = 1_234_567.891) {
  const time = { nowMs: startMs }
  return { time, buckets: createTokenBuckets({ ...options, clock: () => time.nowMs }) }
}

test('a key starts with its burst, then gains tokens at its rate', () => {
  const { time, buckets } = withClock({ perSecond: 100, burst: 100 })
  for (let i = 0; i < 100; i++) assert.equal(buckets.take('a'), true, `token ${i + 1}`)
  assert.equal(buckets.take('a'), false)
  time.nowMs += 9
  assert.equal(buckets.take('a'), false)
  time.nowMs += 1
  assert.equal(buckets.take('a'), true)
  assert.equal(buckets.take('a'), false)
  time.nowMs += 3_600_000
  for (let i = 0; i < 100; i++) assert.equal(buckets.take('a'), true)
  assert.equal(buckets.take('a'), false, 'no more than the burst is saved up')
})

test('a refused take costs nothing', () => {
  const { time, buckets } = withClock({ perSecond: 1, burst: 1 })
  assert.equal(buckets.take('a'), true)
  for (let i = 0; i < 1000; i++) assert.equal(buckets.take('a'), false)
  time.nowMs += 1000
  assert.equal(buckets.take('a'), true)
})

test('keys do not share tokens', () => {
  const { buckets } = withClock({ perSecond: 1, burst: 1 })
  assert.equal(buckets.take('a'), true)
  assert.equal(buckets.take('b'), true)
  assert.equal(buckets.take('a'), false)
  assert.equal(buckets.take('__proto__'), true)
  assert.equal(buckets.take('__proto__'), false)
})

test('the time to wait is what it takes until the next token', () => {
  const { time, buckets } = withClock({ perSecond: 0.5, burst: 2 })
  assert.equal(buckets.waitMs('a'), 0)
  buckets.take('a')
  assert.equal(buckets.waitMs('a'), 0)
  buckets.take('a')
  const waitMs = buckets.waitMs('a')
  assert.ok(Math.abs(waitMs - 2000) < 1)
  time.nowMs += waitMs - 1
  assert.equal(buckets.take('a'), false)
  time.nowMs += 1
  assert.equal(buckets.take('a'), true)
})

test('a rate of zero is unlimited and remembers nobody', () => {
  const { buckets } = withClock({ perSecond: 0, burst: 1 })
  for (let i = 0; i < 1000; i++) assert.equal(buckets.take('a'), true)
  assert.equal(buckets.waitMs('a'), 0)
  assert.equal(buckets.size, 0)
})

test('a rate or burst that makes no sense is refused', () => {
  for (const [perSecond, burst] of [
    [-1, 1],
    [1, 0],
    [1, 0.5],
    [Number.NaN, 1],
    [1, Number.NaN],
    [Number.POSITIVE_INFINITY, 1],
    [1, Number.POSITIVE_INFINITY],
  ] as const) {
    assert.throws(() => createTokenBuckets({ perSecond, burst }), { code: 'RATE_INVALID' })
  }
})

test('no more keys are remembered than the limit, and the one served least recently goes first', () => {
  const { buckets } = withClock({ perSecond: 1, burst: 2, keysMax: 3 })
  for (const key of ['a', 'a', 'b', 'b', 'c', 'c', 'd']) buckets.take(key)
  assert.equal(buckets.size, 3)
  assert.equal(buckets.take('b'), false, 'b is still remembered')
  assert.equal(buckets.take('c'), false, 'c is still remembered')
  assert.equal(buckets.take('a'), true, 'a was forgotten and starts full')
})

test('serving a key that is remembered forgets nobody', () => {
  const { buckets } = withClock({ perSecond: 1, burst: 3, keysMax: 2 })
  for (const key of ['a', 'b', 'a', 'b', 'a']) assert.equal(buckets.take(key), true)
  assert.equal(buckets.size, 2)
  assert.equal(buckets.take('a'), false)
})

test('keys that have been idle for long are forgotten, in bounded portions', () => {
  const { time, buckets } = withClock({ perSecond: 1, burst: 1 })
  const keys = rateLimits.purgeBatchMax + 500
  for (let i = 0; i < keys; i++) buckets.take(`old ${i}`)
  time.nowMs += rateLimits.idleMs - 1000
  buckets.take('young')
  assert.equal(buckets.size, keys + 1)
  time.nowMs += rateLimits.purgeEveryMs + 2000
  buckets.take('x')
  assert.equal(buckets.size, 500 + 2)
  buckets.take('y')
  assert.equal(buckets.size, 3, 'young, x and y are left')
})

test('a key with a slow rate is not forgotten before it is full', () => {
  const { time, buckets } = withClock({ perSecond: 1 / 3600, burst: 1 })
  assert.equal(buckets.take('a'), true)
  time.nowMs += 3 * rateLimits.idleMs
  buckets.take('b')
  assert.equal(buckets.take('a'), false)
})

test('over any span no key gets more than its burst plus its rate, nor less than it is due', () => {
  const step = fc.record({
    pauseMs: fc.double({ min: 0, max: 3000, noNaN: true }),
    takes: fc.integer({ min: 0, max: 20 }),
  })
  const options = fc.record({
    perSecond: fc.double({ min: 0.1, max: 1000, noNaN: true }),
    burst: fc.integer({ min: 1, max: 30 }),
  })
  fc.assert(
    fc.property(
      options,
      fc.array(step, { maxLength: 30 }),
      fc.double({ min: 0, max: 1e10, noNaN: true }),
      (rate, steps, startMs) => {
        const { time, buckets } = withClock(rate, startMs)
        let tokens = rate.burst
        for (const { pauseMs, takes } of steps) {
          const before = time.nowMs
          time.nowMs += pauseMs
          tokens = Math.min(rate.burst, tokens + ((time.nowMs - before) * rate.perSecond) / 1000)
          for (let i = 0; i < takes; i++) {
            const taken = buckets.take('a')
            if (tokens >= 1.01) assert.equal(taken, true, `${tokens} tokens left`)
            if (tokens <= 0.99) assert.equal(taken, false, `${tokens} tokens left`)
            if (taken) tokens -= 1
          }
        }
      },
    ),
    { numRuns: 200 },
  )
})

test('after the time to wait a token is there', () => {
  const rate = fc.record({
    perSecond: fc.double({ min: 0.01, max: 10_000, noNaN: true }),
    burst: fc.integer({ min: 1, max: 50 }),
  })
  fc.assert(
    fc.property(rate, fc.double({ min: 0, max: 1e9, noNaN: true }), (options, startMs) => {
      const { time, buckets } = withClock(options, startMs)
      while (buckets.take('a'));
      time.nowMs += buckets.waitMs('a')
      assert.equal(buckets.take('a'), true)
    }),
    { numRuns: 200 },
  )
})
