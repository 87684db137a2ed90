import type { KeyRange } from './key.js'
import type { StoredValue } from './stored-value.js'

/**
 * What keeps the entries. It works on encoded keys and stored values, so that `encodeKey` and `encodeValue` stand
 * before every door, and every call answers at once: an embedded store runs in the thread that asks, be it an
 * executor or the HTTP thread, and the longest that it can take is bounded by `kvLimits`.
 *
 * Versionstamps are counted per namespace: they grow with each commit, and all mutations of a commit share one.
 *
 * Every method may throw SQLite's SQLITE_BUSY where another connection holds the lock; nothing is done then.
 */
export interface KvStore {
  /** Reads entries at one moment, in the order of the keys; undefined where there is none or it has expired. */
  read(namespace: string, keys: readonly Buffer[]): readonly (StoredEntry | undefined)[]
  /** Reads a page of a range. */
  list(namespace: string, query: ListQuery): StoredPage
  /** Applies a commit as a whole or not at all. */
  commit(namespace: string, commit: Commit): CommitResult
  /** Applies several commits one after the other; cheaper than one by one. Each may fail by itself. */
  commitAll(commits: readonly NamespacedCommit[]): readonly CommitOutcome[]
  /**
   * Deletes entries that have expired, which nobody sees any more, and tells watchers of it.
   *
   * @param limit How many at most, up to `kvLimits.mutationsMax`.
   * @returns How many there were; fewer than the limit when none are left.
   */
  sweepExpired(limit: number): number
}

/** An entry that has not expired. */
export interface StoredEntry {
  readonly key: Buffer
  readonly kind: number
  readonly data: string | Uint8Array
  readonly versionstamp: number
}

/** Which entries a page has. */
export interface ListQuery {
  readonly range: KeyRange
  readonly limit: number
  readonly isReverse: boolean
  /** Entries for which it is false are passed over; all count when missing. */
  readonly matches?: (entry: StoredEntry) => boolean
  /** Entries that are looked at, matching or not; `kvLimits.scanEntriesMax` when missing. */
  readonly lookedMax?: number
  /** Entries that were written after this versionstamp are passed over. */
  readonly writtenUntil?: number
}

/** Part of a range. */
export interface StoredPage {
  readonly entries: readonly StoredEntry[]
  /** What is left of the range; undefined when nothing is. The page may be shorter than its limit all the same. */
  readonly rest: KeyRange | undefined
}

/** What must be true for a commit: the entry has this versionstamp, or with null there is none. */
export interface Check {
  readonly key: Buffer
  readonly versionstamp: number | null
}

/** One change of a commit. Times are milliseconds since 1970. */
export type Mutation =
  | {
      readonly type: 'set'
      readonly key: Buffer
      readonly value: StoredValue
      /** Never when missing. */
      readonly expiresAt?: number | undefined
    }
  | { readonly type: 'delete'; readonly key: Buffer }
  | {
      readonly type: 'sum' | 'min' | 'max'
      readonly key: Buffer
      /** An integer as JSON, a bigint or a counter. */
      readonly value: StoredValue
      /** As it was when missing. */
      readonly expiresAt?: number | undefined
    }
  | {
      readonly type: 'append' | 'prepend'
      readonly key: Buffer
      /** An array. */
      readonly value: StoredValue
      /** As it was when missing. */
      readonly expiresAt?: number | undefined
    }
  | { readonly type: 'enqueue'; readonly message: NewMessage }

/** Bytes of a mutation, as `kvLimits.commitBytesMax` counts them. */
export function mutationBytes(mutation: Mutation): number {
  if (mutation.type === 'enqueue') return mutation.message.value.bytes
  return mutation.key.length + (mutation.type === 'delete' ? 0 : mutation.value.bytes)
}

/** A message on its way into a queue. */
export interface NewMessage {
  readonly queue: string
  readonly value: StoredValue
  /** Milliseconds since 1970 before which nobody gets it. */
  readonly dueAt: number
  /** Milliseconds to wait after each failed try; there is one try more than there are pauses. */
  readonly backoffMs: readonly number[]
  /** Keys that the value is set at when all tries have failed. */
  readonly keysIfUndelivered: readonly Buffer[]
}

/** Checks and mutations that belong together; later mutations see earlier ones. */
export interface Commit {
  readonly checks: readonly Check[]
  readonly mutations: readonly Mutation[]
  /** How many functions, each called with a change that the one before has made, have led to it; none when missing. */
  readonly depth?: number
}

export interface NamespacedCommit {
  readonly namespace: string
  readonly commit: Commit
}

export interface CommitResult {
  /** False when a check failed; nothing was written then. */
  readonly ok: boolean
  /** Of this commit; 0 when `ok` is false. */
  readonly versionstamp: number
  /** Ids of the messages, in the order of their mutations. */
  readonly messageIds: readonly number[]
  /** How many entries the `delete` mutations removed. */
  readonly deleted: number
}

/** A result, or the error that refused this commit alone. */
export type CommitOutcome = CommitResult | { readonly error: unknown }
