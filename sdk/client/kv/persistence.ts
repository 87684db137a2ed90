import { ClientError } from '../client-error.js'

const firstPauseMs = 200
const longestPauseMs = 10_000

/** Errors that may be over when the same is tried again later. */
const passingStatuses: readonly number[] = [0, 408, 425, 429]

/** Tries the same thing again and again, with pauses that grow while it fails. */
export class Persistence {
  readonly #signal: AbortSignal
  readonly #report: (error: Error) => void
  #failures = 0

  /** @param report Told of each failure after which something is tried again. */
  constructor(signal: AbortSignal, report: (error: Error) => void = () => {}) {
    this.#signal = signal
    this.#report = report
  }

  /** Tells that it works: the next failure is the first one again. */
  succeeded(): void {
    this.#failures = 0
  }

  /**
   * Waits before the next try.
   *
   * @param thrown What this try failed with; nothing when it ended without an error.
   * @throws What was thrown, when trying again does not mend it.
   */
  async pause(thrown?: unknown): Promise<void> {
    if (this.#signal.aborted) return
    if (thrown !== undefined) {
      if (!isPassing(thrown)) throw thrown
      this.#report(thrown)
    }
    const longest = Math.min(longestPauseMs, firstPauseMs * 2 ** this.#failures)
    this.#failures += 1
    // Clients that have lost the same server do not all come back in one moment.
    await pause(longest * (0.5 + Math.random() / 2), this.#signal)
  }
}

/** Waits, but no longer than until the signal. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end, { once: true })
    if (signal.aborted) end()
  })
}

/** What is no `ClientError` comes from a connection that broke while an answer was read. */
function isPassing(thrown: unknown): thrown is Error {
  if (!(thrown instanceof ClientError)) return thrown instanceof Error
  return thrown.status >= 500 || passingStatuses.includes(thrown.status)
}
