import { testLimits } from '../../base/limits/harness.js'
import type { LuaValue } from '../../sandbox/lua-value.js'
import type { Call } from '../define.js'
import { cutText, textOf } from '../log-context.js'
import type { TestFailure } from './record.js'

const localKey = 'test.record'

interface OpenRecord {
  assertions: number
  leftOut: number
  readonly failures: TestFailure[]
}

/** Counts an assertion that held. */
export function notePassed(call: Call): undefined {
  recordOf(call).assertions += 1
}

/** Notes an assertion that did not hold, or an error. */
export function noteFailure(call: Call, message: LuaValue, line: LuaValue, isError: boolean): undefined {
  const record = recordOf(call)
  if (!isError) record.assertions += 1
  if (record.failures.length >= testLimits.failuresMax) {
    record.leftOut += 1
    return
  }
  record.failures.push({
    message: cutText(textOfValue(message), testLimits.messageBytesMax),
    line: typeof line === 'number' ? line : 0,
    ...(isError ? { error: true } : {}),
  })
}

/** The record of this call. It is sent when the call ends, also when it is stopped. */
function recordOf(call: Call): OpenRecord {
  const open = call.locals.get(localKey) as OpenRecord | undefined
  if (open !== undefined) return open
  const record: OpenRecord = { assertions: 0, leftOut: 0, failures: [] }
  call.locals.set(localKey, record)
  call.onEnd(() => {
    const { assertions, failures, leftOut } = record
    if (leftOut > 0) failures.push({ message: `${leftOut} more failures are not shown`, line: 0 })
    call.services.recordTest?.(call.owner.plugin, { assertions, failures })
  })
  return record
}

function textOfValue(value: LuaValue): string {
  if (typeof value === 'string') return value
  return value instanceof Uint8Array ? textOf(value) : String(value)
}
