import type { Listener } from './listener-index.js'

interface Count {
  readonly generation: number
  failures: number
  /** Milliseconds of `performance.now()`. */
  openUntilMs: number
}

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
 *
 * A count belongs to one generation: the next one starts anew.
 */
export class ListenerBreakers {
  readonly #options: ListenerBreakersOptions
  readonly #counts = new Map<string, Count>()

  constructor(options: ListenerBreakersOptions) {
    this.#options = options
  }

  /** How many messages the function may be working on at this moment: none, one to try it with, or its own number. */
  concurrencyOf(listener: Listener, nowMs: number): number {
    const count = this.#current(listener)
    if (count === undefined || count.failures < this.#options.failuresMax) return listener.concurrency
    return nowMs < count.openUntilMs ? 0 : 1
  }

  /** When the function may be tried again; undefined while it is not spared. In time of `performance.now()`. */
  openUntilMs(listener: Listener, nowMs: number): number | undefined {
    const openUntilMs = this.#current(listener)?.openUntilMs ?? 0
    return openUntilMs > nowMs ? openUntilMs : undefined
  }

  succeeded(listener: Listener): void {
    if (this.#current(listener) !== undefined) this.#counts.delete(nameOf(listener))
  }

  failed(listener: Listener, nowMs: number): void {
    const known = this.#counts.get(nameOf(listener))
    if (known !== undefined && known.generation > listener.generation.id) return
    const count = this.#current(listener) ?? {
      generation: listener.generation.id,
      failures: 0,
      openUntilMs: 0,
    }
    this.#counts.set(nameOf(listener), count)
    count.failures += 1
    if (count.failures < this.#options.failuresMax) return
    count.openUntilMs = nowMs + this.#options.pauseMs
    // Calls that were under way at the trip, and tries that fail, only lengthen the pause.
    if (count.failures === this.#options.failuresMax) this.#options.onTrip(listener, count.failures)
  }

  #current(listener: Listener): Count | undefined {
    const count = this.#counts.get(nameOf(listener))
    return count?.generation === listener.generation.id ? count : undefined
  }
}

function nameOf({ plugin, queue }: Listener): string {
  return `${plugin} ${queue}`
}
