/**
 * What keeps the messages of queues once a commit has put them there (a mutation `enqueue` of `KvStore.commit`). As
 * `KvStore` it answers at once, and may throw SQLITE_BUSY having done nothing. Every time is in milliseconds since
 * 1970, and what is now comes with the call.
 *
 * A message waits until it is due, and then goes to one consumer for the length of a lease. While the lease lasts
 * nobody else gets the message; its end makes the message due again by itself. Who takes a message out counts as a
 * try, so that a message whose consumers crash uses up its tries as well. After the last one it is a dead letter.
 *
 * Messages of a queue are given out in the order in which they became due, and those of the same millisecond in the
 * order in which they were sent. A message or a queue that there is not is like one that has gone.
 */
export interface QueueStore {
  /**
   * Takes the message that has been due for longest.
   *
   * @param leaseMs Length of the lease, as `leaseLength` gave it.
   * @returns Undefined when none is due, or when `kvLimits.deathsMax` messages in a row had no tries left: those are
   *   dead letters now, and `nextDueAt` tells whether to ask again at once.
   */
  dequeue(namespace: string, queue: string, leaseMs: number, nowMs: number): StoredMessage | undefined
  /** Ends a message that was worked off. False, with nothing done, when the lease has ended. */
  ack(namespace: string, receipt: Receipt, nowMs: number): boolean
  /**
   * Gives a message back: it is due again after its pause, or dead when this was its last try. False, with nothing
   * done, when the lease has ended.
   *
   * @param error Why, for whoever finds the dead letter; cut at `kvLimits.errorBytesMax`.
   */
  nack(namespace: string, receipt: Receipt, error: string, nowMs: number): boolean
  /**
   * Gives a message back that was not tried: it is due at once, in the place that it had, with the tries that it had.
   * False, with nothing done, when the lease has ended.
   */
  release(namespace: string, receipt: Receipt, nowMs: number): boolean
  /** Lets the lease end `leaseMs` from now, be that later or earlier. False, with nothing done, when it has ended. */
  extend(namespace: string, receipt: Receipt, leaseMs: number, nowMs: number): boolean
  /** When the next message of a queue is due, be it delayed or leased; undefined when the queue has none. */
  nextDueAt(namespace: string, queue: string): number | undefined
  /** Counts the messages of one queue, or of all queues when it is undefined. */
  queueCounts(namespace: string, queue: string | undefined, nowMs: number): QueueCounts
  /** Reads dead letters, newest failure first. */
  deadLetters(namespace: string, query: DeadLetterQuery): readonly StoredDeadLetter[]
  deadLetter(namespace: string, id: number): StoredDeadLetter | undefined
  /**
   * Makes a dead letter a message again, due now and with all its tries, pauses and keys.
   *
   * @returns The id of the message; undefined when the dead letter is not there.
   * @throws `KV_QUEUE_FULL`; the dead letter stays.
   */
  requeue(namespace: string, id: number, nowMs: number): number | undefined
  /** False when it is not there. */
  deleteDeadLetter(namespace: string, id: number): boolean
  /**
   * Deletes the oldest `kvLimits.deadLettersSliceMax` dead letters of one queue, or of all when it is undefined.
   *
   * @returns How many there were; call it again until that is 0.
   */
  purgeDeadLetters(namespace: string, queue: string | undefined): number
  /**
   * Deletes up to `kvLimits.deadLettersSliceMax` dead letters of all namespaces that are older than
   * `kvLimits.deadLetterMsMax`.
   *
   * @returns How many there were; with as many as the limit there may be more.
   */
  sweepDeadLetters(nowMs: number): number
}

/** What a consumer shows to do something with its message. */
export interface Receipt {
  readonly id: number
  readonly lease: string
}

/** A message that was given out. */
export interface StoredMessage extends Receipt {
  readonly queue: string
  readonly kind: number
  readonly data: string | Uint8Array
  /** Tries so far, this one included. */
  readonly attempts: number
  readonly leasedUntil: number
  /** True when it is a dead letter unless this try succeeds. */
  readonly isLastTry: boolean
  /** When it was due before it was given out. */
  readonly dueAt: number
}

/** Numbers of messages. */
export interface QueueCounts {
  /** Waiting: due, delayed, or with a lease that has ended. */
  readonly pending: number
  readonly processing: number
  readonly dead: number
}

/** A part of the dead letters of a namespace. */
export interface DeadLetterQuery {
  /** All queues when missing. */
  readonly queue?: string | undefined
  /** A page ends earlier at `kvLimits.pageBytesMax`, after one letter at least. */
  readonly limit: number
  /** Letters that are passed over. */
  readonly offset: number
}

/** A message of which all tries have failed. */
export interface StoredDeadLetter {
  readonly id: number
  /** Id of the message. */
  readonly messageId: number
  readonly queue: string
  readonly kind: number
  readonly data: string | Uint8Array
  readonly attempts: number
  readonly error: string
  readonly createdAt: number
  readonly failedAt: number
}
