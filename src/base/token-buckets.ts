import { defineError } from './errors.js'
import { rateLimits } from './limits/server.js'
import { LinkedRow, type RowItem } from './linked-row.js'

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

interface Bucket extends RowItem<Bucket> {
  readonly key: string
  fullAt: number
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
  readonly #buckets = new Map<string, Bucket>()
  /** In the order in which keys were last served. */
  readonly #row = new LinkedRow<Bucket>()
  #purgedAt: number

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
    return this.#buckets.size
  }

  take(key: string): boolean {
    const now = this.#clock()
    const known = this.#buckets.get(key)
    const fullAt = Math.max(known?.fullAt ?? now, now) + this.#intervalMs
    if (fullAt - now > this.#aheadMsMax) return false
    if (known === undefined) {
      this.#add(key, fullAt, now)
      return true
    }
    known.fullAt = fullAt
    this.#row.renew(known)
    return true
  }

  waitMs(key: string): number {
    const now = this.#clock()
    const fullAt = Math.max(this.#buckets.get(key)?.fullAt ?? now, now) + this.#intervalMs
    const missingMs = fullAt - now - this.#aheadMsMax
    return missingMs > 0 ? missingMs + this.#slackMs : 0
  }

  #add(key: string, fullAt: number, now: number): void {
    if (now - this.#purgedAt >= rateLimits.purgeEveryMs) this.#purge(now)
    const { oldest } = this.#row
    if (oldest !== undefined && this.#buckets.size >= this.#keysMax) this.#drop(oldest)
    const bucket: Bucket = { key, fullAt, older: undefined, newer: undefined }
    this.#buckets.set(key, bucket)
    this.#row.append(bucket)
  }

  /** Removes the oldest entries up to the first that is not idle; a long row of them over several requests. */
  #purge(now: number): void {
    let left: number = rateLimits.purgeBatchMax
    for (let { oldest } = this.#row; oldest !== undefined; oldest = this.#row.oldest) {
      if (now - oldest.fullAt < rateLimits.idleMs) break
      if (left-- === 0) return
      this.#drop(oldest)
    }
    this.#purgedAt = now
  }

  #drop(bucket: Bucket): void {
    this.#buckets.delete(bucket.key)
    this.#row.remove(bucket)
  }
}
