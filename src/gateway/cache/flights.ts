import { cacheLimits } from '../../base/gateway-limits.js'

/** The first request of a key, on its way; others wait for it. */
export interface Flight {
  /** Lets all who wait go on, at once; may be called more than once. */
  end(): void
}

class WaitedFor implements Flight {
  readonly waiting = new Set<() => void>()
  readonly #timer: NodeJS.Timeout
  readonly #onEnd: () => void

  constructor(waitMs: number, onEnd: () => void) {
    this.#onEnd = onEnd
    this.#timer = setTimeout(() => this.end(), waitMs)
    this.#timer.unref()
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#onEnd()
    for (const goOn of this.waiting) goOn()
    this.waiting.clear()
  }
}

/** The first requests of all keys, and the keys for which waiting is of no use. */
export class Flights {
  readonly #waitMs: number
  readonly #flights = new Map<string, WaitedFor>()
  /** Keys whose answers could not be kept, and until when that is believed: those learnt lately, and those before. */
  #passes = new Map<string, number>()
  #olderPasses = new Map<string, number>()

  constructor(waitMs: number = cacheLimits.waitMs) {
    this.#waitMs = waitMs
  }

  /** Begins a flight, unless there is one or nobody should wait for this key. */
  begin(key: string, nowMs: number): Flight | undefined {
    if (this.#flights.has(key) || this.#isPassed(key, nowMs)) return undefined
    const flight: WaitedFor = new WaitedFor(this.#waitMs, () => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key)
    })
    this.#flights.set(key, flight)
    return flight
  }

  /**
   * Waits for the flight of a key.
   *
   * @param onGone Is given a function to call when the client has gone; the wait is over then.
   * @returns Undefined when there is none; otherwise whether the client is still there at the end.
   */
  wait(key: string, onGone: (stop: () => void) => void): Promise<boolean> | undefined {
    const flight = this.#flights.get(key)
    if (flight === undefined) return undefined
    return new Promise((resolve) => {
      const goOn = () => resolve(true)
      flight.waiting.add(goOn)
      onGone(() => {
        flight.waiting.delete(goOn)
        resolve(false)
      })
    })
  }

  /** Remembers for a while whether answers of this key can be kept. */
  learn(key: string, isKept: boolean, nowMs: number): void {
    const until = this.#passes.get(key)
    // What was learnt lately is not worth learning anew with each answer.
    if (!isKept && until !== undefined && until - nowMs > cacheLimits.passMs / 2) return
    if (isKept) {
      this.#passes.delete(key)
      this.#olderPasses.delete(key)
      return
    }
    // Whole tables are dropped: to find the oldest entry of one takes the longer the more were deleted.
    if (until === undefined && this.#passes.size >= cacheLimits.passesMax / 2) {
      this.#olderPasses = this.#passes
      this.#passes = new Map()
    }
    this.#passes.set(key, nowMs + cacheLimits.passMs)
  }

  #isPassed(key: string, nowMs: number): boolean {
    const until = this.#passes.get(key) ?? this.#olderPasses.get(key)
    return until !== undefined && nowMs < until
  }
}
