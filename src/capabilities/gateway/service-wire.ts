/** What the module asks of the host; each is a topic. */
export const gatewayTopics = {
  rateLimit: 'gateway.rate_limit',
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
