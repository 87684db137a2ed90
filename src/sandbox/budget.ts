import { vmLimits } from '../base/limits/sandbox.js'
import type { CallBudget } from './host-function.js'
import { Kill } from './kill.js'
import { LuaRaise } from './lua-value.js'

/** What one call may use. */
export interface Allowance {
  readonly instructionsMax: number
  readonly operationsMax: number
  /** End of the call's time on the clock of `performance.now()`. */
  readonly deadlineMs: number
}

/** Counts what the current call of one VM uses, and stops it. */
export class Budget implements CallBudget {
  readonly #endsCalls: boolean
  readonly #isEvicted: () => boolean
  #instructionsLeft = 0
  #operationsLeft = 0
  #operationsMax = 0
  #allowance: Allowance = { instructionsMax: 0, operationsMax: 0, deadlineMs: 0 }

  /**
   * @param endsCalls False only where the hard stop alone is put to the test: time is not looked at then.
   * @param isEvicted Tells whether others need the executor more than the call that runs.
   */
  constructor(endsCalls: boolean, isEvicted: () => boolean) {
    this.#endsCalls = endsCalls
    this.#isEvicted = isEvicted
  }

  start(allowance: Allowance): void {
    this.#allowance = allowance
    this.#instructionsLeft = allowance.instructionsMax
    this.#operationsMax = allowance.operationsMax
    this.#operationsLeft = allowance.operationsMax
  }

  get deadlineMs(): number {
    return this.#allowance.deadlineMs
  }

  get isEvicted(): boolean {
    return this.#endsCalls && this.#isEvicted()
  }

  get operationsLeft(): number {
    return this.#operationsLeft
  }

  charge(operations: number): void {
    if (operations > this.#operationsLeft) {
      this.#operationsLeft = 0
      throw new LuaRaise(
        `exceeded maximum operations per execution (${this.#operationsMax}): operation limit exceeded`,
      )
    }
    this.#operationsLeft -= operations
  }

  /** Called by the instruction hook; throws `Kill` when the call's instructions or time are used up. */
  tick(): void {
    this.#instructionsLeft -= vmLimits.instructionsPerTick
    if (this.#instructionsLeft < 0) {
      throw new Kill('INSTRUCTIONS', `used more than ${this.#allowance.instructionsMax} Lua instructions`)
    }
    this.checkTime()
  }

  /** Throws `Kill` when the call's time is over, or others need its executor. */
  checkTime(): void {
    if (this.isEvicted) throw new Kill('EVICTED', 'ran long while others needed its executor')
    if (this.#endsCalls && performance.now() > this.#allowance.deadlineMs) {
      throw new Kill('TIMEOUT', 'ran out of time')
    }
  }
}
