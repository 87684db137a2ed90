import { messageOf } from '../../base/errors.js'
import { kvCallKind } from '../../capabilities/kv/call-kind.js'
import { decodeKvResult, encodeChangeCall, encodeMessageCall } from '../../capabilities/kv/wire.js'
import { decodeChange } from '../../kv/change-queue.js'
import type { StoredMessage } from '../../kv/queue-store.js'
import { decodeValue } from '../../kv/stored-value.js'
import type { CallOutcome } from '../../sandbox/generation.js'
import { isForcedEnd, isOwnFault } from '../call-faults.js'
import type { Listener } from './listener-index.js'

/** How a message ended: worked off, passed over, failed by its function, or not handed over at all. */
export type MessageOutcome =
  | { readonly kind: 'done' | 'passed' | 'not-run' }
  /** `problem` is for whoever finds the dead letter; `isTimeout` is also true for other ends by force. */
  | { readonly kind: 'failed'; readonly problem: string; readonly isTimeout: boolean }

/** Calls a function of a plugin with a message. Never rejects. */
export async function callListener(
  listener: Listener,
  message: StoredMessage,
  timeoutMs: number,
): Promise<MessageOutcome> {
  let call: PreparedCall | undefined
  try {
    call = prepare(listener, message)
  } catch (error) {
    return { kind: 'failed', problem: `it cannot be read: ${messageOf(error)}`, isTimeout: false }
  }
  if (call === undefined) return { kind: 'passed' }
  const outcome = await run(listener, call, timeoutMs)
  if (outcome.ok) {
    const problem = decodeKvResult(outcome.result)
    return problem === undefined ? { kind: 'done' } : { kind: 'failed', problem, isTimeout: false }
  }
  // Who is evicted was running: the message is not one that was never tried.
  const isEvicted = outcome.code === 'EVICTED'
  if (!isOwnFault(outcome) && !isEvicted) return { kind: 'not-run' }
  const problem = `${outcome.code}: ${outcome.message}`
  return { kind: 'failed', problem, isTimeout: isForcedEnd(outcome) || isEvicted }
}

interface PreparedCall {
  readonly payload: string
  readonly requestId: string
}

/** Undefined for a change of a type that the function is not for. */
function prepare({ key, changes }: Listener, message: StoredMessage): PreparedCall | undefined {
  const { id, queue, attempts } = message
  if (changes === undefined) {
    const payload = encodeMessageCall(key, { id: String(id), queue, value: decodeValue(message), attempts })
    return { payload, requestId: `message-${id}` }
  }
  const change = decodeChange(message)
  if (!changes.events.includes(change.type)) return undefined
  // What the function writes is known by the mark to come from so many functions.
  return { payload: encodeChangeCall(key, change), requestId: `message-${id}~${change.depth + 1}` }
}

async function run(
  { generation }: Listener,
  { payload, requestId }: PreparedCall,
  timeoutMs: number,
): Promise<CallOutcome> {
  const call = { kind: kvCallKind, phase: 'message' as const, payload, body: '', requestId, timeoutMs }
  try {
    return await generation.call({ ...call, reserved: true })
  } catch (error) {
    return { ok: false, code: 'CLOSED', message: messageOf(error), blamed: false }
  }
}
