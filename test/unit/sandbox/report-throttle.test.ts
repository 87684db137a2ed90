import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { executorLimits } from '../../../src/base/limits/sandbox.js'
import { ReportThrottle } from '../../../src/sandbox/report-throttle.js'

const max = executorLimits.reportsPerSecondMax

describe('the throttle of reports', () => {
  it('passes a limited number a second, and as many again in the next', () => {
    let nowMs = 5000
    const throttle = new ReportThrottle(() => nowMs)
    const passed = (count: number): number =>
      Array.from({ length: count }).filter(() => throttle.admits()).length
    assert.equal(passed(max * 10), max)
    nowMs += 999
    assert.equal(passed(max), 0)
    nowMs += 1
    assert.equal(passed(max * 10), max)
  })
})
