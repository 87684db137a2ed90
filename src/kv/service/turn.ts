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

  /** To be called before work, so that its time counts. */
  begin(): void {
    if (this.#endMs !== 0) return
    this.#endMs = performance.now() + kvLimits.turnMs
    setImmediate(this.#began)
  }

  /** True when the loop should go round before more is answered. */
  isOver(): boolean {
    return this.#endMs !== 0 && performance.now() > this.#endMs
  }

  /** Settles once the loop has gone round. */
  next(): Promise<void> {
    return nextTurn()
  }
}
