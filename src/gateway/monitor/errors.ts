import { defineError } from '../../base/errors.js'

/** A stream more than all clients together may have. */
export const streamsExhausted = defineError(
  'GATEWAY_STREAMS_EXHAUSTED',
  503,
  'All clients together have {max} streams of live figures open, and no more are allowed. Close one, or ask from time to time: /stats has the same figures.',
)
