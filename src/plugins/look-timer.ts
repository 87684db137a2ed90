/** When to look, and what that is. */
export interface LookTimerOptions {
  readonly look: () => void
  /** Longest time between two looks. */
  readonly pollMs: number
  /** Shortest time between a look and one that `soon` asks for. */
  readonly pauseMs: number
}

/** Tells when to look for work next: the earliest time that anybody asked for. Keeps no process alive. */
export class LookTimer {
  readonly #options: LookTimerOptions
  #timer: NodeJS.Timeout | undefined
  /** Milliseconds of `performance.now()`. */
  #nextMs = Number.POSITIVE_INFINITY
  #lookedMs = Number.NEGATIVE_INFINITY
  #isStopped = false

  constructor(options: LookTimerOptions) {
    this.#options = options
  }

  /** To be told when somebody looks, for whatever reason. */
  looked(): void {
    this.#lookedMs = performance.now()
  }

  /** Looks soon, but not more often than `pauseMs` says. */
  soon(): void {
    const pauseMs = this.#lookedMs + this.#options.pauseMs - performance.now()
    if (pauseMs <= 0 && !this.#isStopped) this.#options.look()
    else this.within(pauseMs)
  }

  /** Sees to it that there is a look in so many milliseconds, or earlier. */
  within(pauseMs: number): void {
    if (this.#isStopped) return
    const atMs = performance.now() + pauseMs
    if (atMs >= this.#nextMs) return
    clearTimeout(this.#timer)
    this.#nextMs = atMs
    this.#timer = setTimeout(() => this.#fire(), Math.min(Math.ceil(pauseMs), this.#options.pollMs))
    this.#timer.unref()
  }

  /** No further looks. */
  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  #fire(): void {
    this.#nextMs = Number.POSITIVE_INFINITY
    this.#options.look()
    // Whoever looks sets the next time, unless nobody could look now.
    this.within(this.#options.pollMs)
  }
}
