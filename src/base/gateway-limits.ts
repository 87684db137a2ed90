/**
 * Fixed limits of the gateway, with what happens at each; see `limits.ts`, whose words and units hold here as well.
 */

/** Limits of the rate limit. */
export const rateLimitLimits = {
  /** Characters of a key that are kept as they are; longer keys are replaced by their digest. */
  keyLengthMax: 128,
} as const

/** Limits of rules for other origins. */
export const corsLimits = {
  /** Rules kept at once; one more is refused. */
  rulesMax: 200,
} as const

/** Limits of the shell. */
export const shellLimits = {
  /** Basenames that admins and plugins may exclude; one more is refused. */
  excludesMax: 1000,
  /** Characters of a basename; longer ones are no basenames. */
  basenameLengthMax: 128,
  /** Characters of the cookie that excludes basenames; a longer one excludes nothing. */
  cookieLengthMax: 4096,
  /** Basenames that are read from that cookie; the rest does not count. */
  cookieExcludesMax: 100,
  /** Bytes of the page of a shell, which is kept in memory; a larger one is refused. */
  pageBytesMax: 1024 * 1024,
} as const

/** Limits of the proxy. */
export const proxyLimits = {
  /** Rules kept at once; one more is refused. */
  rulesMax: 500,
} as const

/** Limits of the response cache. */
export const cacheLimits = {
  /** Bytes of one body in the cache; larger answers are not kept. */
  bodyBytesMax: 1024 * 1024,
} as const

/** Limits of the request log, the metrics history and the streams of the gateway. */
export const monitorLimits = {
  /** Streams of live figures that are open at once; one more answers 503. */
  streamsMax: 32,
} as const

/** Limits of the stages of plugins. */
export const stageLimits = {
  /** Stages that one plugin may register; one more is refused. */
  registrationsMax: 20,
} as const
