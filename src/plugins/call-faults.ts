import type { CallFailure, CallFailureCode } from '../sandbox/generation.js'

/** What a plugin does to itself; other codes say that a call could not be made. */
const ownFaults: readonly CallFailureCode[] = [
  'ERROR',
  'TIMEOUT',
  'INSTRUCTIONS',
  'MEMORY',
  'RESULT_TOO_LARGE',
  'SECRET_IN_RESPONSE',
]

const forcedEnds: readonly CallFailureCode[] = ['TIMEOUT', 'INSTRUCTIONS', 'EXECUTOR_LOST']

/** True when a call failed by what the plugin itself did, and false when it could not be made. */
export function isOwnFault({ code, blamed }: CallFailure): boolean {
  return blamed || ownFaults.includes(code)
}

/** True when a call was ended by force. */
export function isForcedEnd({ code }: CallFailure): boolean {
  return forcedEnds.includes(code)
}
