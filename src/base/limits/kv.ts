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
