import { setImmediate as nextTurn } from 'node:timers/promises'
import { kvLimits } from '../../base/limits.js'

/**
 * Knows for how long the event loop has been kept from going round. Answers that are ready at once are settled in
 * promises alone, so a caller that awaits one after the other would let nobody else have a turn.
 */
export class Turn {
  #endMs = 0
  readonly #began = (): void => {
    this.#endMs = 0
  }

  /** True when the loop should go round before more is answered. */
  isOver(): boolean {
    if (this.#endMs === 0) {
      this.#endMs = performance.now() + kvLimits.turnMs
      setImmediate(this.#began)
      return false
    }
    return performance.now() > this.#endMs
  }

  /** Settles once the loop has gone round. */
  next(): Promise<void> {
    return nextTurn()
  }
}
