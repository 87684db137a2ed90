import type { CallFailureCode, CallOutcome, CallRequest } from './generation.js'
import type { GenerationDefinition } from './protocol.js'
import type { Reputation } from './reputation.js'

/** What of a generation the fleet needs to place its calls. */
export interface Placeable {
  readonly id: number
  readonly plugin: string
  /** Calls that may occupy an executor beyond their short turn at the same time. */
  readonly slots: number
  readonly reservedSlots: number
  /** Slots occupied by calls that have overrun. */
  held: number
  readonly reputation: Reputation
}

/** The first run of a generation's init.lua. In phase `module` its VM is kept. */
export interface GenerationLoad {
  readonly definition: GenerationDefinition
  readonly phase: 'manifest' | 'module'
  /** Number of the executor that shall load it; any when missing. */
  readonly executor?: number
}

/** A call, or the load of a generation, on its way through the executors. */
export interface InFlight {
  readonly generation: Placeable
  /** Undefined for the load of a generation. */
  readonly request: CallRequest | undefined
  /** Undefined for a call. */
  readonly load: GenerationLoad | undefined
  readonly dispatchedAtMs: number
  readonly deadlineMs: number
  /** Until when the call may wait for a VM; moved when the host thread itself has stood still. */
  waitsUntilMs: number
  readonly operationsMax: number
  /** Set when the call has overrun and occupies a slot of its generation. */
  overrun: boolean
  /** When it was ordered to end because others need its executor. */
  evictedAtMs: number
  /** When it began to run in an executor; known when it has ended there, 0 until then. */
  startedAtMs: number
  readonly resolve: (outcome: CallOutcome) => void
}

/** Ends a call without a result. */
export function fail(call: InFlight, code: CallFailureCode, message: string, blamed = false): void {
  call.resolve({ ok: false, code, message, blamed })
}
