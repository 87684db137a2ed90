import type { KvDuration } from './duration.js'
import type { KvKey, KvValue } from './value.js'

/** One change of an entry. */
export interface KvChange {
  readonly type: 'set' | 'delete'
  readonly key: KvKey
  /** Null when it was deleted or has expired. */
  readonly value: KvValue
  /** Of the commit that changed it. */
  readonly versionstamp: string
}

/**
 * What a watch gives: the changes of a few commits, in their order. `reset` says that the watcher was further behind
 * than changes are kept (or has just begun): the changes are then all entries that there are, as sets, in one batch
 * or several of which the last has `isComplete`, and what is not among them has been deleted.
 */
export interface KvBatch {
  readonly reset: boolean
  readonly isComplete: boolean
  readonly changes: readonly KvChange[]
  /** Pass it as `since` to go on behind this batch; of a part of a reset, to begin anew. */
  readonly versionstamp: string
  /** Changes of other keys that were lost before this batch; only with `bufferSize`, and only when there were any. */
  readonly dropped?: number
}

/** A key, several keys, or everything below a prefix (the prefix itself included). */
export type KvWatchTarget =
  | KvKey
  | readonly KvKey[]
  | { readonly keys: readonly KvKey[] }
  | { readonly prefix: KvKey }

export interface KvWatchOptions {
  /** False leaves out the first batch with what there is. True when missing; not asked with `since`. */
  readonly initial?: boolean
  /** Goes on behind this versionstamp, without the first batch. */
  readonly since?: string
  /** Ends the watch. */
  readonly signal?: AbortSignal
  /** `sse`, when missing, has the server send changes as they happen; `polling` asks for them again and again. */
  readonly mode?: 'sse' | 'polling'
  /** Pause between two polls; 1 s when missing. */
  readonly pollInterval?: KvDuration
  /**
   * Reads ahead of a slow consumer, this many changes at most, of each key the newest only. Without it nothing is read
   * ahead and nothing is passed over: changes wait in the server.
   */
  readonly bufferSize?: number
  /** Which change is lost when the buffer is full: `drop-oldest`, when missing, or `drop-newest`. */
  readonly overflowStrategy?: 'drop-oldest' | 'drop-newest'
  /** Told of failures after which the watch goes on by itself. */
  readonly onError?: (error: Error) => void
}

/** Takes what a watch gives. The next call waits for a promise that it returns; when it throws, the watch ends. */
export type KvWatchHandler = (changes: readonly KvChange[], batch: KvBatch) => unknown
