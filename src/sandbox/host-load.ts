import { type EventLoopUtilization, performance } from 'node:perf_hooks'
import { executorLimits } from '../base/limits/sandbox.js'

/** Tells whether the thread that it is used in has much to do. */
export class HostLoad {
  #since: EventLoopUtilization = performance.eventLoopUtilization()
  #measuredAtMs = performance.now()
  #isBusy = false

  /** True when the event loop was busy for a good part of the last window of time. */
  get isBusy(): boolean {
    const nowMs = performance.now()
    if (nowMs - this.#measuredAtMs >= executorLimits.hostLoadWindowMs) {
      const now = performance.eventLoopUtilization()
      this.#isBusy =
        performance.eventLoopUtilization(now, this.#since).utilization > executorLimits.hostBusyShare
      this.#since = now
      this.#measuredAtMs = nowMs
    }
    return this.#isBusy
  }
}
