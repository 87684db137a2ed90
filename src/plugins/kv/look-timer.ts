import { kvDeliveryLimits } from '../../base/limits.js'

/** Tells when to look for messages next: the earliest time that anybody asked for. Keeps no process alive. */
export class LookTimer {
  readonly #look: () => void
  #timer: NodeJS.Timeout | undefined
  /** Milliseconds of `performance.now()`. */
  #nextMs = Number.POSITIVE_INFINITY
  #lookedMs = Number.NEGATIVE_INFINITY
  #isStopped = false

  constructor(look: () => void) {
    this.#look = look
  }

  /** To be told when somebody looks, for whatever reason. */
  looked(): void {
    this.#lookedMs = performance.now()
  }

  /** Looks soon, but not more often than `kvDeliveryLimits.lookPauseMs` says. */
  soon(): void {
    const pauseMs = this.#lookedMs + kvDeliveryLimits.lookPauseMs - performance.now()
    if (pauseMs <= 0 && !this.#isStopped) this.#look()
    else this.within(pauseMs)
  }

  /** Sees to it that there is a look in so many milliseconds, or earlier. */
  within(pauseMs: number): void {
    if (this.#isStopped) return
    const atMs = performance.now() + pauseMs
    if (atMs >= this.#nextMs) return
    clearTimeout(this.#timer)
    this.#nextMs = atMs
    this.#timer = setTimeout(() => this.#fire(), Math.min(Math.ceil(pauseMs), kvDeliveryLimits.pollMs))
    this.#timer.unref()
  }

  /** No further looks. */
  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  #fire(): void {
    this.#nextMs = Number.POSITIVE_INFINITY
    this.#look()
    // Whoever looks sets the next time, unless nobody could look now.
    this.within(kvDeliveryLimits.pollMs)
  }
}
