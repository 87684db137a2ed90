import type { KvDuration } from './duration.js'
import type { KvKey, KvU64, KvValue } from './value.js'

/** An entry, or the absence of one: its value and versionstamp are then null. */
export interface KvEntry {
  readonly key: KvKey
  readonly value: KvValue
  /** 20 hexadecimal digits that order the commits of a namespace; null when there is no entry. */
  readonly versionstamp: string | null
}

/** Outcome of a commit. */
export type KvCommitResult = { readonly ok: true; readonly versionstamp: string } | { readonly ok: false }

/** A filter over values, e.g. `{ age: { $gte: 18 } }`. */
export type KvWhere = Readonly<Record<string, unknown>>

/** Options of `set`, and of mutations; those of mutations keep what the entry had when it is missing. */
export interface KvSetOptions {
  /** Time until the entry is gone, from 1 ms; it stays when missing. */
  readonly expiresIn?: KvDuration
}

export interface KvDeleteOptions {
  /** False deletes the key and everything below it. True when missing. */
  readonly exact?: boolean
  /** Only entries whose value matches. */
  readonly where?: KvWhere
}

/** Which entries a list has: those below the prefix and from `start` (inclusive) to `end` (exclusive). */
export interface KvSelector {
  /** Everything when empty or missing. */
  readonly prefix?: KvKey
  readonly start?: KvKey
  readonly end?: KvKey
}

export interface KvListOptions {
  /** Entries altogether; all when missing. */
  readonly limit?: number
  /** False when missing: in the order of the keys. */
  readonly reverse?: boolean
  readonly where?: KvWhere
  /** Where another list with the same selector stood; see `KvList.cursor`. */
  readonly cursor?: string
  /** Entries of one request; the server decides when missing. */
  readonly batch?: number
}

/** Entries as they are read, request by request: not a picture of one moment. */
export interface KvList extends AsyncIterable<KvEntry> {
  /** Where the list stands, for another one to go on; the empty text before its first entry. */
  readonly cursor: string
}

export interface KvPageOptions extends KvSelector {
  readonly cursor?: string | null
  readonly limit?: number
  readonly reverse?: boolean
  readonly where?: KvWhere
}

export interface KvPage {
  readonly entries: readonly KvEntry[]
  /** For the next page; null on the last one. */
  readonly cursor: string | null
  /** True when there is more to look at, even where this page has few entries or none. */
  readonly hasMore: boolean
}

export interface KvEnqueueOptions {
  /** Name of the queue; `default` when missing. */
  readonly queue?: string
  /** Time before the message is given out; none when missing. */
  readonly delay?: KvDuration
  /** Time to wait after each failed try, and so their number less one; the server decides when missing. */
  readonly backoffSchedule?: readonly KvDuration[]
  /** Keys that the value is set at when all tries have failed. */
  readonly keysIfUndelivered?: readonly KvKey[]
}

/** What a commit can do, and a transaction too. */
export interface KvMutations<Result> {
  set(key: KvKey, value: KvValue, options?: KvSetOptions): Result
  delete(key: KvKey): Result
  /** Adds; the operand itself where there is no entry. Integers only; the type of the entry is kept. */
  sum(key: KvKey, value: number | bigint | KvU64, options?: KvSetOptions): Result
  max(key: KvKey, value: number | bigint | KvU64, options?: KvSetOptions): Result
  min(key: KvKey, value: number | bigint | KvU64, options?: KvSetOptions): Result
  /** Adds items behind those of an array; the items themselves where there is no entry. */
  append(key: KvKey, items: readonly KvValue[], options?: KvSetOptions): Result
  prepend(key: KvKey, items: readonly KvValue[], options?: KvSetOptions): Result
  enqueue(value: KvValue, options?: KvEnqueueOptions): Result
}

/** What must be true for a commit: the entry has this versionstamp, or with null there is none. */
export interface KvCheck {
  readonly key: KvKey
  readonly versionstamp: string | null
}

export interface KvTransactionOptions {
  /** How often the function may run again after a conflict; 0 when missing. */
  readonly maxRetries?: number
  /** Time before the first repetition, doubled with each; 10 ms when missing. */
  readonly retryDelay?: KvDuration
}

export type KvTransactionResult<T> =
  | { readonly ok: true; readonly value: T; readonly versionstamp: string }
  | { readonly ok: false; readonly error: 'conflict' }

/** A message that was given out: it is this consumer's until its lease ends. */
export interface KvMessage {
  readonly id: string
  readonly queue: string
  readonly value: KvValue
  /** Tries so far, this one included. */
  readonly attempts: number
  /** Proves to `ack`, `nack` and `extend` that the message is still this consumer's. */
  readonly lease: string
  /** End of the lease, in milliseconds since 1970 by the server's clock. */
  readonly leasedUntil: number
}

/** Names a message and shows the lease on it. */
export type KvLease = Pick<KvMessage, 'id' | 'lease'>

export interface KvQueueStats {
  /** Waiting, delayed ones included. */
  readonly pending: number
  readonly processing: number
  readonly dlq: number
  /** All of them. */
  readonly total: number
}

/** A message of which all tries have failed. */
export interface KvDeadLetter {
  readonly id: string
  readonly originalId: string
  readonly queue: string
  readonly value: KvValue
  /** What the last try failed with. */
  readonly errorMessage: string
  readonly attempts: number
  /** Milliseconds since 1970. */
  readonly originalCreatedAt: number
  readonly failedAt: number
}

/** Part of the dead letters, newest failure first. */
export interface KvDeadLetterOptions {
  /** All queues when missing. */
  readonly queue?: string
  readonly limit?: number
  readonly offset?: number
}

export interface KvIndexOptions {
  /** Members of the values by path, e.g. `title` or `author.name`; the value itself when it is a text, with `""`. */
  readonly fields: readonly string[]
  /** `unicode61` when missing. */
  readonly tokenize?: 'unicode61' | 'porter' | 'ascii' | 'trigram'
}

export interface KvIndex extends Required<KvIndexOptions> {
  readonly prefix: KvKey
  /** False while existing entries are still being taken in. */
  readonly isComplete: boolean
}

export interface KvSearchOptions {
  readonly limit?: number
  readonly where?: KvWhere
  /** Marks that are put around what was found, in `KvHit.highlights`. */
  readonly highlight?: { readonly open: string; readonly close: string }
}

export interface KvHit extends KvEntry {
  /** How well it fits, best first; larger is better. */
  readonly score: number
  /** Texts with marks, by field; only with the option `highlight`. */
  readonly highlights?: Readonly<Record<string, string>>
}

/** What `metrics` gives: how often and how long each operation ran, and what is stored. */
export interface KvMetrics {
  readonly operations: Readonly<
    Record<string, { readonly count: number; readonly errors: number; readonly avgLatencyMs: number }>
  >
  readonly totals: { readonly operations: number; readonly errors: number }
  readonly queue: KvQueueStats
  readonly storage: { readonly entries: number; readonly sizeBytes: number }
}

/** Something that goes on until it is stopped. */
export interface KvSubscription extends Disposable {
  /**
   * Stops, and resolves when the function that is still at work is done. Inside of that function it must not be
   * waited for.
   */
  stop(): Promise<void>
  /**
   * Resolves when it has stopped. Rejects with what ended it before: an error that trying again does not mend, such
   * as a token that was refused. Losing the connection is none.
   */
  readonly closed: Promise<void>
}
