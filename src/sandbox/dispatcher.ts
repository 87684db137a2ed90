import type { Clock } from '../base/clock.js'
import { executorLimits } from '../base/limits/sandbox.js'
import type { ExecutorThread } from './executor-thread.js'
import type { Fleet } from './fleet.js'
import { fail, type InFlight, type Placeable } from './in-flight.js'

/** Chooses an executor for each call; calls that find none wait until there is room or their time is over. */
export class Dispatcher {
  readonly #fleet: Fleet
  readonly #clock: Clock
  #waiting: InFlight[] = []
  #closed = false
  /** Until when calls avoid the executor of suspect plugins. */
  #laneUntilMs = 0

  constructor(fleet: Fleet, clock: Clock) {
    this.#fleet = fleet
    this.#clock = clock
    fleet.onRoom = () => this.#retry()
    fleet.onReturned = (calls) => this.redispatch(calls)
    fleet.onSuspended = (thread, generation) => this.#spread(thread, generation)
    fleet.onOverrunEnded = (call) => this.#freeSlot(call)
  }

  /** True while calls wait for an executor. */
  get hasWaiting(): boolean {
    return this.#waiting.length > 0
  }

  /** True while calls wait although each executor has had something to do for long. */
  isPressed(nowMs: number): boolean {
    if (this.hasWaiting) return true
    const { active } = this.#fleet
    return active.length > 0 && active.every((thread) => thread.oldestMs(nowMs) > executorLimits.overrunMs)
  }

  dispatch(call: InFlight): void {
    if (this.#closed) {
      fail(call, 'CLOSED', 'the host is closing')
      return
    }
    const { request, load } = call
    if (load !== undefined) {
      if (!this.#fleet.load(call, load)) this.#waiting.push(call)
      return
    }
    if (request === undefined) return
    const thread = this.#place(call.generation, request.reserved === true)
    if (thread === undefined) this.#waiting.push(call)
    else thread.call(call, request)
  }

  /** Sends calls that were taken back from one executor to another. */
  redispatch(calls: readonly InFlight[]): void {
    for (const call of calls) this.dispatch(call)
  }

  /** Gives calls the time back in which the host thread stood still: a message it had not sent could not be read. */
  extend(stalledMs: number): void {
    for (const call of this.#waiting) call.waitsUntilMs += stalledMs
    for (const thread of this.#fleet.threads) {
      for (const call of thread.inFlight.calls()) call.waitsUntilMs += stalledMs
    }
  }

  /**
   * Gives the calls of one executor time back that it could not use for them: it built a VM, or had no turn on a
   * busy machine. No call waits longer than `executorLimits.stallWaitMs` because of it.
   */
  extendIn(thread: ExecutorThread, elapsedMs: number): void {
    for (const call of thread.inFlight.calls()) extendStalled(call, elapsedMs)
  }

  /** The same for all calls, while the host itself is at something that they may have to wait for. */
  extendHeld(elapsedMs: number): void {
    for (const call of this.#waiting) extendStalled(call, elapsedMs)
    for (const thread of this.#fleet.threads) this.extendIn(thread, elapsedMs)
  }

  /** Answers the calls that have waited for a VM too long, here or in the queue of an executor. */
  expire(nowMs: number): void {
    const expired = this.#waiting.filter((call) => call.waitsUntilMs < nowMs)
    if (expired.length > 0) this.#waiting = this.#waiting.filter((call) => call.waitsUntilMs >= nowMs)
    for (const thread of this.#fleet.threads) {
      for (const call of thread.inFlight.calls()) {
        // The calls stand in the order of their dispatch: behind the first young one there is none to expire.
        if (nowMs - call.dispatchedAtMs < executorLimits.checkoutWaitMs) break
        if (call.waitsUntilMs < nowMs && thread.revoke(call)) expired.push(call)
      }
    }
    for (const call of expired) {
      fail(call, 'POOL_EXHAUSTED', `no VM became free within ${executorLimits.checkoutWaitMs} ms`)
    }
  }

  close(): void {
    this.#closed = true
    for (const call of this.#waiting.splice(0)) fail(call, 'CLOSED', 'the host is closing')
  }

  #retry(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const call of waiting) this.dispatch(call)
  }

  /** Calls that wait where all VMs of their generation are held by suspended ones go where there are others. */
  #spread(thread: ExecutorThread, generation: number): void {
    if (thread.role !== 'active') return
    const returned: InFlight[] = []
    for (const call of [...thread.inFlight.calls()]) {
      if (call.generation.id !== generation || call.request === undefined) continue
      if (thread.suspendedOf(generation) < this.#share(call.generation)) return
      if (thread.revoke(call)) returned.push(call)
    }
    this.redispatch(returned)
  }

  /** How many VMs of a generation one executor may have. */
  #share({ slots }: Placeable): number {
    return Math.ceil(slots / this.#fleet.active.length)
  }

  #freeSlot(call: InFlight): void {
    call.overrun = false
    call.generation.held -= 1
    if (this.#waiting.length > 0) this.#retry()
  }

  #place(generation: Placeable, reserved: boolean): ExecutorThread | undefined {
    const all = reserved ? generation.slots : generation.slots - generation.reservedSlots
    const slots = all - generation.held
    if (slots <= 0 || this.#fleet.suspendedOf(generation.id) >= slots) return undefined
    const own = this.#fleet.quarantineOf(generation.plugin)
    if (own !== undefined) return own.hasRoom ? own : undefined
    const nowMs = this.#clock()
    if (generation.reputation.isSuspect(nowMs)) return this.#lane(nowMs)
    return this.#choose(generation, slots, nowMs)
  }

  /** All suspect plugins share one executor, so that the others are left to the rest; none when executors are short. */
  #lane(nowMs: number): ExecutorThread | undefined {
    if (this.#fleet.missing > 0) return undefined
    const thread = this.#fleet.active.at(-1)
    if (thread?.hasRoom !== true) return undefined
    this.#laneUntilMs = nowMs + executorLimits.laneMs
    return thread
  }

  /**
   * Fills one executor before the next, so that calls share wake-ups, and passes over one that is at a long call.
   * A plugin with fewer slots than there are executors keeps to as many of them as it has slots.
   */
  #choose(generation: Placeable, slots: number, nowMs: number): ExecutorThread | undefined {
    const { active } = this.#fleet
    const share = this.#share(generation)
    const lane = nowMs < this.#laneUntilMs && active.length > 1 ? active.at(-1) : undefined
    const count = Math.min(active.length, slots)
    let best: ExecutorThread | undefined
    let bestLoad = Number.POSITIVE_INFINITY
    for (let step = 0; step < count; step += 1) {
      const thread = active[(generation.id + step) % active.length] as ExecutorThread
      if (!thread.hasRoom || thread.suspendedOf(generation.id) >= share) continue
      const busy =
        thread === lane || thread.isBuilding || thread.shared.isBusySince(executorLimits.busyMs, nowMs)
      if (!busy && thread.oldestMs(nowMs) < executorLimits.queueMs) return thread
      const load = thread.inFlight.size + (busy ? executorLimits.claimsMax : 0)
      if (load < bestLoad) {
        best = thread
        bestLoad = load
      }
    }
    return best
  }
}

/** Gives a call time back, up to `executorLimits.stallWaitMs` from its dispatch. */
function extendStalled(call: InFlight, elapsedMs: number): void {
  const latestMs = Math.max(call.waitsUntilMs, call.dispatchedAtMs + executorLimits.stallWaitMs)
  call.waitsUntilMs = Math.min(call.waitsUntilMs + elapsedMs, latestMs)
}
