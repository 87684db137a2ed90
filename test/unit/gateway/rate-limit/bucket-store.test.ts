import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { createClientIp } from '../../../../src/gateway/client-ip.js'
import { BucketStore, makeRate, type Taking } from '../../../../src/gateway/rate-limit/bucket-store.js'
import { PluginLimits } from '../../../../src/gateway/rate-limit/plugin-limits.js'
import { parseWindow } from '../../../../src/gateway/rate-limit/window.js'

function createStore(bucketsMax = 1000) {
  let now = 0
  const store = new BucketStore(bucketsMax, () => now)
  return {
    store,
    at(ms: number) {
      now = ms
    },
  }
}

test('10 per minute: ten at once, then one every six seconds', () => {
  const { store, at } = createStore()
  const rate = makeRate(10, 60)
  for (let left = 9; left >= 0; left -= 1) {
    const taking = store.take('a', rate, 1)
    assert.equal(taking.isAllowed, true)
    assert.equal(taking.remaining, left)
    assert.equal(taking.retryAfter, 0)
  }
  assert.deepEqual(store.take('a', rate, 1), {
    isAllowed: false,
    remaining: 0,
    retryAfter: 6,
    fullInMs: 60_000,
  })
  at(5900)
  const early = store.take('a', rate, 1)
  assert.equal(early.isAllowed, false)
  assert.equal(early.retryAfter, 1)
  at(6000)
  assert.equal(store.take('a', rate, 1).isAllowed, true)
  assert.equal(store.take('a', rate, 1).isAllowed, false)
})

test('100 per minute: the next after 0.6 seconds', () => {
  const { store, at } = createStore()
  const rate = makeRate(100, 60)
  for (let count = 0; count < 100; count += 1) assert.equal(store.take('a', rate, 1).isAllowed, true)
  const refused = store.take('a', rate, 1)
  assert.equal(refused.isAllowed, false)
  assert.equal(refused.retryAfter, 1)
  at(600)
  assert.equal(store.take('a', rate, 1).isAllowed, true)
})

test('a cost is paid whole or not at all, and the wait is for all of it', () => {
  const { store, at } = createStore()
  const rate = makeRate(10, 10)
  assert.equal(store.take('a', rate, 7).remaining, 3)
  const refused = store.take('a', rate, 5)
  assert.equal(refused.isAllowed, false)
  assert.equal(refused.remaining, 3)
  assert.equal(refused.retryAfter, 2)
  at(2000)
  assert.equal(store.take('a', rate, 5).isAllowed, true)
})

test('asking again and again while refused neither helps nor harms', () => {
  const { store, at } = createStore()
  const rate = makeRate(3, 7)
  for (let count = 0; count < 3; count += 1) store.take('a', rate, 1)
  for (let ms = 1; ms < 2333; ms += 1) {
    at(ms)
    assert.equal(store.take('a', rate, 1).isAllowed, false, `${ms}`)
  }
  at(2334)
  assert.equal(store.take('a', rate, 1).isAllowed, true)
})

const steps = fc.array(
  fc.record({
    pauseMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 20_000 })),
    cost: fc.integer({ min: 1, max: 5 }),
  }),
  { minLength: 1, maxLength: 80 },
)

test('no span of time admits more than the capacity and what comes in during it', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 5, max: 50 }),
      fc.integer({ min: 1, max: 100 }),
      steps,
      (requests, window, list) => {
        const { store, at } = createStore()
        const rate = makeRate(requests, window)
        const admitted: { ms: number; cost: number }[] = []
        let ms = 0
        for (const { pauseMs, cost } of list) {
          ms += pauseMs
          at(ms)
          if (store.take('a', rate, cost).isAllowed) admitted.push({ ms, cost })
        }
        for (const [from, { ms: start }] of admitted.entries()) {
          let sum = 0
          for (const { ms: end, cost } of admitted.slice(from)) {
            sum += cost
            assert.ok(sum <= requests + ((end - start) / 1000) * (requests / window) + 1e-6)
          }
        }
      },
    ),
  )
})

test('buckets agree with a model that counts in exact fractions', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 5, max: 50 }),
      fc.integer({ min: 1, max: 100 }),
      steps,
      (requests, window, list) => {
        const { store, at } = createStore()
        // In units of which `requests` come in per millisecond and a token is `window * 1000`.
        const token = window * 1000
        const full = requests * token
        let units = full
        let ms = 0
        for (const { pauseMs, cost } of list) {
          ms += pauseMs
          at(ms)
          units = Math.min(full, units + pauseMs * requests)
          const isAllowed = units >= cost * token
          const taking: Taking = store.take('a', makeRate(requests, window), cost)
          assert.equal(taking.isAllowed, isAllowed)
          if (isAllowed) units -= cost * token
          assert.equal(taking.remaining, Math.floor(units / token))
          assert.equal(taking.retryAfter, isAllowed ? 0 : Math.ceil((cost * token - units) / requests / 1000))
          assert.ok(Math.abs(taking.fullInMs - (full - units) / requests) < 0.001)
        }
      },
    ),
  )
})

test('waiting as long as a refusal says is enough', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 5, max: 50 }),
      fc.integer({ min: 1, max: 100 }),
      steps,
      (requests, window, list) => {
        const { store, at } = createStore()
        const rate = makeRate(requests, window)
        let ms = 0
        for (const { pauseMs, cost } of list) {
          ms += pauseMs
          at(ms)
          const { isAllowed, retryAfter } = store.take('a', rate, cost)
          if (isAllowed) continue
          ms += retryAfter * 1000
          at(ms)
          assert.equal(store.take('a', rate, cost).isAllowed, true)
        }
      },
    ),
  )
})

test('above the bound the client without requests for longest is forgotten, and no other', () => {
  const { store } = createStore(3)
  const rate = makeRate(2, 60)
  for (const key of ['a', 'b', 'c', 'a', 'd']) store.take(key, rate, 1)
  assert.equal(store.size, 3)
  assert.deepEqual(
    [...store.list()].map(({ key }) => key),
    ['c', 'a', 'd'],
  )
  assert.equal(store.take('a', rate, 1).isAllowed, false)
  assert.equal(store.take('b', rate, 1).remaining, 1)
})

test('full buckets leave with the requests of others, a few at a time', () => {
  const { store, at } = createStore(1000)
  const rate = makeRate(2, 60)
  for (let count = 0; count < 100; count += 1) store.take(`old-${count}`, rate, 1)
  at(60_000)
  store.take('new', rate, 1)
  assert.ok(store.size >= 90, `${store.size} are left: one request has paid for all`)
  for (let count = 0; count < 100; count += 1) store.take(`new-${count}`, rate, 1)
  assert.equal(store.size, 101)
  assert.equal([...store.list()].length, 101)
})

test('a bucket that is not full is never dropped for being idle', () => {
  const { store, at } = createStore()
  store.take('slow', makeRate(1, 3600), 1)
  at(3_599_000)
  store.dropFull(1000)
  assert.equal(store.take('slow', makeRate(1, 3600), 1).isAllowed, false)
})

function collectedHeapBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  return process.memoryUsage().heapUsed
}

test('a million clients take no more memory than as many as the bound allows', () => {
  const bound = 20_000
  const { store, at } = createStore(bound)
  const rate = makeRate(100, 3600)
  const before = collectedHeapBytes()
  const send = (from: number, to: number): void => {
    for (let client = from; client < to; client += 1) {
      at(client / 1000)
      store.take(`ip:10.${client >> 16}.${(client >> 8) & 255}.${client & 255}`, rate, 1)
    }
  }
  send(0, bound)
  const filled = collectedHeapBytes() - before
  send(bound, 1_000_000)
  const after = collectedHeapBytes() - before
  assert.equal(store.size, bound)
  assert.ok(filled / bound < 300, `${filled / bound} bytes per bucket`)
  assert.ok(after < filled * 1.5, `${after} bytes after a million, ${filled} after the first ${bound}`)
})

test('long headers do not stay in memory with the addresses that were read from them', () => {
  const bound = 2000
  const { store } = createStore(bound)
  const rate = makeRate(100, 3600)
  const clientIp = createClientIp({ trustedProxies: ['10.0.0.1'] })
  const before = collectedHeapBytes()
  for (let round = 0; round < 2; round += 1) {
    for (let client = 0; client < bound; client += 1) {
      const address = `198.151.${100 + (client >> 8)}.${100 + (client & 255)}`
      // A new text each time, as each request has its own.
      const header = Buffer.from(`${'x'.repeat(8000)}, ${address}`).toString('latin1')
      store.take(`ip:${clientIp('10.0.0.1', header)}`, rate, 1)
    }
  }
  const each = (collectedHeapBytes() - before) / bound
  assert.ok(each < 1000, `${each} bytes per bucket`)
})

test('keys are kept apart whatever characters they have', () => {
  const { store } = createStore()
  const rate = makeRate(1, 60)
  for (const key of [
    'é',
    'e\u0301',
    'ÿ',
    '\u0100',
    '\u{1f600}',
    '\ud83d',
    '\ude00',
    '\ufffd',
    '%2F',
    '/',
    '',
  ]) {
    assert.equal(store.take(key, rate, 1).isAllowed, true, JSON.stringify(key))
    assert.equal(store.take(key, rate, 1).isAllowed, false, JSON.stringify(key))
  }
})

test('windows are digits with one unit', () => {
  const windows = { '30': 30, '30s': 30, '1m': 60, '15m': 900, '1h': 3600, '2d': 172_800, '007s': 7 }
  for (const [text, seconds] of Object.entries(windows)) assert.equal(parseWindow(text), seconds)
  const refused = [
    '',
    '0',
    '0s',
    '-1m',
    '1.5m',
    'm',
    '1w',
    '1M',
    ' 1m',
    '1m ',
    '1m30s',
    '1e3',
    '٣s',
    '32d',
    '9999999999',
    '1m\n',
  ]
  for (const text of refused)
    assert.throws(() => parseWindow(text), { code: 'RATE_LIMIT_WINDOW_INVALID' }, text)
})

test('rates that no limit can have are refused', () => {
  for (const bad of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 1e12]) {
    assert.throws(() => makeRate(bad, 60), { code: 'RATE_LIMIT_INVALID' })
    assert.throws(() => makeRate(10, bad), { code: 'RATE_LIMIT_INVALID' })
  }
})

test('the limits of a plugin are its own, and bounded', () => {
  let now = 0
  const limits = new PluginLimits({ clock: () => now, bucketsMax: 5 })
  const once = { requests: 1, windowSeconds: 60 }
  assert.equal(limits.take('shop', 'login:ann', once).isAllowed, true)
  assert.equal(limits.take('shop', 'login:ann', once).isAllowed, false)
  assert.equal(limits.take('blog', 'login:ann', once).isAllowed, true, 'another plugin counts by itself')
  assert.equal(limits.take('shop', 'login:ann', { ...once, requests: 2 }).isAllowed, true, 'another limit')
  for (let count = 0; count < 50; count += 1) limits.take('blog', `flood-${count}`, once)
  assert.equal(
    limits.take('shop', 'login:ann', once).isAllowed,
    false,
    'a flood in a plugin frees nobody in another',
  )
  assert.equal(limits.take('blog', 'login:ann', once).isAllowed, true, 'a flood pushes out what is idle')
  now = 60_000
  assert.equal(limits.take('shop', 'login:ann', once).isAllowed, true)
  limits.forget('shop')
  assert.equal(limits.take('shop', 'login:ann', once).isAllowed, true)
  for (const bad of [
    { ...once, cost: 2 },
    { ...once, cost: -1 },
    { requests: 0, windowSeconds: 1 },
  ])
    assert.throws(() => limits.take('shop', 'x', bad), { code: 'RATE_LIMIT_INVALID' })
  const look = { ...once, cost: 0 }
  assert.equal(limits.take('shop', 'seen', look).remaining, 1, 'who only looks takes nothing')
  assert.equal(limits.take('shop', 'seen', once).isAllowed, true)
  assert.equal(limits.take('shop', 'seen', look).remaining, 0)
  const long = 'k'.repeat(100_000)
  assert.equal(limits.take('shop', `${long}a`, once).isAllowed, true)
  assert.equal(limits.take('shop', `${long}b`, once).isAllowed, true)
  assert.equal(limits.take('shop', `${long}a`, once).isAllowed, false)
})
