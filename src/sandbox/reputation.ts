import { executorLimits } from '../base/limits/sandbox.js'

/**
 * How often calls of one generation have overrun lately. A plugin that does so again and again is suspect: it no
 * longer runs in the executors of the others. What is long ago counts less and less.
 */
export class Reputation {
  #calls = 0
  #overruns = 0
  #agedAtMs = 0

  noteCall(nowMs: number): void {
    this.#age(nowMs)
    this.#calls += 1
  }

  noteOverrun(nowMs: number): void {
    this.#age(nowMs)
    this.#overruns += 1
  }

  /** A call now and then that the machine itself has delayed makes nobody suspect. */
  isSuspect(nowMs: number): boolean {
    if (this.#overruns < executorLimits.suspectOverruns) return false
    this.#age(nowMs)
    return (
      this.#overruns >= executorLimits.suspectOverruns &&
      this.#overruns > this.#calls * executorLimits.suspectShare
    )
  }

  #age(nowMs: number): void {
    const periods = Math.floor((nowMs - this.#agedAtMs) / executorLimits.reputationHalfLifeMs)
    if (periods < 1) return
    this.#agedAtMs = nowMs
    this.#calls *= 0.5 ** periods
    this.#overruns *= 0.5 ** periods
  }
}
