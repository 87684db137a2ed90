import { FailureCounts } from '../failure-counts.js'
import type { Listener } from './listener-index.js'

export interface ListenerBreakersOptions {
  /** Failures in a row after which a function gets no messages for a while. */
  readonly failuresMax: number
  /** That while, in milliseconds. */
  readonly pauseMs: number
  /** Is told each time that a function begins to be spared. */
  onTrip(listener: Listener, failures: number): void
}

/**
 * Spares functions that fail again and again, and with them the tries of messages that would fail for the same reason:
 *
 *   closed ──(failures in a row)──▶ open ──(pause)──▶ trying one message ──(done)──▶ closed
 *                                    ▲                      │
 *                                    └──────(failed)────────┘
 */
export class ListenerBreakers {
  readonly #options: ListenerBreakersOptions
  readonly #counts = new FailureCounts()
  /** When functions that were spared may be tried again, by name, in milliseconds of `performance.now()`. */
  readonly #openUntilMs = new Map<string, number>()

  constructor(options: ListenerBreakersOptions) {
    this.#options = options
  }

  /** How many messages the function may be working on at this moment: none, one to try it with, or its own number. */
  concurrencyOf(listener: Listener, nowMs: number): number {
    if (!this.#isTripped(listener)) return listener.concurrency
    return this.openUntilMs(listener, nowMs) === undefined ? 1 : 0
  }

  /** When the function may be tried again; undefined while it is not spared. In time of `performance.now()`. */
  openUntilMs(listener: Listener, nowMs: number): number | undefined {
    if (!this.#isTripped(listener)) return undefined
    const openUntilMs = this.#openUntilMs.get(nameOf(listener)) ?? 0
    return openUntilMs > nowMs ? openUntilMs : undefined
  }

  succeeded(listener: Listener): void {
    if (this.#counts.of(nameOf(listener), listener.generation.id) === 0) return
    this.#counts.clear(nameOf(listener))
    this.#openUntilMs.delete(nameOf(listener))
  }

  failed(listener: Listener, nowMs: number): void {
    const failures = this.#counts.add(nameOf(listener), listener.generation.id)
    if (failures < this.#options.failuresMax) return
    this.#openUntilMs.set(nameOf(listener), nowMs + this.#options.pauseMs)
    // Calls that were under way at the trip, and tries that fail, only lengthen the pause.
    if (failures === this.#options.failuresMax) this.#options.onTrip(listener, failures)
  }

  #isTripped(listener: Listener): boolean {
    return this.#counts.of(nameOf(listener), listener.generation.id) >= this.#options.failuresMax
  }
}

function nameOf({ plugin, queue }: Listener): string {
  return `${plugin} ${queue}`
}
