import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseDuration } from '../../../src/base/durations.js'

const good: readonly (readonly [string, number])[] = [
  ['60s', 60_000],
  ['500ms', 500],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['1m30s', 90_000],
  ['1h2m3s4ms', 3_723_004],
  ['90', 90_000],
  ['0', 0],
  ['0s', 0],
  ['1.5s', 1500],
  [' 2s ', 2000],
]

for (const [text, durationMs] of good) {
  test(`"${text}" is ${durationMs} ms`, () => {
    assert.equal(parseDuration(text), durationMs)
  })
}

for (const text of [
  '',
  ' ',
  's',
  '-1s',
  '+1s',
  '1D',
  '1 s',
  '1s1m',
  '1s2s',
  '1e3',
  'Infinity',
  '6x',
  '1234567890s',
  '1.2345s',
  '60S',
]) {
  test(`"${text}" is no duration`, () => {
    assert.throws(
      () => parseDuration(text),
      (thrown: Error & { code?: string }) => {
        assert.equal(thrown.code, 'DURATION_INVALID')
        assert.ok(thrown.message.includes(`"${text}"`), thrown.message)
        return true
      },
    )
  })
}

test('a duration is the sum of its parts', () => {
  const part = fc.integer({ min: 0, max: 999_999 })
  fc.assert(
    fc.property(part, part, part, part, (h, m, s, ms) => {
      assert.equal(parseDuration(`${h}h${m}m${s}s${ms}ms`), ((h * 60 + m) * 60 + s) * 1000 + ms)
    }),
    { numRuns: 100 },
  )
})
