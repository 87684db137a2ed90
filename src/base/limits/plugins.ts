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

/** Limits of the migrations of one plugin. */
export const migrationLimits = {
  /** Migrations of one plugin; more and it is not loaded. */
  countMax: 500,
  /** Digits of a version. Every such number is exact in Lua, JavaScript and SQLite. */
  versionDigitsMax: 15,
  /** Characters of a description. */
  descriptionCharactersMax: 200,
  /** Bytes of the SQL of one part, up or down. */
  sqlBytesMax: 256 * 1024,
  /** Bytes of the SQL of all migrations that init.lua declares; more go into files. */
  declaredBytesMax: 1024 * 1024,
  /** Statements of one part. */
  statementsMax: 200,
  /** Parentheses inside each other. */
  depthMax: 50,
  /** Wildcards of one LIKE or GLOB pattern, which must be written as a text. */
  wildcardsMax: 16,
  /**
   * Time one migration may hold the write lock of the database while the host serves, as long as a transaction of a
   * plugin; then its process is killed, which undoes it.
   */
  durationMs: 500,
  /** The same while the host starts, when nobody waits for the lock but other hosts on the same file. */
  startDurationMs: 30_000,
  /** Time a migration waits for the write lock. */
  lockWaitMs: 10_000,
  /** Pause after a migration, in which those get the lock that have waited for it meanwhile. */
  pauseMs: 120,
  /** Migrations that take less are not paused after. */
  pauseAfterMs: 20,
  /** Bytes that SQLite may allocate in the process of migrations. */
  heapBytesMax: 256 * 1024 * 1024,
  /** Time the process of migrations may take to start. */
  startMs: 20_000,
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
  onShutdownMs: 5000,
  /** Time that all on_shutdown of a closing host may take together; those that are left are skipped. */
  allShutdownsMs: 20_000,
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
