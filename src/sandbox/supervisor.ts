import type { Clock } from '../base/clock.js'
import { executorLimits } from '../base/limits/sandbox.js'
import type { Dispatcher } from './dispatcher.js'
import type { ExecutorThread } from './executor-thread.js'
import type { Fleet } from './fleet.js'
import { HostLoad } from './host-load.js'
import type { InFlight } from './in-flight.js'
import type { Activity } from './shared-state.js'

/** A call that has run for longer than it should, where it runs. */
interface Overrun {
  readonly thread: ExecutorThread
  readonly activity: Activity
  readonly call: InFlight
  readonly ranMs: number
}

export interface SupervisorOptions {
  readonly fleet: Fleet
  readonly dispatcher: Dispatcher
  readonly clock: Clock
  /** Whether an executor that is at a long call is set aside, its priority lowered and its waiting calls handed over. */
  readonly handsOver: boolean
  /** Tells whether the host is at something that calls may have to wait for. */
  isHeld(): boolean
  /** Which plugin a generation belongs to. */
  pluginOf(generation: number): string | undefined
  /** Called after a thread was terminated because of a plugin's code. */
  hardStopped(plugin: string, reason: string): void
}

/**
 * Watches the executors through shared memory while there is something to watch: hands the waiting calls of an
 * executor that is at a long call to another one, and terminates an executor that is stuck.
 */
export class Supervisor {
  readonly #options: SupervisorOptions
  #timer: NodeJS.Timeout | undefined
  #lastTickMs = 0
  readonly #load = new HostLoad()

  constructor(options: SupervisorOptions) {
    this.#options = options
  }

  /** Makes sure that the watch is on; it ends by itself when nothing is in flight. */
  watch(): void {
    if (this.#timer === undefined) this.#lastTickMs = this.#options.clock()
    this.#timer ??= setInterval(() => this.#tick(), executorLimits.supervisorTickMs)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #tick(): void {
    const { fleet, dispatcher, clock, isHeld } = this.#options
    const nowMs = clock()
    const elapsedMs = nowMs - this.#lastTickMs
    const stalledMs = elapsedMs - executorLimits.supervisorTickMs
    this.#lastTickMs = nowMs
    if (stalledMs > executorLimits.supervisorTickMs) dispatcher.extend(stalledMs)
    if (isHeld()) dispatcher.extendHeld(elapsedMs)
    const restMs = this.#restMs()
    const overruns: Overrun[] = []
    let occupied = dispatcher.hasWaiting
    for (const thread of [...fleet.threads]) {
      const activity = thread.shared.activity()
      thread.shared.setPace(thread.lowered && nowMs < activity.deadlineMs ? restMs : 0)
      if (thread.isBuilding || thread.stoodStill(activity)) dispatcher.extendIn(thread, elapsedMs)
      if (activity.claim !== undefined) this.#judge(thread, activity, nowMs, overruns)
      else if (thread.role === 'overrun' && !this.#holdsOverrun(thread)) fleet.recover(thread)
      occupied ||= activity.claim !== undefined || thread.inFlight.size > 0 || thread.role === 'overrun'
    }
    this.#evict(overruns, nowMs)
    dispatcher.expire(nowMs)
    if (!occupied) this.close()
  }

  /**
   * How long calls that have overrun rest after each short run: the more they are the longer, so that together they
   * take no more than their share from a busy host. The lowest priority alone is not enough for that: a thread that
   * is due still waits for the end of their slice.
   */
  #restMs(): number {
    if (!this.#load.isBusy) return 0
    const { paceRunMs, paceShare, paceRestMsMax } = executorLimits
    let slowed = 0
    for (const thread of this.#options.fleet.threads) if (thread.lowered) slowed += 1
    return Math.min(paceRestMsMax, Math.round((slowed * paceRunMs) / paceShare) - paceRunMs)
  }

  /** True while the call because of which the thread was set aside has not been answered. */
  #holdsOverrun(thread: ExecutorThread): boolean {
    for (const call of thread.inFlight.calls()) if (call.overrun) return true
    return false
  }

  #judge(thread: ExecutorThread, activity: Activity, nowMs: number, overruns: Overrun[]): void {
    const lateMs = nowMs - activity.deadlineMs
    if (lateMs > (thread.lowered ? executorLimits.loweredGraceMs : executorLimits.hardStopGraceMs)) {
      this.#hardStop(thread, activity)
      return
    }
    const ranMs = nowMs - activity.sinceMs
    if (ranMs < executorLimits.overrunMs || !this.#options.handsOver) return
    const call = this.#requestOf(thread, activity)
    if (call !== undefined) this.#noteOverrun(call, nowMs)
    if (thread.role !== 'quarantine') {
      if (call !== undefined) overruns.push({ thread, activity, call, ranMs })
      this.#handOff(thread, call === undefined ? ranMs : 0)
    }
    // A thread that is out of time needs a turn to notice it; behind all others it might not get one.
    if (lateMs < 0) this.#options.fleet.lower(thread, ranMs)
    else this.#options.fleet.raise(thread)
  }

  #noteOverrun(call: InFlight, nowMs: number): void {
    if (call.overrun) return
    call.overrun = true
    call.generation.held += 1
    call.generation.reputation.noteOverrun(nowMs)
  }

  /**
   * Ends calls that have overrun when there are too many of them, or too few executors for those that wait: those
   * of suspect plugins first, and of them the longest. Starting more threads instead would take the processor away from
   * everybody just when it is needed.
   */
  #evict(overruns: Overrun[], nowMs: number): void {
    const { fleet, dispatcher, isHeld } = this.#options
    // What takes long now may only wait for the host; the deadline of each call still holds.
    if (isHeld()) return
    const isEnding = ({ call }: Overrun): boolean => nowMs - call.evictedAtMs < executorLimits.evictAfterMs
    const ending = overruns.filter(isEnding).length
    const missing = dispatcher.isPressed(nowMs) ? fleet.missing : 0
    const surplus = Math.max(missing, overruns.length - executorLimits.overrunsMax) - ending
    if (surplus <= 0) return
    const isSuspect = ({ call }: Overrun): boolean => call.generation.reputation.isSuspect(nowMs)
    const victims = overruns
      .filter(({ call, ranMs }) => call.evictedAtMs < 0 && ranMs > executorLimits.evictAfterMs)
      .sort((a, b) => Number(isSuspect(b)) - Number(isSuspect(a)) || b.ranMs - a.ranMs)
    for (const { thread, activity, call } of victims.slice(0, surplus)) {
      call.evictedAtMs = nowMs
      thread.shared.evict(activity.sequence)
      fleet.raise(thread)
    }
  }

  /**
   * Gives the calls that the thread has not started to others, and sets it aside.
   *
   * @param buildMs How long it has been building a VM, 0 for a call. Each thread that takes its place would have to
   *   build the same VM, so it is set aside only when that takes very long.
   */
  #handOff(thread: ExecutorThread, buildMs: number): void {
    const isReplaceable = thread.role === 'active' || thread.role === 'spare'
    if (isReplaceable && (buildMs === 0 || buildMs > executorLimits.buildOverrunMs)) {
      this.#options.fleet.setAside(thread)
    }
    const returned: InFlight[] = []
    for (const call of [...thread.inFlight.calls()]) if (thread.revoke(call)) returned.push(call)
    this.#options.dispatcher.redispatch(returned)
  }

  #hardStop(thread: ExecutorThread, activity: Activity): void {
    const { fleet, pluginOf, hardStopped } = this.#options
    const plugin = pluginOf(activity.generation)
    const reason = `code of plugin ${plugin ?? '(unknown)'} did not stop within its time`
    const culprit = this.#callOf(thread, activity)
    if (plugin !== undefined) hardStopped(plugin, reason)
    fleet.drop(thread, 'hard_stop', reason, culprit)
  }

  /** The call that a thread is at; undefined when it is nobody's request, and only builds a VM. */
  #requestOf(thread: ExecutorThread, activity: Activity): InFlight | undefined {
    const call = this.#callOf(thread, activity)
    return call?.request === undefined ? undefined : call
  }

  #callOf(thread: ExecutorThread, activity: Activity): InFlight | undefined {
    return activity.claim === undefined || activity.claim < 0 ? undefined : thread.callOf(activity.claim)
  }
}
