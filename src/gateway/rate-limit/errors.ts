import { defineError } from '../../base/errors.js'

/** More requests of one client than a limit allows. */
export const requestsLimited = defineError('RATE_LIMITED', 429, 'Too Many Requests')

/** A route of the rate limit where there is none. */
export const rateLimitDisabled = defineError('RATE_LIMIT_DISABLED', 400, 'Rate limiting not enabled')

/** A parameter of a route of the rate limit that cannot be used. */
export const rateLimitQueryInvalid = defineError(
  'RATE_LIMIT_QUERY_INVALID',
  400,
  'The parameter "{name}" is "{value}"; it takes {expected}.',
)

/** Raised for a text that is no window. */
export const windowInvalid = defineError(
  'RATE_LIMIT_WINDOW_INVALID',
  400,
  'The window "{window}" cannot be used; write a whole number above 0 with the unit s, m, h or d, e.g. "30s" or "1m", or without one for seconds, and no more than {max} seconds altogether.',
)

/** Raised for a number of requests, a window or a cost that no limit can have. */
export const rateInvalid = defineError(
  'RATE_LIMIT_INVALID',
  400,
  'A rate limit has {name} {value}; it takes a whole number from 1 to {max}.',
)

/** Raised for a strategy that gives no key. */
export const keyStrategyInvalid = defineError(
  'RATE_LIMIT_KEY_INVALID',
  400,
  'The key strategy "{keyBy}" is none of "ip", "user", "tenant", "header:<name>", "cookie:<name>" and "lua:<plugin>/<name>".',
)

/** Raised for a rule that cannot be used. */
export const ruleInvalid = defineError(
  'RATE_LIMIT_RULE_INVALID',
  400,
  'Rule {rule} of the rate limit cannot be used: {problem}.',
)
