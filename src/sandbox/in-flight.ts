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
  /** Its number in the executor that it is in; -1 until it was in one. */
  claim: number
  /** Where it stands in the queue of that executor. */
  queue: CallQueue | undefined
  previous: InFlight | undefined
  next: InFlight | undefined
  /** Its place among the calls of its generation. */
  place: number
  readonly resolve: (outcome: CallOutcome) => void
}

/** Ends a call without a result. */
export function fail(call: InFlight, code: CallFailureCode, message: string, blamed = false): void {
  call.resolve({ ok: false, code, message, blamed })
}

/**
 * Calls in the order in which they were added. A list through the calls themselves rather than a Map: the tables that
 * a Map leaves behind as it changes keep the calls of long ago alive until the garbage of the old generation is
 * collected, which is a kilobyte for each request.
 */
export class CallQueue {
  #first: InFlight | undefined
  #last: InFlight | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The call that was added before all others. */
  get first(): InFlight | undefined {
    return this.#first
  }

  has(call: InFlight): boolean {
    return call.queue === this
  }

  /** Adds a call that is in no queue. */
  add(call: InFlight): void {
    call.queue = this
    call.previous = this.#last
    if (this.#last === undefined) this.#first = call
    else this.#last.next = call
    this.#last = call
    this.#size += 1
  }

  /** Takes a call out; harmless when it is not there. */
  delete(call: InFlight): void {
    if (call.queue !== this) return
    const { previous, next } = call
    if (previous === undefined) this.#first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
    call.queue = undefined
    call.previous = undefined
    call.next = undefined
    this.#size -= 1
  }

  /** All calls, first come first; the one that is given may be taken out meanwhile. */
  *calls(): Generator<InFlight, void, undefined> {
    for (let call = this.#first; call !== undefined; ) {
      const { next } = call
      yield call
      call = next
    }
  }
}
