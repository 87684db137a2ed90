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
  /** Characters of the name of a rule; a longer one is refused. */
  nameLengthMax: 100,
  /** Origins of one rule; more are refused. */
  originsMax: 100,
  /** Characters of one origin, in a rule or in a request; a rule with a longer one is refused, a request matches `*` only. */
  originLengthMax: 300,
  /** Names in one list of headers of a rule; more are refused. */
  headersMax: 100,
  /** Characters of the name of a header, in a rule or asked for; a rule is refused, what is asked for is not allowed. */
  headerNameLengthMax: 128,
  /** Characters of all headers that a preflight asks for; when there are more, none is allowed. */
  requestedHeadersLengthMax: 4096,
  /** Seconds that a preflight may be remembered; a rule with more is refused. */
  maxAgeSecondsMax: 31_536_000,
} as const

/** Limits of the shell. */
export const shellLimits = {
  /** Basenames that admins and plugins may exclude; one more is refused. */
  excludesMax: 1000,
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
