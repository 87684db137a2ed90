import { setImmediate as nextTurn } from 'node:timers/promises'
import { kvLimits } from '../../base/limits.js'

/** Calls between two looks at the clock. */
const callsPerLook = 8

/**
 * Knows for how long the event loop has been kept from going round. Answers that are ready at once are settled in
 * promises alone, so a caller that awaits one after the other would let nobody else have a turn.
 */
export class Turn {
  #endMs = 0
  #calls = 0
  #isOver = false
  readonly #began = (): void => {
    this.#endMs = 0
    this.#isOver = false
  }

  /** True when the loop should go round before more is answered. */
  isOver(): boolean {
    if (this.#endMs === 0) {
      this.#endMs = performance.now() + kvLimits.turnMs
      setImmediate(this.#began)
      return false
    }
    this.#calls += 1
    if (!this.#isOver && this.#calls % callsPerLook === 0) this.#isOver = performance.now() > this.#endMs
    return this.#isOver
  }

  /** Settles once the loop has gone round. */
  next(): Promise<void> {
    return nextTurn()
  }
}
