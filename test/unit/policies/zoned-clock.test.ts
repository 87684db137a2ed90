import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isTimeZone, ZonedClocks } from '../../../src/policies/zoned-clock.js'

test('UTC is counted as calendars count it, also before 1970', () => {
  const counted = new ZonedClocks().of('UTC')
  const calendar = new ZonedClocks().of('Etc/UTC')
  fc.assert(
    fc.property(fc.integer({ min: -4e12, max: 4e12 }), (ms) => {
      assert.deepEqual(counted.at(ms), calendar.at(ms))
    }),
  )
})

test('a clock shows each minute of a night in which the hours change', () => {
  const clock = new ZonedClocks().of('Europe/Berlin')
  const shown = (time: string) => clock.at(Date.parse(time))
  // On 29 March 2026 it is three o'clock after 01:59, on 25 October two o'clock comes twice.
  assert.deepEqual(shown('2026-03-29T00:59:59Z'), { minutes: 119, day: 7 })
  assert.deepEqual(shown('2026-03-29T01:00:00Z'), { minutes: 180, day: 7 })
  assert.deepEqual(shown('2026-10-25T00:30:00Z'), { minutes: 150, day: 7 })
  assert.deepEqual(shown('2026-10-25T01:30:00Z'), { minutes: 150, day: 7 })
  assert.deepEqual(shown('2026-10-25T23:00:00Z'), { minutes: 0, day: 1 })
})

test('clocks of one time zone are one, however it is written', () => {
  const clocks = new ZonedClocks()
  assert.equal(clocks.of('Europe/Berlin'), clocks.of('europe/berlin'))
  assert.equal(clocks.of('UTC'), clocks.of('utc'))
})

test('time zones are names that the runtime knows', () => {
  for (const name of ['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5', 'europe/berlin'])
    assert.equal(isTimeZone(name), true, name)
  for (const name of ['', '+02:00', 'Berlin', 'Europe/', 'Europe/Berlin ', '../etc/passwd', 'x'.repeat(64)])
    assert.equal(isTimeZone(name), false, name)
})
