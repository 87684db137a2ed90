/** Limits of the HTTP server in front of everything. */
export const serverLimits = {
  /** Shortest time between two looks for requests that arrive too slowly. */
  checkMsMin: 25,
  /** Longest time between two looks for requests that arrive too slowly, and for clients that do not read. */
  checkMsMax: 1000,
  /** Looks within one timeout, so that it is kept to an eighth. */
  checksPerTimeout: 8,
  /** Requests that wait on one connection for the one before them; then it is not read from until they are answered. */
  pipelinedMax: 16,
  /** Requests that may wait there all the same, because they came in one packet; with one more the connection ends. */
  pipelinedHardMax: 8192,
  /** Headers of a request; one more answers 431. */
  headersMax: 250,
  /** Refused connections that are told so at once; further ones are closed without a word. */
  refusedMax: 256,
  /** Time for which a refused client may read why; then its connection is cut. */
  refusalLingerMs: 1000,
  /** Seconds after which a client that got no connection may try again. */
  refusalRetrySeconds: 5,
  /** Time between two log lines about one kind of refused clients; metrics count all. */
  refusalLogMs: 10_000,
  /** Part of the files that the process may open which connections may take; the rest is for everything else. */
  openFilesShare: 0.75,
  /** Connections at once where the configuration names no number; fewer where the process may open fewer files. */
  connectionsMax: 16_384,
  /** Characters of one segment of a path. */
  pathSegmentMax: 1024,
  /** Time between two looks, during a shutdown, for connections that have answered their last request. */
  closingSweepMs: 50,
  /** Time after which a shutdown cuts off clients that have not sent their request, or not taken its answer, entirely. */
  closingClientMs: 10_000,
  /** Time that a shutdown may take before the process ends anyway. */
  shutdownMs: 30_000,
} as const

/** Limits of what all areas of the HTTP interface have in common. */
export const areaLimits = {
  /** Characters of a path that a failure names; the rest is cut. */
  pathCharactersMax: 200,
} as const

/** Limits of the admin API. */
export const adminLimits = {
  /** Bytes of a request body; a larger one is answered with 413 INVALID_REQUEST. */
  bodyBytesMax: 1024 * 1024,
  /** Routes or tables that one request may name; more is answered with 400 INVALID_REQUEST. */
  itemsMax: 1000,
  /** Problems of one invalid request that its answer lists; the rest is only counted. */
  problemsMax: 20,
} as const

/** Limits of reading the client address from X-Forwarded-For. */
export const clientIpLimits = {
  /** Entries looked at, from the right; when all are trusted or unreadable the socket's address counts. */
  forwardedEntriesMax: 32,
  /** Characters of one entry; a longer one is skipped as unreadable. */
  forwardedEntryLengthMax: 64,
} as const

/** Limits of one rate limiter. */
export const rateLimits = {
  /** Clients remembered at once; beyond, the one that has been served least recently is forgotten. */
  keysMax: 100_000,
  /** Time a bucket has been full after which it is forgotten; it would start full again. */
  idleMs: 10 * 60 * 1000,
  /** Least time between two purges of idle buckets; they run inside a request, as no timer does. */
  purgeEveryMs: 5 * 60 * 1000,
  /** Idle buckets that one request removes; the next request goes on where it ended. */
  purgeBatchMax: 1000,
} as const
