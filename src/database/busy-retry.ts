import { setTimeout as sleep } from 'node:timers/promises'
import { databaseLimits } from '../base/limits/database.js'
import { databaseBusy } from './errors.js'
import { isBusy } from './sqlite.js'

/** Bounds of one retry loop; each defaults to the value of the same name in `databaseLimits`. */
export interface BusyRetryOptions {
  /** Time from the first attempt after which the work is given up. */
  readonly busyRetryMs?: number
  /** Length of the first pause; each further one is twice as long. */
  readonly busyPauseMs?: number
  /** Longest pause. */
  readonly busyPauseMsMax?: number
  /** Told each time before the loop pauses. */
  readonly onRetry?: (attempt: number, waitedMs: number) => void
}

/**
 * Runs work again on a timer, with growing random pauses, for as long as the database is locked by another
 * connection. The event loop is never blocked. Errors other than SQLITE_BUSY are passed on at once.
 *
 * @param work Runs at least once. What it did before it met the lock must be undone, as by a transaction.
 * @throws `DATABASE_BUSY` when the lock outlasts `busyRetryMs`.
 */
export async function retryWhileBusy<T>(
  work: () => T | Promise<T>,
  options: BusyRetryOptions = {},
): Promise<T> {
  const limitMs = options.busyRetryMs ?? databaseLimits.busyRetryMs
  const startMs = performance.now()
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (!isBusy(error)) throw error
      const waitedMs = Math.round(performance.now() - startMs)
      if (waitedMs >= limitMs)
        throw databaseBusy({ waitedMs, limitMs }, { cause: error, retryAfterSeconds: 1 })
      options.onRetry?.(attempt, waitedMs)
      await sleep(Math.min(pauseMs(attempt, options), limitMs - waitedMs))
    }
  }
}

/** Half of each pause is random, so that writers that met once do not meet again at every attempt. */
function pauseMs(attempt: number, options: BusyRetryOptions): number {
  const first = options.busyPauseMs ?? databaseLimits.busyPauseMs
  const longest = options.busyPauseMsMax ?? databaseLimits.busyPauseMsMax
  const whole = Math.min(first * 2 ** Math.min(attempt - 1, 30), longest)
  return whole * (0.5 + Math.random() / 2)
}
