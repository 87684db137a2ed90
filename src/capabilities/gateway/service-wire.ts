import type { RequestLogQuery } from '../../gateway/monitor/request-log.js'

/** What the module asks of the host; each is a topic. */
export const gatewayTopics = {
  rateLimit: 'gateway.rate_limit',
  cacheGet: 'gateway.cache.get',
  cacheSet: 'gateway.cache.set',
  cacheDelete: 'gateway.cache.delete',
  logQuery: 'gateway.log.query',
  stats: 'gateway.stats',
  shellExclude: 'gateway.shell.exclude',
  shellInclude: 'gateway.shell.include',
} as const

/** A limit of a plugin's own, checked. */
export interface RateLimitQuestion {
  /** At most `rateLimitLimits.keyLengthMax` characters. */
  readonly key: string
  readonly requests: number
  readonly windowSeconds: number
  readonly cost: number
}

/** What came of it; seconds are whole. */
export interface RateLimitAnswer {
  readonly isAllowed: boolean
  readonly remaining: number
  /** Until the limit is as if nothing had been taken. */
  readonly resetSeconds: number
  /** Until the same can be taken; 0 when it was taken. */
  readonly retryAfterSeconds: number
}

/** A value for the cache, checked. */
export interface CacheEntry {
  readonly key: string
  /** The value as JSON. */
  readonly json: string
  readonly ttlSeconds: number
  readonly tags: readonly string[]
}

/** What is to be taken out of the cache. */
export type CacheDeletion = { readonly key: string } | { readonly tag: string }

/** Which requests of the log are wanted; the limit is always there. */
export type LogQuestion = RequestLogQuery & { readonly limit: number }

/** What the host answers where something can fail: a value as JSON text, empty for nil, or why there is none. */
export type ServiceAnswer =
  | { readonly ok: true; readonly json: string }
  | { readonly ok: false; readonly message: string }
