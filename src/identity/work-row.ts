/** Runs work that is dear: so much at once, so much waiting in its order, and no more. */
export class WorkRow {
  readonly #runningMax: number
  readonly #waitingMax: number
  readonly #refusal: () => Error
  readonly #waiting: (() => void)[] = []
  #running = 0

  /** @param refusal Makes the error for work that finds no place. */
  constructor(runningMax: number, waitingMax: number, refusal: () => Error) {
    this.#runningMax = runningMax
    this.#waitingMax = waitingMax
    this.#refusal = refusal
  }

  /** Runs work when its turn comes; gives what it gives. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.#enter()
    try {
      return await work()
    } finally {
      this.#leave()
    }
  }

  async #enter(): Promise<void> {
    if (this.#running < this.#runningMax) {
      this.#running += 1
      return
    }
    if (this.#waiting.length >= this.#waitingMax) throw this.#refusal()
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** The place goes straight to the next, so that nobody who comes now is before those who wait. */
  #leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#running -= 1
    else next()
  }
}
