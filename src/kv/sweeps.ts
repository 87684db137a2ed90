import { setImmediate as nextTurn } from 'node:timers/promises'
import { isBusy } from '../database/sqlite.js'

/** One kind of work that is done in small steps; true when there is more to do. */
export type SweepStep = () => boolean

/** How sweeps run. */
export interface SweepOptions {
  readonly steps: readonly SweepStep[]
  /** Time between two rounds. */
  readonly intervalMs: number
  /** Told of what a step failed with; the others go on, and it is tried again in the next round. */
  readonly onError: (error: unknown) => void
}

/**
 * Does work on the store round after round, in steps between which the event loop goes round. While the file is
 * locked the work is left for the next round. Waiting does not keep the process alive.
 */
export class Sweeps {
  readonly #options: SweepOptions
  readonly #timer: NodeJS.Timeout
  #round: Promise<void> | undefined
  #isClosed = false

  constructor(options: SweepOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#begin(), options.intervalMs).unref()
  }

  /** Stops after the step that is being done. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#timer)
    await this.#round
  }

  #begin(): void {
    this.#round ??= this.#run().finally(() => {
      this.#round = undefined
    })
  }

  async #run(): Promise<void> {
    for (const step of this.#options.steps) {
      try {
        while (!this.#isClosed && step()) await nextTurn()
      } catch (error) {
        if (!isBusy(error)) this.#options.onError(error)
      }
    }
  }
}
