import { LookTimer } from './look-timer.js'

/** What a loop works on. */
export interface WorkLoopOptions {
  /** Tasks at once. */
  readonly concurrentMax: number
  /** Longest time between two looks. */
  readonly pollMs: number
  /** Shortest time between two looks that `soon` asks for; none when missing. */
  readonly pauseMs?: number
  /** Looks for work and gives what it finds to `run`. */
  take(): Promise<void>
  /** Is called when nobody asks for a look any more. */
  rested?(): Promise<void>
  /** Is called before each look that the time, or `soon`, has asked for. */
  polled?(): void
  /** Is told of what a look failed with; there is another one after `pollMs`. */
  failed(error: unknown): void
}

/**
 * Looks for work that is stored, and does it: one look at a time, any number of requests for one being one look, and
 * so many tasks at once. Nothing is done before `start` and after `stop`.
 */
export class WorkLoop {
  readonly #options: WorkLoopOptions
  readonly #timer: LookTimer
  /** Tasks that run, by each of their names. */
  readonly #running = new Map<string, number>()
  readonly #tasks = new Set<Promise<void>>()
  #isStarted = false
  #isStopped = false
  #looking: Promise<void> | undefined
  #lookAgain = false
  #turn = 0

  constructor(options: WorkLoopOptions) {
    this.#options = options
    const { pollMs, pauseMs = 0 } = options
    const look = (): void => {
      options.polled?.()
      this.wake()
    }
    this.#timer = new LookTimer({ look, pollMs, pauseMs })
  }

  /** True when no further work is to be taken. */
  get isStopped(): boolean {
    return this.#isStopped
  }

  /** How many more tasks may begin. */
  get free(): number {
    return this.#options.concurrentMax - this.#tasks.size
  }

  /** Begins to look for work. */
  start(): void {
    this.#isStarted = true
    this.wake()
  }

  /** Looks now, or when the look under way has ended; when as many tasks run as may, once one of them has ended. */
  wake(): void {
    if (!this.#isStarted || this.#isStopped || this.free <= 0) return
    this.#lookAgain = true
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
      if (this.#lookAgain) this.wake()
    })
  }

  /** Looks soon; many calls are one look. */
  soon(): void {
    if (this.#isStarted) this.#timer.soon()
  }

  /** Sees to it that there is a look in so many milliseconds, or earlier. */
  within(pauseMs: number): void {
    this.#timer.within(pauseMs)
  }

  /** To be called by a look that has left work behind: another one follows it. */
  again(): void {
    this.#lookAgain = true
  }

  /** Gives those who want work in another order at each look, so that none is always the last. */
  inTurn<T>(all: readonly T[]): readonly T[] {
    this.#turn += 1
    const first = this.#turn % Math.max(all.length, 1)
    return [...all.slice(first), ...all.slice(0, first)]
  }

  /** How many tasks of a name run. */
  running(name: string): number {
    return this.#running.get(name) ?? 0
  }

  /**
   * Does a task, and looks again when it has ended.
   *
   * @param names What it is counted by.
   * @param work Must not reject.
   */
  run(names: readonly string[], work: () => Promise<void>): void {
    for (const name of names) this.#count(name, 1)
    const task = work().finally(() => {
      this.#tasks.delete(task)
      for (const name of names) this.#count(name, -1)
      this.wake()
    })
    this.#tasks.add(task)
  }

  /** Takes no further work and waits for the tasks that run. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#timer.stop()
    await this.#looking
    await Promise.all(this.#tasks)
  }

  async #look(): Promise<void> {
    const { take, rested, failed, pollMs } = this.#options
    try {
      while (this.#lookAgain && !this.#isStopped) {
        this.#lookAgain = false
        this.#timer.looked()
        await take()
      }
      if (!this.#isStopped) await rested?.()
    } catch (error) {
      this.#lookAgain = false
      failed(error)
    }
    this.#timer.within(pollMs)
  }

  #count(name: string, step: 1 | -1): void {
    const running = this.running(name) + step
    if (running === 0) this.#running.delete(name)
    else this.#running.set(name, running)
  }
}
