import type { KvKey } from './key.js'
import type { KvU64, KvValue } from './value.js'
import type { Where } from './where.js'

/** An entry, or the absence of one: its value and versionstamp are then null. */
export interface KvEntry {
  readonly key: KvKey
  readonly value: KvValue
  /** 20 hexadecimal digits that order the commits of a namespace; null when there is no entry. */
  readonly versionstamp: string | null
}

/** Outcome of a commit. */
export type KvCommitResult = { readonly ok: true; readonly versionstamp: string } | { readonly ok: false }

export interface KvSetOptions {
  /** Milliseconds until the entry is gone, from 1; it stays when missing. */
  readonly expiresIn?: number
}

export interface KvMutateOptions {
  /** Milliseconds until the entry is gone, from 1; what it had stays when missing. */
  readonly expiresIn?: number
}

export interface KvDeleteOptions {
  /** False deletes the key and everything below it. True when missing. */
  readonly exact?: boolean
  /** Only entries whose value matches. */
  readonly where?: Where
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
  readonly where?: Where
  /** Where another list with the same selector stood; see `KvList.cursor`. */
  readonly cursor?: string
  /** Entries that are read at once; `kvLimits.pageEntriesDefault` when missing. */
  readonly batch?: number
}

/** Entries as they are read, batch by batch: not a picture of one moment. */
export interface KvList extends AsyncIterable<KvEntry> {
  /** Where the list stands, for another one to go on; the empty text before its first entry. */
  readonly cursor: string
}

export interface KvPageOptions extends KvSelector {
  readonly cursor?: string | null
  readonly limit?: number
  readonly reverse?: boolean
  readonly where?: Where
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
  /** Milliseconds before the message is given out, up to `kvLimits.delayMsMax`; 0 when missing. */
  readonly delay?: number
  /**
   * Milliseconds to wait after each failed try, and so their number less one: up to `kvLimits.backoffPausesMax` pauses
   * of up to `kvLimits.backoffPauseMsMax`; `defaultBackoffMs` when missing.
   */
  readonly backoffSchedule?: readonly number[]
  /** Keys that the value is set at when all tries have failed, up to `kvLimits.keysIfUndeliveredMax`. */
  readonly keysIfUndelivered?: readonly KvKey[]
}

/** Checks and mutations that are applied together or not at all; later mutations see earlier ones. */
export interface KvAtomic {
  check(...checks: readonly { readonly key: KvKey; readonly versionstamp: string | null }[]): this
  set(key: KvKey, value: KvValue, options?: KvSetOptions): this
  delete(key: KvKey): this
  /** Adds; the operand itself where there is no entry. Integers only; the type of the entry is kept. */
  sum(key: KvKey, value: number | bigint | KvU64, options?: KvMutateOptions): this
  max(key: KvKey, value: number | bigint | KvU64, options?: KvMutateOptions): this
  min(key: KvKey, value: number | bigint | KvU64, options?: KvMutateOptions): this
  /** Adds items behind those of an array; the items themselves where there is no entry. */
  append(key: KvKey, items: readonly KvValue[], options?: KvMutateOptions): this
  prepend(key: KvKey, items: readonly KvValue[], options?: KvMutateOptions): this
  enqueue(value: KvValue, options?: KvEnqueueOptions): this
  commit(): Promise<KvCommitResult>
}

/** What `transaction` hands to its function: reads are remembered and checked, writes wait for the end. */
export interface KvTransaction {
  get(key: KvKey): Promise<KvEntry>
  set(key: KvKey, value: KvValue, options?: KvSetOptions): void
  delete(key: KvKey): void
  sum(key: KvKey, value: number | bigint | KvU64, options?: KvMutateOptions): void
  max(key: KvKey, value: number | bigint | KvU64, options?: KvMutateOptions): void
  min(key: KvKey, value: number | bigint | KvU64, options?: KvMutateOptions): void
  append(key: KvKey, items: readonly KvValue[], options?: KvMutateOptions): void
  prepend(key: KvKey, items: readonly KvValue[], options?: KvMutateOptions): void
  enqueue(value: KvValue, options?: KvEnqueueOptions): void
}

export interface KvTransactionOptions {
  /** How often the function may run again after a conflict; 0 when missing. */
  readonly maxRetries?: number
  /** Milliseconds before the first repetition, doubled with each; 10 when missing. */
  readonly retryDelay?: number
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
  /** End of the lease, in milliseconds since 1970. */
  readonly leasedUntil: number
}

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

/** Queues of a namespace. A message is given out at least once, and again when its lease ends without an answer. */
export interface KvQueues {
  enqueue(value: KvValue, options?: KvEnqueueOptions): Promise<{ readonly ok: true; readonly id: string }>
  /** Takes the message that has been due for longest; undefined when none is. `lease` is its length in milliseconds. */
  dequeue(options?: { readonly queue?: string; readonly lease?: number }): Promise<KvMessage | undefined>
  /**
   * Waits until a message is due and takes it; undefined once the signal is aborted. A message that was taken before
   * the signal was noticed is given out all the same.
   */
  next(options: {
    readonly queue?: string
    readonly lease?: number
    readonly signal: AbortSignal
  }): Promise<KvMessage | undefined>
  /** Ends a message. False when its lease has ended or it is not there. */
  ack(message: Pick<KvMessage, 'id' | 'lease'>): Promise<boolean>
  /** Gives a message back: it is tried again after its pause, or is dead. False as for `ack`. */
  nack(message: Pick<KvMessage, 'id' | 'lease'>, error?: string): Promise<boolean>
  /** Lets the lease end `lease` milliseconds from now. False as for `ack`. */
  extend(message: Pick<KvMessage, 'id' | 'lease'>, lease?: number): Promise<boolean>
  /** Of one queue, or of all of the namespace when it is missing. */
  stats(queue?: string): Promise<KvQueueStats>
  /** Newest failure first. A page of large values is shorter than its limit: the last page is the empty one. */
  deadLetters(options?: {
    readonly queue?: string
    readonly limit?: number
    readonly offset?: number
  }): Promise<readonly KvDeadLetter[]>
  deadLetter(id: string): Promise<KvDeadLetter | undefined>
  /** Puts a dead letter back into its queue, with all its tries; undefined when it is not there. */
  requeue(id: string): Promise<{ readonly newId: string } | undefined>
  /** False when it is not there. */
  deleteDeadLetter(id: string): Promise<boolean>
  /** @returns How many were deleted. */
  purgeDeadLetters(queue?: string): Promise<number>
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
  readonly where?: Where
  /** Marks that are put around what was found, in `KvHit.highlights`. */
  readonly highlight?: { readonly open: string; readonly close: string }
}

export interface KvHit extends KvEntry {
  /** How well it fits, best first; larger is better. */
  readonly score: number
  /** Texts with marks, by field; only with the option `highlight`. */
  readonly highlights?: Readonly<Record<string, string>>
}

/** Full-text search in a namespace. */
export interface KvSearch {
  /** Makes an index over the entries below a prefix, existing ones included, or replaces the one that there is. */
  createIndex(prefix: KvKey, options: KvIndexOptions): Promise<void>
  /** False when there is none. */
  removeIndex(prefix: KvKey): Promise<boolean>
  indexes(): Promise<readonly KvIndex[]>
  /** Finds entries by words, best first. */
  search(prefix: KvKey, query: string, options?: KvSearchOptions): Promise<readonly KvHit[]>
}

/** One change of an entry. */
export interface KvChange {
  readonly type: 'set' | 'delete'
  readonly key: KvKey
  /** Null when it was deleted or has expired. */
  readonly value: KvValue
  /** Of the commit that changed it. */
  readonly versionstamp: string
}

export interface KvWatchOptions {
  /** False leaves out the first batch with what there is. True when missing; not asked with `since`. */
  readonly initial?: boolean
  /** Goes on behind this versionstamp, without the first batch. */
  readonly since?: string
  /** Ends the watch. */
  readonly signal?: AbortSignal
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
  /** Pass it as `since` to go on behind this batch. */
  readonly versionstamp: string
}

/** One namespace of the key-value store. */
export interface Kv {
  readonly namespace: string
  get(key: KvKey): Promise<KvEntry>
  /** Reads several entries at one moment, in the order of the keys. */
  getMany(keys: readonly KvKey[]): Promise<readonly KvEntry[]>
  set(
    key: KvKey,
    value: KvValue,
    options?: KvSetOptions,
  ): Promise<{ readonly ok: true; readonly versionstamp: string }>
  /** @returns How many entries were deleted. */
  delete(key: KvKey, options?: KvDeleteOptions): Promise<{ readonly deletedCount: number }>
  /**
   * Deletes several entries, in one commit; with `exact: false` everything below the keys as well, in as many commits
   * as that takes.
   */
  deleteMany(keys: readonly KvKey[], options?: KvDeleteOptions): Promise<{ readonly deletedCount: number }>
  list(selector?: KvSelector, options?: KvListOptions): KvList
  paginate(options?: KvPageOptions): Promise<KvPage>
  /** Counts the entries below a prefix. */
  count(prefix?: KvKey, options?: { readonly where?: Where }): Promise<number>
  atomic(): KvAtomic
  /**
   * Runs a function whose reads are checked and whose writes are committed when it is done. What it throws is passed
   * on, and nothing is written.
   */
  transaction<T>(
    work: (transaction: KvTransaction) => T | Promise<T>,
    options?: KvTransactionOptions,
  ): Promise<KvTransactionResult<T>>
  /** Follows keys, or everything below a prefix (the prefix itself included). */
  watch(
    target: { readonly keys: readonly KvKey[] } | { readonly prefix: KvKey },
    options?: KvWatchOptions,
  ): AsyncIterable<KvBatch>
  /**
   * Gives the next batch of such a watch at once: without changes when nothing has changed behind `since`, and with
   * `reset` when `since` is missing or too far back.
   */
  changes(
    target: { readonly keys: readonly KvKey[] } | { readonly prefix: KvKey },
    options?: { readonly since?: string },
  ): Promise<KvBatch>
  readonly queues: KvQueues
  readonly search: KvSearch
}

/** Gives the namespaces of a store. */
export interface KvNamespaces {
  /** @param name `shared:<name>`, `plugin:<name>`, or `<name>` for a shared one. */
  namespace(name: string): Kv
}
