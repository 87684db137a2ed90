import assert from 'node:assert/strict'
import { test } from 'node:test'
import { traceLimits } from '../../../src/base/limits/telemetry.js'
import {
  boundedTracestate,
  formatTraceparent,
  parseTraceparent,
} from '../../../src/telemetry/trace-context.js'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const spanId = 'b7ad6b7169203331'

test('a traceparent is read and written', () => {
  const context = parseTraceparent(`00-${traceId}-${spanId}-01`)
  assert.deepEqual(context, { traceId, spanId, traceFlags: 1, isRemote: true })
  assert.equal(formatTraceparent({ traceId, spanId, traceFlags: 1 }), `00-${traceId}-${spanId}-01`)
  assert.equal(parseTraceparent(`00-${traceId}-${spanId}-00`)?.traceFlags, 0)
  assert.equal(parseTraceparent(`00-${traceId}-${spanId}-ff`)?.traceFlags, 1, 'flags of tomorrow are dropped')
  assert.equal(parseTraceparent(`01-${traceId}-${spanId}-01-more`)?.traceId, traceId, 'versions of tomorrow')
})

test('one that is none is not continued', () => {
  const faulty = [
    undefined,
    '',
    `00-${traceId}-${spanId}`,
    `00-${traceId}-${spanId}-01-more`,
    `ff-${traceId}-${spanId}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId}-${spanId}-01, 00-${traceId}-${spanId}-01`,
    `00-${traceId}-${spanId}-01\r\nx: y`,
  ]
  for (const header of faulty) assert.equal(parseTraceparent(header), undefined, header)
})

test('a tracestate that is too long is ignored', () => {
  assert.equal(boundedTracestate('a=b'), 'a=b')
  assert.equal(boundedTracestate('a'.repeat(traceLimits.stateCharactersMax + 1)), undefined)
  assert.equal(boundedTracestate(undefined), undefined)
})
