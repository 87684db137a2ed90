import { defineError } from './errors.js'
import { rateLimits } from './limits.js'

/** Raised for a rate or burst that makes no sense. */
export const rateInvalid = defineError(
  'RATE_INVALID',
  500,
  'The rate limit of {perSecond} per second with bursts of {burst} cannot be used; the rate takes 0 (unlimited) or more, the burst 1 or more.',
)

/** One rate for many keys. */
export interface TokenBucketOptions {
  /** Tokens that each key gains per second, fractions allowed; 0 means unlimited: every `take` succeeds. */
  readonly perSecond: number
  /** Tokens that a key can save up, and starts with. */
  readonly burst: number
  /** Milliseconds that never go back; `performance.now` when missing. */
  readonly clock?: () => number
  /** Keys remembered at once; `rateLimits.keysMax` when missing. */
  readonly keysMax?: number
}

/** Token buckets by key, in bounded memory and without a timer. */
export interface TokenBuckets {
  /** Takes one token of the key; false when it has none left, which costs nothing. */
  take(key: string): boolean
  /** Milliseconds until the key has a token; 0 when it has one. */
  waitMs(key: string): number
  /** Keys remembered at the moment. */
  readonly size: number
}

/**
 * Creates token buckets.
 *
 * @throws `RATE_INVALID` for a negative rate, a burst below 1, or either not finite.
 */
export function createTokenBuckets(options: TokenBucketOptions): TokenBuckets {
  const { perSecond, burst } = options
  if (!(perSecond >= 0 && burst >= 1 && Number.isFinite(perSecond) && Number.isFinite(burst))) {
    throw rateInvalid({ perSecond, burst })
  }
  if (perSecond === 0) return { take: () => true, waitMs: () => 0, size: 0 }
  return new FullTimeBuckets(options)
}

/**
 * Keeps one number per key: the time at which its bucket is full again. Taking a token moves that time by one
 * interval; it may lie at most `burst` intervals ahead. A key that is full needs no entry at all.
 *
 *   ──────now─────────────────fullAt──────────now + burst·interval──▶
 *          │◀── tokens used ──▶│◀── tokens left ──▶│
 */
class FullTimeBuckets implements TokenBuckets {
  readonly #intervalMs: number
  readonly #aheadMsMax: number
  readonly #slackMs: number
  readonly #clock: () => number
  readonly #keysMax: number
  /** In the order in which keys were last served, so that the oldest are found without a search. */
  readonly #fullAt = new Map<string, number>()
  #purgedAt: number
  /** The key that was served last; it is the last of `#fullAt`, or has been purged since. */
  #newest: string | undefined

  constructor({ perSecond, burst, clock = () => performance.now(), keysMax }: TokenBucketOptions) {
    this.#intervalMs = 1000 / perSecond
    // Adding many fractions drifts by less than this, which is far less than a token.
    this.#slackMs = Math.min(0.001, this.#intervalMs / 2)
    this.#aheadMsMax = Math.floor(burst) * this.#intervalMs + this.#slackMs
    this.#clock = clock
    this.#keysMax = Math.max(1, keysMax ?? rateLimits.keysMax)
    this.#purgedAt = clock()
  }

  get size(): number {
    return this.#fullAt.size
  }

  take(key: string): boolean {
    const now = this.#clock()
    const fullAt = Math.max(this.#fullAt.get(key) ?? now, now) + this.#intervalMs
    if (fullAt - now > this.#aheadMsMax) return false
    // The newest key stays where it is: taking it out and in again for each request makes garbage that lives long.
    if (key !== this.#newest) {
      this.#fullAt.delete(key)
      this.#makeRoom(now)
      this.#newest = key
    }
    this.#fullAt.set(key, fullAt)
    return true
  }

  waitMs(key: string): number {
    const now = this.#clock()
    const fullAt = Math.max(this.#fullAt.get(key) ?? now, now) + this.#intervalMs
    const missingMs = fullAt - now - this.#aheadMsMax
    return missingMs > 0 ? missingMs + this.#slackMs : 0
  }

  #makeRoom(now: number): void {
    if (now - this.#purgedAt >= rateLimits.purgeEveryMs) this.#purge(now)
    if (this.#fullAt.size < this.#keysMax) return
    for (const oldest of this.#fullAt.keys()) {
      this.#fullAt.delete(oldest)
      return
    }
  }

  /** Removes the oldest entries up to the first that is not idle; a long row of them over several requests. */
  #purge(now: number): void {
    let left: number = rateLimits.purgeBatchMax
    for (const [key, fullAt] of this.#fullAt) {
      if (now - fullAt < rateLimits.idleMs) break
      if (left-- === 0) return
      this.#fullAt.delete(key)
    }
    this.#purgedAt = now
  }
}
