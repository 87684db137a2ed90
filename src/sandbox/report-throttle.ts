import type { Clock } from '../base/clock.js'
import { executorLimits } from '../base/limits/sandbox.js'

const windowMs = 1000

/**
 * Bounds what one generation can have reported from one executor: each report is work for the HTTP thread and a line
 * of the log, and a plugin decides how many it causes.
 */
export class ReportThrottle {
  readonly #clock: Clock
  #startedMs = Number.NEGATIVE_INFINITY
  #reports = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** True when one more report may pass; the rest of the second is silent otherwise. */
  admits(): boolean {
    const nowMs = this.#clock()
    if (nowMs - this.#startedMs >= windowMs) {
      this.#startedMs = nowMs
      this.#reports = 0
    }
    this.#reports += 1
    return this.#reports <= executorLimits.reportsPerSecondMax
  }
}
