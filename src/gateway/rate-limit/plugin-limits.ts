import type { Clock } from '../../base/clock.js'
import { rateLimitLimits } from '../../base/limits/gateway.js'
import { BucketStore, checkCost, makeRate, type Taking } from './bucket-store.js'
import { boundKey } from './client-key.js'

/** A limit of a plugin's own. */
export interface PluginLimit {
  readonly requests: number
  readonly windowSeconds: number
  /** Tokens that this takes, 0 to look only; 1 when missing. */
  readonly cost?: number
}

/**
 * Limits that plugins keep for things of their own, such as logins per account. Each plugin has its own buckets, so
 * that no plugin reads, empties or pushes out those of another.
 */
export class PluginLimits {
  readonly #clock: Clock
  readonly #bucketsMax: number
  readonly #stores = new Map<string, BucketStore>()

  /**
   * @param options.clock `performance.now` when missing.
   * @param options.bucketsMax Buckets of one plugin at once; `rateLimitLimits.pluginBucketsMax` when missing.
   */
  constructor(options: { readonly clock?: Clock; readonly bucketsMax?: number } = {}) {
    this.#clock = options.clock ?? (() => performance.now())
    this.#bucketsMax = options.bucketsMax ?? rateLimitLimits.pluginBucketsMax
  }

  /**
   * Takes tokens of a key, all or none. The same key with other requests or another window is another bucket.
   *
   * @param plugin Name of the plugin that asks.
   * @param key Any text; a long one is replaced by its digest.
   * @throws `RATE_LIMIT_INVALID` for requests, a window or a cost that no limit can have.
   */
  take(plugin: string, key: string, { requests, windowSeconds, cost = 1 }: PluginLimit): Taking {
    const rate = makeRate(requests, windowSeconds)
    // Who takes nothing only looks.
    if (cost !== 0) checkCost(cost, rate)
    return this.#storeOf(plugin).take(`${requests}/${windowSeconds}:${boundKey(key)}`, rate, cost)
  }

  /** Drops the buckets of a plugin that has been removed. */
  forget(plugin: string): void {
    this.#stores.delete(plugin)
  }

  #storeOf(plugin: string): BucketStore {
    const known = this.#stores.get(plugin)
    if (known !== undefined) return known
    const store = new BucketStore(this.#bucketsMax, this.#clock)
    this.#stores.set(plugin, store)
    return store
  }
}
