/** See `ExecutorComposition.kv`. */
export interface KvComposition {
  /** The memory of `CommitSignal`, by which commits of this thread wake the watchers of the HTTP thread. */
  readonly signal: SharedArrayBuffer
  /** The memory of `CallCounts`, in which this thread counts what plugins ask of the store. */
  readonly counts: SharedArrayBuffer
  /** Bytes that one namespace may hold. */
  readonly namespaceBytes: number
}

/** What the host tells its executor threads; see `SandboxOptions.composition`. */
export interface ExecutorComposition {
  /** Path of the SQLite file. */
  readonly databaseFile: string
  /** What its key-value store shares with those of other threads; missing where plugins are only looked at. */
  readonly kv?: KvComposition
  /** True where tests of plugins are run: only there is the module `test`. */
  readonly runsTests?: boolean
}

/** Kind of the reports that carry a log line of a plugin. */
export const logReport = 'log'
