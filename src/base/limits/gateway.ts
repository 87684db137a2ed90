/** Limits of what is taken over from other processes on the same database. */
export const followLimits = {
  /** Time between two looks for rules and excludes that another process has changed. */
  everyMs: 500,
} as const

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
  /** Milliseconds that a client is idle before it is forgotten, though its bucket is full, unless others need the place. */
  forgetIdleMs: 1000,
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
  /** Characters of a pattern; a longer one is refused. */
  patternLengthMax: 512,
  /** Characters of a path, as the router reads it, that patterns are tested on; no rule takes a longer one. */
  pathLengthMax: 2048,
  /** Milliseconds for a pattern with several open repetitions; the request is refused when it takes longer. */
  patternMs: 20,
  /** Characters of any other text of a rule; a longer one is refused. */
  textLengthMax: 2048,
  /** Bytes of the header that says who sends a request; one with more roles and groups is not sent on. */
  identityBytesMax: 8 * 1024,
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

/** Limits of the response cache, and of the cache of values that plugins have. */
export const cacheLimits = {
  /** Bytes of one body in the cache; larger answers are not kept. */
  bodyBytesMax: 1024 * 1024,
  /** Bytes of all answers in the cache when the settings say nothing; the least recently used go first. */
  bytesDefault: 64 * 1024 * 1024,
  /** Bytes of bodies that are collected while they pass to clients; when all are taken, answers pass uncollected. */
  recordingBytesMax: 32 * 1024 * 1024,
  /** Answers kept for one URL, which differ by headers of the request; the least recently stored goes. */
  variantsMax: 16,
  /** Header names in one `Vary`; an answer with more is not kept. */
  varyNamesMax: 10,
  /** Characters of host, URL and keyed headers of one request; longer requests go past the cache. */
  keyLengthMax: 8192,
  /** Characters of one `Cache-Control` that are read; a longer one counts as `no-store`. */
  directivesLengthMax: 1024,
  /** Tags of one entry; an answer with more is not kept, as it could not be taken out by each. */
  tagsMax: 32,
  /** Characters of one tag; an answer with a longer one is not kept, and a value of a plugin with one is refused. */
  tagLengthMax: 128,
  /** Characters of a key or pattern that is to be taken out; longer ones are refused. */
  patternLengthMax: 2048,
  /** Seconds that an entry lives at most, whatever its answer says. */
  lifetimeSecondsMax: 365 * 24 * 3600,
  /** Milliseconds that requests wait for the first one of their key; then they go on by themselves. */
  waitMs: 5000,
  /** Milliseconds for which requests do not wait for each other after an answer that could not be kept. */
  passMs: 10_000,
  /** URLs of which is known that their answers cannot be kept; above it, those learnt first are forgotten. */
  passesMax: 1000,
  /** Bytes of values that one plugin has in its cache; the least recently used go first. */
  pluginBytesMax: 8 * 1024 * 1024,
  /** Bytes of values that all plugins have in their caches together; the least recently used go first. */
  pluginsBytesMax: 64 * 1024 * 1024,
  /** Bytes of one value of a plugin as JSON; larger ones are refused. */
  pluginValueBytesMax: 256 * 1024,
  /** Characters of a key of a plugin; longer ones are refused. */
  pluginKeyLengthMax: 512,
  /** Seconds that a value of a plugin is kept when the plugin does not say. */
  pluginTtlSecondsDefault: 300,
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

/** Limits of what plugins ask of the gateway. */
export const gatewayServiceLimits = {
  /** Requests that one look of a plugin at the request log gives when it names no limit. */
  logRowsDefault: 50,
  /** Requests that one look of a plugin at the request log gives at most; a larger limit is refused. */
  logRowsMax: 500,
  /** Operations that a look at the request log or at the figures counts as, for it takes time of the HTTP thread. */
  lookOperations: 10,
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
  /** Segments of one path pattern, which may be looked for at each segment of a path; a pattern with more is refused. */
  pathSegmentsMax: 16,
  /** Characters of what a stage is approved under, its methods and paths together; one with more is refused. */
  keyCharactersMax: 300,
  /** The smallest and the first priority; a smaller one is refused. */
  priorityMin: 1,
  /** The largest and the last priority; a larger one is refused. */
  priorityMax: 1000,
  /** Time of one call of a stage that names none, unless the operator chose another. */
  timeoutMsDefault: 250,
  /** Longest time that a stage can ask for; more is refused. */
  timeoutMsMax: 5000,
  /** Time beyond its own after which nobody waits for a call, e.g. because its thread is stuck; it counts as failed. */
  lateMs: 250,
  /** Database and key-value operations of one call; one more raises. */
  operationsMax: 100,
  /** Failures in a row that open the breaker of a stage, unless the operator chose another number. */
  failuresMax: 10,
  /** Time for which the breaker of a stage stays open, unless the operator chose another; then one request tries it. */
  breakerResetMs: 30_000,
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
