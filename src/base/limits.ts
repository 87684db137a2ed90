/**
 * Every fixed limit of the host, with what happens at it. Limits that an operator may change are keys of
 * `config.json`; their defaults stand in `src/config/schema.ts` and refer to the same words.
 * Units are the last word of a name: `Ms`, `Bytes`, `Max` (a count).
 */

/** Limits of one Lua VM and of what crosses its border. */
export const vmLimits = {
  /** Lua instructions between two looks at the budgets; a smaller step costs speed, a larger one precision. */
  instructionsPerTick: 1000,
  /** Nesting of a table that crosses the border in either direction; deeper raises "nested too deep". */
  marshalDepthMax: 64,
  /** Values in one crossing; more raises "too many values". */
  marshalNodesMax: 250_000,
  /** Bytes of all strings in one crossing; more raises "too large". */
  marshalBytesMax: 16 * 1024 * 1024,
  /** Values that may be passed to one host function; more raises "too many arguments". */
  hostArgumentsMax: 200,
  /** Refused heap growths in one call before the memory stop: plugin code can catch the first failures only. */
  memoryRefusalsMax: 8,
  /** Calls after which a VM is rebuilt, so that a slow leak cannot grow without end. */
  callsPerVmMax: 100_000,
  /** Bytes of a string that `string.rep` may make; a VM's memory cap lowers it. */
  stringBytesMax: 16 * 1024 * 1024,
  /** Elements that one call of a table function may touch; more raises an error that names the function. */
  tableElementsMax: 10_000_000,
  /** Steps that a pattern may need at worst before the interruptible matcher takes over from the native one. */
  patternStepsMax: 2_000_000,
  /** Bytes of one `print`; the rest is cut. */
  printBytesMax: 8 * 1024,
  /** Findings about one generation that are kept for operators; further ones are only logged. */
  findingsMax: 200,
  /** Linear memory that a VM starts with, in pages of 64 KiB: its C stack, its static data and a small heap. */
  initialPages: 32,
  /** Smallest memory cap that a VM can start with. */
  memoryBytesMin: 1024 * 1024,
} as const

/** Limits of the executor threads and of their supervisor. */
export const executorLimits = {
  /** A call that runs longer has overrun: its executor gets no more calls and gives back those not started. */
  overrunMs: 20,
  /** A thread that builds a VM for longer than this is set aside like one that is at a long call. */
  buildOverrunMs: 150,
  /** Time past a call's deadline after which its executor is terminated. */
  hardStopGraceMs: 250,
  /** The same for a thread whose priority is lowered and cannot be restored: it gets few turns to stop by itself. */
  loweredGraceMs: 1000,
  /** Time between two looks of the supervisor at the executors while calls are in flight. */
  supervisorTickMs: 10,
  /** Time a call may wait for a VM before it is answered with POOL_EXHAUSTED. */
  checkoutWaitMs: 100,
  /** Time a call may wait altogether when its executor builds a VM, or is at one call or gets no turn for long. */
  stallWaitMs: 2000,
  /** Time that the first run of an init.lua may wait for a thread, e.g. while the host starts. */
  loadWaitMs: 10_000,
  /** Pause before VMs are built in reserve, so that those that are needed come first. */
  reservePauseMs: 400,
  /** Calls that one executor can have in flight; the size of its claim table. */
  claimsMax: 1024,
  /** An executor whose oldest call has waited for less gets the next one too, so that calls share wake-ups. */
  queueMs: 4,
  /** An executor that has been at one call for longer than this is passed over when another is free. */
  busyMs: 2,
  /** Without the right to restore priorities, a call must have overrun by this much before its thread is lowered. */
  lowerUnprivilegedMs: 100,
  /** First pause before a thread is started again after one that could not start; doubles with each failure. */
  restartPauseMs: 100,
  /** Longest such pause. */
  restartPauseMsMax: 10_000,
  /** Threads in a row that could not start before the sandbox counts as broken. */
  startFailuresMax: 3,
  /** Warm threads without work that are kept. */
  sparesMax: 4,
  /** JavaScript heap of one thread, which holds what crosses and no Lua; more and the thread is lost. */
  heapMegabytesMax: 256,
  /** The part of it for short-lived objects: a larger one keeps garbage of idle threads resident. */
  youngHeapMegabytesMax: 12,
  /** Above this part of its time the HTTP thread counts as busy, and calls that have overrun are slowed down. */
  hostBusyShare: 0.3,
  /** Time over which that part is measured. */
  hostLoadWindowMs: 50,
  /** How long a slowed call runs before it rests. */
  paceRunMs: 1,
  /** Part of one core that all slowed calls get together. */
  paceShare: 0.25,
  /** The longest rest of a slowed call. */
  paceRestMsMax: 64,
  /** Calls that a plugin may overrun with before it can become suspect. */
  suspectOverruns: 1,
  /** Part of its calls that must overrun for it. */
  suspectShare: 0.05,
  /** Time in which what a plugin has done loses half of its weight. */
  reputationHalfLifeMs: 10_000,
  /** Time for which calls avoid the executor that suspect plugins were sent to last. */
  laneMs: 1000,
  /** Calls that may go on beyond their overrun at the same time; above that the longest are ended. */
  overrunsMax: 12,
  /** When executors are short and calls wait, one that has run for longer than this is ended. */
  evictAfterMs: 50,
  /** Executor threads that exist at once, spares and retiring ones included; those of plugins in quarantine come on top. */
  threadsMax: 24,
  /** Reports (a schema that drifted, a header left out) of one generation in a second and in one executor; more are dropped. */
  reportsPerSecondMax: 200,
  /** Time a draining generation waits for its calls before it is closed over their heads. */
  drainMs: 10_000,
} as const

/** Limits of the source of one plugin. */
export const pluginSourceLimits = {
  /** Lua files of one plugin, in all folders; more and the plugin is not loaded. */
  filesMax: 100,
  /** Bytes of all Lua files of one plugin; more and the plugin is not loaded. */
  bytesMax: 10 * 1024 * 1024,
  /** Files and folders of any kind that are looked at in one plugin; more and the plugin is not loaded. */
  entriesMax: 5000,
  /** Folders inside each other; deeper and the plugin is not loaded. */
  depthMax: 16,
} as const

/** Limits of hot reload, which watches the plugin directory. */
export const watchLimits = {
  /** Time for which the files of a plugin must rest before they are loaded. */
  debounceMs: 1000,
  /** Files that never rest are loaded after so many times the debounce. */
  debouncesMax: 10,
  /** Least time between two loads of one plugin because of its files; changes in between are loaded after it. */
  cooldownMs: 10_000,
  /** A load that takes longer is slow. */
  slowReloadMs: 10_000,
  /** Slow loads in a row after which the files of a plugin are not watched until an admin reloads it. */
  slowReloadsMax: 3,
  /** Time between two looks at each file where the system cannot tell of changes. */
  pollMs: 2000,
  /** Pause before a plugin directory that has gone, or cannot be watched, is tried again. */
  reopenMs: 2000,
  /** Time between two looks at whether the plugin directory is still the one that is watched, with all its folders. */
  checkMs: 2000,
  /** Time between two readings of all plugins, for changes of which the system has not told. */
  sweepMs: 30_000,
  /** Links to plugin folders outside the plugin directory that are followed; the others are reloaded by order only. */
  linksMax: 100,
  /** Files and folders watched in all; what comes beyond them is reloaded by order only. */
  pathsMax: 50_000,
} as const

/** Limits of what a plugin says of itself in `plugin_info`; beyond them its manifest is invalid. */
export const manifestLimits = {
  /** Bytes of a plugin's name. */
  nameBytesMax: 32,
  /** Characters of the version. */
  versionCharactersMax: 64,
  /** Characters of any other text. */
  textCharactersMax: 1000,
  /** Entries of any list. */
  listEntriesMax: 100,
} as const

/** Limits of loading and stopping plugins. */
export const lifecycleLimits = {
  /** Plugins that are read and built at the same time while the host starts; the others wait. */
  parallelMax: 4,
  /** Time that one on_shutdown may take; it is stopped then, and the plugin is closed all the same. */
  onShutdownMs: 10_000,
  /** Time that all on_shutdown of a closing host may take together; those that are left are skipped. */
  allShutdownsMs: 20_000,
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

/** Limits of what all areas of the HTTP interface have in common. */
export const areaLimits = {
  /** Characters of a path that a failure names; the rest is cut. */
  pathCharactersMax: 200,
} as const

/** Limits of what plugins ask for and of its approvals. */
export const grantLimits = {
  /** Characters of the description of a domain that are kept; the rest is cut. */
  descriptionCharactersMax: 500,
  /** Hooks, domains and core tables together that one plugin may ask for; a plugin that asks for more is not loaded. */
  perPluginMax: 500,
  /** Characters of the name of a hook, domain or core table; a plugin with a longer one is not loaded. */
  keyCharactersMax: 320,
  /** Ended approvals that are remembered of one plugin, for operators to compare; the oldest are forgotten. */
  withdrawnMax: 500,
} as const

/** Limits of the configuration file. */
export const configLimits = {
  /** Bytes of a configuration file; a larger one is not read and the host does not start. */
  fileBytesMax: 1024 * 1024,
} as const

/** Limits of the logger. */
export const logLimits = {
  /** Bytes of lines that wait for a slow reader of standard error; further lines are dropped. */
  waitingBytesMax: 8 * 1024 * 1024,
  /** How long a flush waits for such a reader; what it has not taken then is left to the exit of the process. */
  flushMsMax: 2000,
} as const

/** Limits of the metrics: what plugins and callers choose must not make new series without end. */
export const metricLimits = {
  /** Series of one plugin in one metric; what would need one more is counted in a series whose labels are `other`. */
  seriesPerPluginMax: 100,
  /** Series of one counter or gauge; what would need one more is counted for the plugin `(other)`. */
  seriesMax: 5000,
  /** The same for a histogram, each series of which has a line for every bucket. */
  histogramSeriesMax: 1000,
  /** Characters of a label, e.g. the name of a table; a longer one becomes `other`. */
  labelCharactersMax: 128,
  /** Time for which a page of metrics is written before requests get their turn. */
  writeTurnMs: 3,
} as const

/** Limits of the metrics that plugins declare for themselves. Nothing over one of them breaks a call. */
export const ownMetricLimits = {
  /** Metrics that a plugin may declare; declaring one more raises. */
  metricsMax: 50,
  /** Characters of the name of a metric; a longer one raises where it is declared. */
  nameCharactersMax: 64,
  /** Bytes of its help; a longer one raises where it is declared. */
  helpBytesMax: 256,
  /** Labels of a metric; declaring more raises. */
  labelsMax: 5,
  /** Characters of the name of a label; a longer one raises where it is declared. */
  labelNameCharactersMax: 32,
  /** Bytes of the value of a label; what has a longer one is counted in the series whose labels are `other`. */
  labelBytesMax: 128,
  /** Buckets of a histogram, the one for everything left out; declaring more raises. */
  bucketsMax: 20,
  /**
   * Lines with labels of a plugin, all its metrics together: one a series, for a histogram one a bucket and three more.
   * What would need further ones is counted in the series whose labels are `other`; the value of a gauge is dropped.
   */
  linesMax: 1000,
  /** Series that one call may measure; what would need further ones is counted, or dropped, as beyond `linesMax`. */
  seriesPerCallMax: 200,
  /** Reports of an on_init that has not ended; earlier ones are dropped. A report carries what one call has measured. */
  earlyReportsMax: 16,
} as const

/** Limits of the figures of plugins that `/metrics/api` shows. */
export const poolFigureLimits = {
  /** Versions of plugins that are remembered; beyond, the one that stopped serving longest ago is forgotten. */
  workersMax: 1000,
  /** Answers whose mean time is shown. */
  answersKept: 100,
  /** Seconds over which requests per second are counted. */
  rateSeconds: 10,
} as const

/** Limits of the traces. */
export const traceLimits = {
  /** Characters of the names and values that one span attribute may hold; the rest is cut. */
  attributeCharactersMax: 256,
  /** Characters of a tracestate header that is taken over; a longer one is ignored. */
  stateCharactersMax: 512,
  /** Time that a closing host waits for its last spans to be taken by the collector. */
  closeMs: 2000,
  /** Time for one delivery to the collector with its repetitions, when OTEL_EXPORTER_OTLP_TIMEOUT does not say; then the spans are dropped. */
  exportMs: 3000,
  /** Requests whose trace can be asked for at once; those beyond are traced, but not passed on to other services. */
  requestsMax: 10_000,
} as const

/** Limits of the database connections. */
export const databaseLimits = {
  /** Time a statement of a plugin waits, blocking its executor, for a lock; then it fails with `nil, err`. */
  executorBusyMs: 1000,
  /** Time the HTTP thread goes on trying, on a timer, to get a lock; then DATABASE_BUSY (503). */
  busyRetryMs: 3000,
  /** First pause between two tries for a lock; doubled at each try, half of it random. */
  busyPauseMs: 2,
  /** Longest pause between two tries for a lock. */
  busyPauseMsMax: 100,
  /** Size that the write-ahead log is cut back to at a checkpoint after a burst made it grow beyond. */
  journalBytesMax: 64 * 1024 * 1024,
} as const

/** Limits of credentials. */
export const identityLimits = {
  /** Characters of an admin token from the environment; a shorter one stops the start. */
  adminTokenLengthMin: 16,
  /** Characters of a bearer token; a longer one is refused at the start, and unread in a request. */
  bearerTokenLengthMax: 512,
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

/** Limits of what a plugin registers with the http module. */
export const routeLimits = {
  /** Bytes of the path of a route; a longer one is refused at registration. */
  pathBytesMax: 256,
  /** Routes of a plugin when the configuration does not say; one more is refused at registration. */
  routesMax: 50,
  /** Middleware functions of a plugin; one more is refused at registration. */
  middlewareMax: 100,
} as const

/** Limits of the headers of a plugin's response; beyond them the response is a HANDLER_ERROR. */
export const responseHeaderLimits = {
  /** Headers of one response. */
  countMax: 100,
  /** Bytes of the name and the value of one header together. */
  bytesMax: 8 * 1024,
} as const

/** Limits of requests on their way to a plugin. */
export const dispatchLimits = {
  /** Time from the first look at a request to the end of its body; then 408. */
  bodyReadMs: 30_000,
  /** Time for which the unread body of a refused request is drained, so that its sender sees the answer; then the connection is cut. */
  lingerMs: 2000,
  /** Times that one request is handed to a generation, when each is closed by a reload before it starts. */
  attemptsMax: 2,
} as const

/** Limits of the circuit breaker of a plugin. */
export const breakerLimits = {
  /** Longest time for which a breaker stays open; timers cannot run longer. */
  resetMsMax: 2_147_483_647,
} as const

/** Limits of hooks and of the deliveries of after-hooks. */
export const hookLimits = {
  /** Hooks that one plugin may register; one more is refused at registration. */
  registrationsMax: 50,
  /** Bytes of the table name of a hook; a longer one is refused at registration. */
  tableBytesMax: 128,
  /** The smallest and the first priority. */
  priorityMin: 1,
  /** The largest and the last priority; what is beyond counts as this. */
  priorityMax: 1000,
  /** Priority of a hook that names none. */
  priorityDefault: 100,
  /** Bytes of a row on its way to hooks, the old one and its JSON included; a larger one is refused with 413. */
  rowBytesMax: 4 * 1024 * 1024,
  /** Values in such a row, for the same reason: many small ones take more memory in a VM than their text. */
  rowValuesMax: 50_000,
  /** Nesting of such a row. */
  rowDepthMax: 60,
  /** Bytes of what a before-hook sets, as JSON; more is an error of the hook. */
  setBytesMax: 1024 * 1024,
  /** Bytes of the state that read hooks hand on, as JSON; more is an error of the hook. */
  stateBytesMax: 64 * 1024,
  /** Bytes of the message of a refusal; the rest is cut. */
  denyBytesMax: 500,
  /** Hooks that may have led to a write; one more is refused, so that hooks which set off each other come to an end. */
  depthMax: 8,
  /** Times that a chain of hooks starts over because a plugin was reloaded under it; then HOOK_UNAVAILABLE. */
  chainAttemptsMax: 3,
  /** Failed tries of one delivery of an after-hook; then it is dead and waits for an operator. */
  deliveryAttemptsMax: 10,
  /** Pause before the second try of a delivery; doubled at each further one, half of it random. */
  deliveryPauseMs: 1000,
  /** Longest pause between two tries. */
  deliveryPauseMsMax: 10 * 60 * 1000,
  /** Pause of a delivery that could not be tried: no VM was free, or the plugin was just reloaded. */
  deliveryBusyPauseMs: 200,
  /** Pause of a delivery whose hook is not approved at the moment. */
  deliveryRefusedPauseMs: 30_000,
  /** Time beyond its own that a delivery belongs to the process that took it; then another may take it. */
  deliveryLeaseMs: 5000,
  /** Age at which a delivery that could not be made is dead, e.g. because its plugin is disabled. */
  deliveryAgeMsMax: 7 * 24 * 60 * 60 * 1000,
  /** Age at which a dead delivery is forgotten. */
  deadAgeMsMax: 30 * 24 * 60 * 60 * 1000,
  /** Deliveries of one plugin that wait; while there are so many, further ones are dropped with a warning. */
  deliveriesWaitingMax: 100_000,
  /** Dead deliveries of one plugin that are kept; the oldest are forgotten. */
  deliveriesDeadMax: 1000,
  /** Time between two looks for deliveries when nothing says that there are any. */
  deliveryPollMs: 1000,
  /** Time between two sweeps over deliveries that are too old. */
  deliverySweepMs: 60_000,
  /** Rows that one statement of a sweep changes. */
  deliverySweepRowsMax: 100,
  /** Characters of the error that is kept of a failed delivery. */
  deliveryErrorCharactersMax: 1000,
  /** Deliveries in one page of their list. */
  deliveryPageMax: 100,
} as const

/** Limits of the requests that plugins send to other servers; what an operator may change are the keys `plugin_request`. */
export const outboundLimits = {
  /** Domains that one plugin may register; one more is refused at registration. */
  domainsMax: 50,
  /** Characters of a domain; a longer one is refused at registration. */
  domainCharactersMax: 253,
  /** Characters of what a plugin says a domain is for; a longer text is refused at registration. */
  descriptionCharactersMax: 500,
  /** Characters of a URL; a longer one raises. */
  urlCharactersMax: 8192,
  /** First port that may be asked for, that of https. Where the configuration allows loopback, all its ports may be. */
  httpsPort: 443,
  /** Second port that may be asked for, the usual one of https beside it. */
  alternativePort: 8443,
  /** Headers that a plugin may set on one request; with more it is not sent. */
  requestHeadersMax: 64,
  /** Bytes of names and values of those headers together; with more the request is not sent. */
  requestHeaderBytesMax: 16 * 1024,
  /** Bytes of the headers of a response; with more the request fails. */
  responseHeaderBytesMax: 16 * 1024,
  /** Pieces that the body of a response may come in; a server that sends it byte by byte costs more than its size says. */
  responsePiecesMax: 16_384,
  /** Shortest time that a plugin can ask for; less counts as this. */
  timeoutMsMin: 1000,
  /** Time that stays to a call after its request has timed out, so that it can answer in its own words. */
  answerMarginMs: 100,
  /** Requests of one plugin at once; one more is refused. */
  concurrentPerPluginMax: 6,
  /** Requests of all plugins at once; one more is refused. */
  concurrentMax: 64,
  /** Tokens of a rate limit that can be saved up; a rate of one a second or less saves up one. */
  burstMax: 5,
  /** Time that one name server has for its answer. */
  dnsTryMs: 2000,
  /** Times that each name server is asked. */
  dnsTriesMax: 2,
  /** Addresses of one name that are tried one after the other. */
  addressesMax: 8,
  /** Time after which the next address is tried. */
  connectTryMs: 2000,
} as const

/** Limits of what a plugin logs. */
export const pluginLogLimits = {
  /** Bytes of a message; the rest is cut and a marker says so. */
  messageBytesMax: 8 * 1024,
  /** Entries of the context of one line; further ones are left out and counted in the line. */
  contextKeysMax: 32,
  /** Characters of the name of a context entry; the rest is cut. */
  contextKeyCharactersMax: 64,
  /** Bytes of the text of a context entry; the rest is cut and a marker says so. */
  contextValueBytesMax: 1024,
  /** Lines of one plugin in a second and in one executor; further ones are dropped and their number is logged. */
  linesPerSecondMax: 200,
} as const

/** Limits of what a plugin does with its tables. */
export const dbLimits = {
  /** Characters of a table name (with its prefix) or a column name; longer names are invalid. */
  nameCharactersMax: 64,
  /** Columns of a table, the three injected ones included; more and define_table raises. */
  columnsMax: 64,
  /** Tables of one plugin; more and define_table raises. */
  tablesMax: 100,
  /** Indexes of one table; every write maintains each of them. */
  indexesMax: 16,
  /** Rows of a table that an index can be built on: building one is native work that nothing interrupts. */
  indexedRowsMax: 200_000,
  /** Bytes of the values that an index can be built on, for the same reason; others wait for the write lock so long. */
  indexedBytesMax: 32 * 1024 * 1024,
  /** Bytes of the default of a column. */
  defaultBytesMax: 4096,
  /** Bytes of one value on its way into the database or into a filter; larger gives `nil, err`. */
  valueBytesMax: 1024 * 1024,
  /** Characters and bytes of one result set; a larger one gives `nil, err`. */
  resultBytesMax: 8 * 1024 * 1024,
  /** Rows of a query that names no limit. */
  rowsDefault: 100,
  /** Rows of one query; a larger limit is cut to this. */
  rowsMax: 10_000,
  /** Entries of `columns`, aggregates included. */
  selectColumnsMax: 64,
  /** Columns of `order_by`. */
  orderColumnsMax: 8,
  /** Columns of `group_by`. */
  groupColumnsMax: 8,
  /** Joined tables of one query. */
  joinsMax: 8,
  /** Nesting of AND, OR and NOT in a condition list. */
  conditionDepthMax: 10,
  /** Conditions, AND, OR and NOT of one condition list. */
  conditionNodesMax: 50,
  /** Conditions of all maps of one filter together. */
  mapConditionsMax: 200,
  /** Values of one IN list. */
  inValuesMax: 500,
  /** LIKE conditions of one statement: the deadline is looked at before each, not while it compares. */
  likeConditionsMax: 8,
  /** Bytes of a LIKE pattern; comparing takes its length times that of the text. */
  likePatternBytesMax: 128,
  /** Wildcards (% and _) of a LIKE pattern. */
  likeWildcardsMax: 16,
  /** Rows of one insert_many. */
  insertRowsMax: 1000,
  /** Rows of one batch of insert_many; each batch costs one operation. */
  batchRowsMax: 100,
  /** Values of one batch of insert_many, all rows together. */
  batchValuesMax: 999,
  /** Rows that a statement may look at when it sorts, groups or removes duplicates; then it is stopped. */
  sortedRowsMax: 100_000,
  /** Time a transaction may last from its begin; then it is rolled back. Others wait for its lock so long. */
  transactionMs: 500,
  /** Time one writing statement may take outside a transaction; then it is stopped and undone. */
  writeStatementMs: 500,
  /** Bytes that each row counts for beside its values, so that empty rows are not free. */
  rowOverheadBytes: 64,
  /** Prepared statements kept on one connection; the least recently used one is dropped. */
  statementsMax: 256,
  /** Generations whose tables one connection remembers; the least recently used one is dropped. */
  ownersMax: 64,
} as const

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

/** Limits of content entries, datatypes, media and their HTTP interface. */
export const contentLimits = {
  /** Bytes of a request body; a larger one is answered with 413 INVALID_REQUEST. */
  bodyBytesMax: 512 * 1024,
  /** Characters of the name of a datatype. */
  nameCharactersMax: 64,
  /** Characters of a slug. */
  slugCharactersMax: 128,
  /** Characters of a title, a label or the name of a file. */
  titleCharactersMax: 300,
  /** Characters of the alternative text of a medium. */
  altCharactersMax: 1000,
  /** Characters of the address of a medium. */
  urlCharactersMax: 2048,
  /** Bytes of the fields of one entry, as JSON. */
  fieldsBytesMax: 256 * 1024,
  /** Objects and lists inside each other in the fields of an entry. */
  fieldsDepthMax: 16,
  /** Values in the fields of one entry, objects and lists included. */
  fieldsValuesMax: 10_000,
  /** Bytes of the schema of a datatype, as JSON. */
  schemaBytesMax: 32 * 1024,
  /** Schemas inside each other in the schema of a datatype. */
  schemaDepthMax: 8,
  /** Schemas in the schema of a datatype, itself included: each value of an entry may be held against all of them. */
  schemaNodesMax: 300,
  /** Values of one `enum`. */
  schemaEnumMax: 200,
  /** Schemas that are kept compiled; the least recently used one is dropped. */
  compiledSchemasMax: 100,
  /** Rows of a page that names no limit. */
  pageRowsDefault: 50,
  /** Rows of one page; a larger limit is answered with 400. */
  pageRowsMax: 200,
  /** Bytes of the rows of one page; a page of large rows ends before its limit and has a cursor. */
  pageBytesMax: 4 * 1024 * 1024,
  /** Characters of a cursor. */
  cursorCharactersMax: 2048,
  /** Characters of the value of a filter. */
  filterCharactersMax: 300,
  /** Rows that one read may look at; then it ends with DATABASE_SCAN_TOO_LONG, because the HTTP thread waits for it. */
  scanRowsMax: 50_000,
  /** Time that one read may take, for the same reason. */
  scanMs: 100,
} as const

/** Limits of what plugins do with core tables. */
export const coreLimits = {
  /** Rows of a query that names no limit. */
  rowsDefault: 100,
  /** Rows of one query; a larger limit is cut to this. */
  rowsMax: 1000,
  /** Rows that a query may skip; more gives `nil, err`. */
  offsetMax: 10_000,
  /** Bytes of the rows of one query; more gives `nil, err`. */
  resultBytesMax: 4 * 1024 * 1024,
  /** Values in the conditions of one call; more gives `nil, err`. */
  valuesMax: 1000,
  /** Bytes of the texts in the conditions of one call; more gives `nil, err`. */
  filterBytesMax: 64 * 1024,
  /** A read that takes longer makes its plugin wait before its next one: all reads share the HTTP thread. */
  readMsFree: 2,
  /** How many times as long as such a read that wait is. */
  restFactor: 4,
  /** The longest such wait. */
  restMsMax: 400,
  /** Rows that one update or delete may change; more and none is. */
  writeRowsMax: 100,
  /** Hooks that may lead to one another by writing; one more is refused, so that they cannot go on for ever. */
  hookDepthMax: 3,
} as const

/** Limits of the tests of plugins; they bound what a test may say, not what it may do. */
export const testLimits = {
  /** Test files of one plugin; more and no test is run. */
  filesMax: 200,
  /** Bytes of one test file; a larger one is not run. */
  fileBytesMax: 1024 * 1024,
  /** Failures of one test that are kept; further ones are only counted. */
  failuresMax: 50,
  /** Bytes of the message of one failure; the rest is cut. */
  messageBytesMax: 4 * 1024,
  /** Bytes of a text that a message shows; the rest is cut. */
  shownTextBytes: 200,
  /** Tables inside each other that a message shows. */
  shownDepth: 3,
  /** Members of a table that a message shows. */
  shownKeys: 12,
  /** Nesting of tables that are compared; deeper and the comparison raises. */
  comparedDepthMax: 100,
  /** Functions on the stack that are looked at for the line of a failure. */
  stackLevelsMax: 100,
  /** Mocks of outbound requests in one test; more raise. */
  mocksMax: 100,
  /** Outbound requests of one test that are remembered; older ones are forgotten. */
  requestsMax: 1000,
  /** Log lines of one test that are remembered; older ones are forgotten. */
  logLinesMax: 1000,
  /** Warnings and errors of the host that are shown under a failed test; further ones are left out. */
  problemsMax: 20,
  /** Time between two looks at after-hooks, or at messages, that are waited for. */
  waitPollMs: 5,
  /** Time after a change of a file in which further changes are waited for before the tests run again. */
  watchSettleMs: 150,
} as const

/** Limits of the HTTP interface of the key-value store. */
export const kvHttpLimits = {
  /** Bytes of a request body: room for the largest commit as JSON, in which bytes grow by a third. */
  bodyBytesMax: 2 * 1024 * 1024,
  /** Characters of a wrong value that a message shows; the rest is cut. */
  previewCharacters: 50,
  /** Bytes of the JSON of one list; a longer one is refused and can be read page by page. */
  listBytesMax: 16 * 1024 * 1024,
  /** Time between two signs of life on a stream that has nothing to tell. */
  heartbeatMs: 20_000,
  /** Time that clients are told to wait before they open a broken stream again. */
  retryMs: 3000,
  /** Streams that one client may have open at once; one more is answered with 429. */
  streamsPerClientMax: 20,
  /** Messages of one stream that nobody has answered for; the next waits until somebody does. */
  listenMessagesMax: 100,
  /** Streams of all clients together; one more is answered with 503. */
  streamsMax: 1000,
  /** Seconds after which a client that had too many streams may try again. */
  streamsRetrySeconds: 5,
} as const

/** Limits of the key-value store; they hold for plugins, for HTTP clients and for the embedding application. */
export const kvLimits = {
  /** Parts of one key; more is refused. */
  keyPartsMax: 20,
  /** Bytes of one part that is a string (in UTF-8) or bytes; more is refused. */
  keyPartBytesMax: 1024,
  /** Bytes of the magnitude of one part that is a bigint; more is refused. */
  keyBigintBytesMax: 127,
  /** Bytes of one encoded key; more is refused. */
  keyBytesMax: 2048,
  /** Bytes of one stored value; more is refused. */
  valueBytesMax: 64 * 1024,
  /** Nesting of one value; deeper is refused, and so is a value that contains itself. */
  valueDepthMax: 64,
  /** Decimal digits of one bigint in a value; more is refused, as arithmetic on it would not end soon. */
  bigintDigitsMax: 10_000,
  /** Characters of a key, or of any other value, that a message shows; the rest is cut. */
  shownCharacters: 120,
  /** Keys that one call may read or delete; more is refused. */
  keysMax: 1000,
  /** Bytes of the values that are read at one moment; more is refused, as all of them are decoded in one go. */
  readBytesMax: 8 * 1024 * 1024,
  /** Entries that one page of a list holds when it names no limit. */
  pageEntriesDefault: 100,
  /** Entries of one page, and of one batch of a list; more is refused. */
  pageEntriesMax: 1000,
  /** Bytes of the keys and values of one page; a page of large values ends before its limit and has a cursor. */
  pageBytesMax: 4 * 1024 * 1024,
  /** Entries that one page may look at, those that have expired or do not match included; then it ends with a cursor. */
  scanEntriesMax: 5000,
  /** Checks of one commit; more is refused. */
  checksMax: 100,
  /** Mutations of one commit; more is refused. */
  mutationsMax: 1000,
  /** Bytes of the keys and values of one commit; more is refused. */
  commitBytesMax: 1024 * 1024,
  /**
   * Bytes of the values that `sum`, `min`, `max`, `append` and `prepend` of one commit go on from; more is refused. Each
   * such step reads and writes the whole value while the commit holds the lock of the file.
   */
  combinedBytesMax: 4 * 1024 * 1024,
  /** Bytes that an entry takes beside its key and value, as quotas count it. */
  entryBytes: 32,
  /** Longest time until an entry expires: ten years. */
  expiryMsMax: 315_360_000_000,
  /** Characters of the name of a shared namespace. */
  namespaceCharactersMax: 63,
  /** Pauses between the tries of one message, and so its tries less one; more is refused. */
  backoffPausesMax: 20,
  /** Longest pause between two tries of a message; more is refused. */
  backoffPauseMsMax: 86_400_000,
  /** Longest time for which a message may be held back; more is refused. */
  delayMsMax: 2_592_000_000,
  /** Keys that one message may have for the case that all its tries fail; more is refused. */
  keysIfUndeliveredMax: 10,
  /** Time for which a message belongs to the consumer that takes it, when the consumer names none. */
  leaseMsDefault: 30_000,
  /** Longest time that one lease, or its extension, may last from now on; more is refused. */
  leaseMsMax: 3_600_000,
  /** Messages that wait or are being worked on in the queues of one namespace; sending more is refused. */
  messagesMax: 100_000,
  /** Bytes that a message takes beside its value and keys, as quotas count it. */
  messageBytes: 128,
  /** Characters of the name of a queue. */
  queueCharactersMax: 63,
  /** Bytes of the error text of a message; the rest is cut. */
  errorBytesMax: 1024,
  /** Dead letters that one namespace keeps; a new one then takes the place of the oldest. */
  deadLettersMax: 10_000,
  /** Age at which dead letters are deleted: a week. */
  deadLetterMsMax: 604_800_000,
  /** Dead letters that one page holds when it names no limit. */
  deadLettersPageDefault: 100,
  /** Dead letters of one page; more is refused. A page of large values ends at `pageBytesMax`. */
  deadLettersPageMax: 1000,
  /** Dead letters that one transaction deletes; the rest is left to the next one. */
  deadLettersSliceMax: 100,
  /** Messages without tries that one look for work may bury, with all their keys; the rest is left to the next look. */
  deathsMax: 5,
  /**
   * Functions for changes that may have led to a commit, each by a change of its own; the changes of a further one are
   * not queued, so that functions which set off each other come to an end.
   */
  changeDepthMax: 8,
  /** Messages of a plugin at which changes are not queued for it any more; they are counted as dropped. */
  triggerMessagesMax: 50_000,
  /**
   * Part of the room of a plugin's namespace up to which changes of other namespaces are queued in it; further ones are
   * counted as dropped, so that who writes to a shared namespace cannot make the plugin's own writes fail.
   */
  otherChangesShare: 0.75,
  /** Bytes of the changes that one namespace keeps for watchers; a watcher that is further behind starts anew. */
  changesBytesMax: 8 * 1024 * 1024,
  /** Commits that the HTTP thread puts into one transaction; further ones go into the next. */
  groupCommitsMax: 128,
  /** Bytes of the commits that wait in the HTTP thread, e.g. while the database is locked; further ones are refused. */
  waitingBytesMax: 64 * 1024 * 1024,
  /** Time for which the HTTP thread works for one caller that awaits answer after answer; then others have a turn. */
  turnMs: 5,
  /** Entries that one step of a count looks at; between steps, others have a turn. */
  countStepEntries: 10_000,
  /** Entries that one step of a filtered list looks at; between steps, others have a turn. */
  filterStepEntries: 1000,
  /** Entries that one step of a recursive delete removes, in a commit of its own. */
  deleteStepEntries: 250,
  /** How often a transaction may run again after a conflict; more is refused. */
  transactionRetriesMax: 100,
  /** Longest pause before a transaction runs again. */
  transactionPauseMsMax: 10_000,
  /** Keys that one watcher follows; more is refused. */
  watchedKeysMax: 100,
  /** Watchers of one namespace; more is refused. */
  namespaceWatchersMax: 200,
  /** Watchers of the whole host; more is refused. */
  watchersMax: 1000,
  /** Changes that a watcher looks at in one step; the commit that it is in is read to its end. */
  watchStepChanges: 1000,
  /** Bytes of keys and values that a watcher looks at in one step; as `watchStepChanges`. */
  watchStepBytes: 1024 * 1024,
  /** Time between two looks for commits of other processes, while somebody watches. */
  watchOthersMs: 1000,
  /** Entries that one commit of a sweep deletes. */
  sweepEntries: 100,
  /** Bytes of the entries that one look for changes gives when it has to give all; more is refused. */
  resetBytesMax: 8 * 1024 * 1024,
  /** Leased messages, and dead letters, that the metrics count; a number as large as this says "at least". */
  countedMessagesMax: 100_000,
  /** Namespaces that a list of them names; the rest is left out. */
  namespacesShownMax: 10_000,
} as const

/** Bounds of filters over values of the key-value store. What goes over one is refused before anything is read. */
export const kvWhereLimits = {
  /** Nesting of one filter. */
  depthMax: 16,
  /** Operators of one filter, those of logic included: each is asked of every value that is looked at. */
  operatorsMax: 64,
  /** Items of all lists (`$in`, `$nin`) of one filter. */
  itemsMax: 1000,
  /** Characters of one path. */
  pathCharactersMax: 256,
  /** Members and positions in one path. */
  pathPartsMax: 32,
  /** Characters of one text that values are compared with. */
  textCharactersMax: 4096,
  /** Characters of one text that is looked for inside of values: finding a long one can take the product of both lengths. */
  partCharactersMax: 256,
  /** Operators of one filter that look for a text inside of others (`$contains`, `$endsWithi`, …). */
  partsMax: 16,
} as const

/** Bounds of full-text search in the key-value store. */
export const kvSearchLimits = {
  /** Indexes of one namespace; more is refused, because each makes every write below its prefix slower. */
  indexesMax: 8,
  /** Indexes of all namespaces of a file; more is refused, because each connection has to know all of their tables. */
  allIndexesMax: 512,
  /** Fields of one index; more is refused. */
  fieldsMax: 16,
  /** Bytes of the text that one entry puts into one index; what goes beyond is stored, but not found. */
  documentBytesMax: 64 * 1024,
  /** Bytes that a document takes in an index beside its key and text, as quotas count it. */
  documentBytes: 64,
  /** Bytes in an index for each byte of text with the tokenizer `trigram`, as quotas count it; 1 with the others. */
  trigramFactor: 4,
  /**
   * Bytes that the text of one commit takes in all indexes together, as quotas count it; more is refused, because the
   * commit holds the lock of the file while its words are sorted in. One entry never takes more.
   */
  commitTextBytesMax: 2 * 1024 * 1024,
  /** Existing entries that one step takes into a new index, or out of a removed one. */
  stepEntriesMax: 256,
  /** Bytes of the entries that one step takes in; `trigramFactor` times fewer for that tokenizer. */
  stepBytesMax: 256 * 1024,
  /** Characters of one query; more is refused. */
  queryCharactersMax: 512,
  /** Words and phrases of one query; more is refused. */
  queryTermsMax: 16,
  /** Documents that the words of one query stand in, added up; then the search ends with KV_SEARCH_TOO_BROAD. */
  postingsMax: 250_000,
  /** How often each document of a word that is only begun (`data*`) counts, as finding them is dearer. */
  prefixCost: 5,
  /** Documents that one query finds, before expiry and filters; then the same, as all of them are ranked. */
  matchesMax: 10_000,
  /** Time that one search may take until its documents are ranked, and as much for its marks; then the same. */
  searchMs: 250,
  /** Bytes of the values that one search reads for its hits, those that its filter passes over included. */
  readBytesMax: 16 * 1024 * 1024,
  /** Characters of the text of one field with marks; a longer one is cut around the first mark. */
  highlightCharactersMax: 500,
  /** Characters of such a text that stand before the first mark. */
  highlightLeadCharacters: 80,
  /** Characters of one mark; more is refused. */
  markCharactersMax: 64,
  /** Namespaces whose indexes one connection remembers; then it reads them again. */
  namespacesMax: 1000,
} as const

/** Limits of how messages and changes are brought to the functions of plugins. */
export const kvDeliveryLimits = {
  /** Time beyond that of its function for which a message belongs to this process; then another may take it. */
  leaseMs: 5000,
  /** Pause of a function whose message could not be handed over: no VM was free, or its plugin was just reloaded. */
  busyPauseMs: 100,
  /** Failures in a row after which a function gets no messages for `breakerPauseMs`; then one to try it with. */
  failuresMax: 10,
  /** See `failuresMax`. */
  breakerPauseMs: 30_000,
  /** Shortest time between two looks for messages that commits set off. */
  lookPauseMs: 2,
  /** Time between two looks when nothing says that there are messages, as those of other processes. */
  pollMs: 1000,
  /** Messages that are taken for one function before the others have their turn. */
  takenMax: 16,
} as const

/** Limits of the key-value store that hold for plugins alone, beside those of `kvLimits`. */
export const kvLuaLimits = {
  /** Nesting of a value that crosses to or from Lua; deeper is refused. A list of entries has levels of its own. */
  valueDepthMax: 58,
  /** Functions that one plugin may register with `kv.on_change`; one more is refused at registration. */
  changeHandlersMax: 50,
  /** Queues that one plugin may listen to with `kv.listen`; one more is refused at registration. */
  queueHandlersMax: 50,
  /** Calls of one handler at once; more is refused at registration. */
  handlerConcurrencyMax: 16,
  /** Bytes of the reason for which a handler gives a message back; the rest is cut. */
  problemBytesMax: 500,
  /** Entries that are looked at for one operation, beside the one of the call: lists, counts, deletes. */
  entriesPerOperation: 100,
  /** Entries that a count without a filter looks at in one statement. */
  countedEntries: 10_000,
  /** Entries of a count without a filter that are as dear as one that is read. */
  countedPerEntry: 10,
  /** Operations that a search takes. */
  searchOperations: 10,
  /** Entries between two looks at the time of the call. */
  entriesPerLook: 16,
  /** Entries that `kv.delete` removes in one transaction; a delete of more is several. */
  deleteEntries: 100,
  /** Times that `kv.transaction` runs its function anew when it names no number. */
  retriesDefault: 10,
} as const
