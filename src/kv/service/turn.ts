import { setImmediate as loopWentRound } from 'node:timers/promises'
import { kvLimits } from '../../base/limits/kv.js'

/**
 * Knows for how long the event loop has been kept from going round. Answers that are ready at once are settled in
 * promises alone, so a caller that awaits one after the other would let nobody else have a turn.
 */
export class Turn {
  readonly #waiting: (() => void)[] = []
  #endMs = 0
  readonly #began = (): void => {
    this.#endMs = 0
  }

  /** To be called before work, so that its time counts. */
  begin(): void {
    if (this.#endMs !== 0) return
    this.#endMs = performance.now() + kvLimits.turnMs
    setImmediate(this.#began)
  }

  /** Begins a turn although what ended the last one has not been told yet. */
  #renew(): void {
    if (this.#endMs === 0) this.begin()
    else this.#endMs = performance.now() + kvLimits.turnMs
  }

  /** True when the loop should go round before more is answered. */
  isOver(): boolean {
    return this.#endMs !== 0 && performance.now() > this.#endMs
  }

  /**
   * Settles once the loop has gone round. Those that wait go on one after the other, and when the time is over the rest
   * waits for the next round: many long works together keep the loop no longer than one of them.
   */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      if (this.#waiting.length === 1) void this.#goRound()
    })
  }

  async #goRound(): Promise<void> {
    while (this.#waiting.length > 0) {
      await loopWentRound()
      this.#renew()
      do {
        // It stays in its place until its work is done, so that what it waits for next begins no second round.
        this.#waiting[0]?.()
        await settled()
        this.#waiting.shift()
      } while (this.#waiting.length > 0 && !this.isOver())
    }
  }
}

/** Settles when all that could go on in promises alone has done so. */
function settled(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve))
}
