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
  /** Seconds after which a client that got no stream may ask again. */
  streamsRetrySeconds: 5,
  /** Time between two snapshots of a stream. */
  snapshotMs: 1000,
  /** Snapshots in a row that a reader may have no room for; at one more its stream is ended. */
  skippedMax: 60,
  /** Requests that are shown in a snapshot. */
  recentRequestsMax: 10,
  /** Requests that the log keeps unless it is told otherwise; the oldest one gives way. */
  logSize: 100,
  /** Characters of a path in the log; the rest is cut. */
  pathLengthMax: 512,
  /** Time between two entries of the history. */
  historyMs: 1000,
  /** Time between two transactions that write the history to the database. */
  historySaveMs: 10_000,
  /** Entries of the history; the oldest one gives way. */
  historyMax: 3600,
  /** Rows of the history in one statement. */
  historyRowsPerInsert: 200,
  /** Bytes of a request body; more answers 413. */
  bodyBytesMax: 256 * 1024,
  /** Characters of a refused value, or of an unknown path, in a message; the rest is cut. */
  previewCharacters: 100,
} as const

/** Limits of the stages of plugins. */
export const stageLimits = {
  /** Stages that one plugin may register; one more is refused. */
  registrationsMax: 20,
} as const
