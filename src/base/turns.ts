/** Runs work one after the other; a failure of one keeps the next from nothing. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  /** Runs the work when all that was given before has ended, in any way. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => undefined)
    return result
  }

  /** Resolves when what was given until now has ended, in any way. */
  async ended(): Promise<void> {
    await this.#last
  }
}
