import type { Clock } from '../../base/clock.js'
import { rateLimitLimits } from '../../base/limits/gateway.js'
import { LinkedRow, type RowItem } from '../../base/linked-row.js'
import { rateInvalid } from './errors.js'

/** How many requests one client may send. */
export interface Rate {
  /** Tokens that a bucket holds at most, and starts with. */
  readonly capacity: number
  /** In which an empty bucket gets full. */
  readonly windowSeconds: number
}

/** What came of taking tokens. */
export interface Taking {
  readonly isAllowed: boolean
  /** Whole tokens that are left. */
  readonly remaining: number
  /** Seconds until there are enough tokens for the same cost, rounded up; 0 when it was allowed. */
  readonly retryAfter: number
  /** Milliseconds until the bucket is full again. */
  readonly fullInMs: number
}

/** One bucket as it stands. */
export interface BucketState {
  readonly key: string
  readonly tokens: number
  /** Seconds until there is a whole token, rounded up; 0 when there is one. */
  readonly retryAfter: number
  /** Milliseconds since the last request of the client, allowed or not. */
  readonly idleMs: number
}

interface Bucket extends RowItem<Bucket> {
  /** Its own copy: the text of a caller may be a part of a long header, all of which would stay in memory with it. */
  readonly key: string
  readonly rate: Rate
  /** As of `at`: what has come in since is added whenever somebody looks, and no timer runs. */
  tokens: number
  at: number
  activeAt: number
}

/** A token that is missing by less than this is there: sums of fractions are off by less. */
const slack = 1e-9

/**
 * Makes a rate of plain numbers.
 *
 * @throws `RATE_LIMIT_INVALID` for what is no whole number, below 1 or above the limits of `rateLimitLimits`.
 */
export function makeRate(requests: number, windowSeconds: number): Rate {
  checkCount('requests', requests, rateLimitLimits.requestsMax)
  checkCount('windowSeconds', windowSeconds, rateLimitLimits.windowSecondsMax)
  return { capacity: requests, windowSeconds }
}

/** @throws `RATE_LIMIT_INVALID` for a cost that no full bucket can pay, or that is no whole number from 1. */
export function checkCost(cost: number, { capacity }: Rate): void {
  checkCount('cost', cost, capacity)
}

function checkCount(name: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 1 || value > max) throw rateInvalid({ name, value, max })
}

/**
 * Token buckets by key. Memory is bounded: above the limit the bucket without a request for longest is forgotten, and
 * full ones, which are the same as none, are dropped a few at each request. A bucket takes about 200 bytes with a key
 * such as `ip:203.0.113.9`; a key adds one byte per character beyond that, two outside Latin-1.
 */
export class BucketStore {
  readonly #bucketsMax: number
  readonly #clock: Clock
  readonly #buckets = new Map<string, Bucket>()
  /** By their last requests. */
  readonly #row = new LinkedRow<Bucket>()

  /**
   * @param bucketsMax Buckets at once, 1 or more.
   * @param clock Milliseconds that never go back.
   */
  constructor(bucketsMax: number, clock: Clock) {
    this.#bucketsMax = bucketsMax
    this.#clock = clock
  }

  /** Buckets remembered at the moment. */
  get size(): number {
    return this.#buckets.size
  }

  /**
   * Takes tokens from the bucket of a key, all or none.
   *
   * @param rate Of the bucket when it is new; one that is there keeps its own.
   * @param cost Tokens, no more than the capacity.
   */
  take(key: string, rate: Rate, cost: number): Taking {
    const now = this.#clock()
    const bucket = this.#touch(key, rate, now)
    const tokens = tokensAt(bucket, now)
    const isAllowed = tokens + slack >= cost
    bucket.activeAt = now
    // A refusal leaves the bucket as it is: adding up small pieces would only add up their errors.
    if (isAllowed) {
      bucket.tokens = Math.max(0, tokens - cost)
      bucket.at = now
    }
    const left = isAllowed ? bucket.tokens : tokens
    return {
      isAllowed,
      remaining: Math.floor(left + slack),
      retryAfter: isAllowed ? 0 : secondsUntil(left, cost, bucket.rate),
      fullInMs: ((bucket.rate.capacity - left) / bucket.rate.capacity) * bucket.rate.windowSeconds * 1000,
    }
  }

  /** Buckets that are not full, those without requests for longest first. */
  *list(): Iterable<BucketState> {
    const now = this.#clock()
    for (let bucket = this.#row.oldest; bucket !== undefined; bucket = bucket.newer) {
      const { key, rate, activeAt } = bucket
      const tokens = tokensAt(bucket, now)
      if (tokens >= rate.capacity) continue
      yield { key, tokens, retryAfter: secondsUntil(tokens, 1, rate), idleMs: now - activeAt }
    }
  }

  /** Makes the bucket of a key full; false when there is none. */
  reset(key: string): boolean {
    const bucket = this.#buckets.get(key)
    if (bucket === undefined) return false
    this.#drop(bucket)
    return true
  }

  /** Makes all buckets full, and tells how many there were. */
  clear(): number {
    const { size } = this.#buckets
    this.#buckets.clear()
    this.#row.clear()
    return size
  }

  /**
   * Drops full buckets.
   *
   * @param count How many buckets are looked at, those without requests for longest first.
   */
  dropFull(count: number): void {
    this.#dropFull(count, this.#clock(), 0)
  }

  #touch(key: string, rate: Rate, now: number): Bucket {
    const known = this.#buckets.get(key)
    if (known !== undefined) {
      this.#row.renew(known)
      return known
    }
    this.#dropFull(rateLimitLimits.forgetStep, now, rateLimitLimits.forgetIdleMs)
    const { oldest } = this.#row
    if (oldest !== undefined && this.#buckets.size >= this.#bucketsMax) this.#drop(oldest)
    const bucket: Bucket = {
      key: copyOf(key),
      rate,
      tokens: rate.capacity,
      at: now,
      activeAt: now,
      older: undefined,
      newer: undefined,
    }
    this.#buckets.set(bucket.key, bucket)
    this.#row.append(bucket)
    return bucket
  }

  #dropFull(count: number, now: number, idleMs: number): void {
    let bucket = this.#row.oldest
    for (let left = count; left > 0 && bucket !== undefined; left -= 1) {
      const { newer } = bucket
      // A client that sends all the time would have its bucket made anew for each request.
      if (now - bucket.activeAt < idleMs) return
      if (tokensAt(bucket, now) >= bucket.rate.capacity) this.#drop(bucket)
      bucket = newer
    }
  }

  #drop(bucket: Bucket): void {
    this.#buckets.delete(bucket.key)
    this.#row.remove(bucket)
  }
}

function tokensAt({ rate: { capacity, windowSeconds }, tokens, at }: Bucket, now: number): number {
  return Math.min(capacity, tokens + ((now - at) / 1000) * (capacity / windowSeconds))
}

function secondsUntil(tokens: number, cost: number, { capacity, windowSeconds }: Rate): number {
  if (tokens + slack >= cost) return 0
  return Math.max(1, Math.ceil((cost - tokens) / (capacity / windowSeconds) - slack))
}

function copyOf(key: string): string {
  const encoding = /^[\0-\xff]*$/.test(key) ? 'latin1' : 'utf16le'
  return Buffer.from(key, encoding).toString(encoding)
}
