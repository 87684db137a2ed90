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
} as const

/** Limits of the proxy. */
export const proxyLimits = {
  /** Rules kept at once; one more is refused. */
  rulesMax: 500,
  /** Characters of a pattern; a longer one is refused. */
  patternLengthMax: 512,
  /** Characters of a path, as the router reads it, that patterns are tested on; no rule takes a longer one. */
  pathLengthMax: 2048,
  /** Milliseconds for a pattern with several open repetitions; the request is refused when it takes longer. */
  patternMs: 20,
  /** Characters of any other text of a rule; a longer one is refused. */
  textLengthMax: 2048,
  /** Headers that one rule sets; one more is refused. */
  ruleHeadersMax: 50,
  /** Globs of public routes of one rule; one more is refused. */
  publicRoutesMax: 200,
  /** Milliseconds in which a connection to a target is open, else 504. */
  connectMs: 10_000,
  /** Milliseconds in which a target begins to answer once it has the request, else 504. */
  headersMs: 60_000,
  /** Milliseconds without a byte of an answer after which it is cut off. */
  bodyIdleMs: 300_000,
  /** Headers of an answer of a target; with one more the client gets 502. */
  answerHeadersMax: 100,
  /** Bytes of an HTML page that links are rewritten in; a larger one is passed on as it is. */
  htmlBytesMax: 4 * 1024 * 1024,
  /** WebSocket tunnels that are open or being opened; one more answers 503. */
  tunnelsMax: 1000,
  /** Milliseconds without a byte in either direction after which a tunnel is closed. */
  tunnelIdleMs: 300_000,
  /** Bytes that a client may send before its tunnel is open; then it is not read from until it is. */
  tunnelEarlyBytesMax: 64 * 1024,
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
