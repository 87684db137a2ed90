/**
 * Fixed limits of the gateway, with what happens at each; see `limits.ts`, whose words and units hold here as well.
 */

/** Limits of the entries by which parts of the gateway name paths. */
export const pathPatternLimits = {
  /** Characters of one entry; a longer one is refused where it is given. */
  entryCharactersMax: 512,
} as const

/** Limits of the rate limit. */
export const rateLimitLimits = {
  /** Characters of a key that are kept as they are; longer keys are replaced by their digest. */
  keyLengthMax: 128,
  /** Clients remembered at once for each rate unless the options say otherwise; about 200 bytes each. */
  bucketsDefault: 100_000,
  /** Clients remembered at once for the limits of one plugin; above it the one idle for longest is forgotten. */
  pluginBucketsMax: 10_000,
  /** Requests that a limit may allow within its window; a larger one is refused. */
  requestsMax: 1_000_000,
  /** Seconds of a window, 31 days; a longer one is refused. */
  windowSecondsMax: 31 * 24 * 60 * 60,
  /** Rules beside the limit for everything; one more is refused. */
  rulesMax: 100,
  /** Idle clients that are forgotten while one request is looked at, so that no request pays for many. */
  forgetStep: 4,
  /** Idle clients that are forgotten at one look at the figures. */
  forgetBatchMax: 1000,
  /** Buckets that one listing shows when it names no limit. */
  listingDefault: 100,
  /** Buckets that one listing shows at most; a larger limit is refused. */
  listingMax: 1000,
  /** Time between two log lines about a key function that fails. */
  keyFailureLogMs: 60_000,
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
  /** Stages and functions for keys that one plugin may register; one more is refused. */
  registrationsMax: 20,
  /** Characters of the name of a stage; a longer one is refused. */
  nameCharactersMax: 64,
  /** Path patterns of one stage; a stage with more is refused. */
  pathsMax: 8,
  /** Characters of one path pattern; a longer one is refused. */
  pathCharactersMax: 128,
  /** Characters of what a stage is approved under, its methods and paths together; one with more is refused. */
  keyCharactersMax: 300,
  /** The smallest and the first priority; a smaller one is refused. */
  priorityMin: 1,
  /** The largest and the last priority; a larger one is refused. */
  priorityMax: 1000,
  /** Time of one call of a stage that names none. */
  timeoutMsDefault: 250,
  /** Longest time that a stage can ask for; more is refused. */
  timeoutMsMax: 5000,
  /** Time beyond its own after which nobody waits for a call, e.g. because its thread is stuck; it counts as failed. */
  lateMs: 250,
  /** Database and key-value operations of one call; one more raises. */
  operationsMax: 100,
  /** Failures in a row that open the breaker of a stage. */
  failuresMax: 5,
  /** Time for which the breaker of a stage stays open; then one request tries it. */
  breakerResetMs: 10_000,
  /** Headers of a request that one call may set or remove; more is an error of the stage. */
  requestHeadersMax: 50,
  /** Bytes of the name and the value of one such header together; more is an error of the stage. */
  requestHeaderBytesMax: 8 * 1024,
  /** Bytes of the path and the query that a request is given; more is an error of the stage. */
  targetBytesMax: 4 * 1024,
  /** Bytes of the body of an answer that a stage gets to see; a larger one is not shown. */
  bodyBytesMax: 256 * 1024,
  /** Bytes of what a function for keys returns; more is an error of the function. */
  keyBytesMax: 1024,
} as const
