import { kvLimits } from '../../base/limits/kv.js'
import { retryWhileBusy } from '../../database/busy-retry.js'
import { isBusy } from '../../database/sqlite.js'
import { kvClosed, kvOverloaded } from '../errors.js'
import type { Commit, CommitOutcome, CommitResult, KvStore, NamespacedCommit } from '../store.js'
import type { Turn } from './turn.js'

/** A commit that waits for its transaction. */
interface WaitingCommit extends NamespacedCommit {
  readonly bytes: number
  readonly resolve: (result: CommitResult) => void
  readonly reject: (error: unknown) => void
}

/**
 * Writes the commits that are asked for in one tick in one transaction, each with an outcome of its own, in the order
 * in which they were asked for. A locked file is tried again on a timer; what is asked for meanwhile waits behind.
 */
export class CommitGroup {
  readonly #store: Pick<KvStore, 'commitAll'>
  readonly #turn: Turn
  #waiting: WaitingCommit[] = []
  #waitingBytes = 0
  #submitted = 0
  /** Written or refused, of those that were submitted. */
  #done = 0
  #isScheduled = false
  /** Set while a group meets a locked file. */
  #retrying: Promise<void> | undefined
  #isClosed = false
  readonly #flush = (): void => {
    this.#isScheduled = false
    if (this.#retrying === undefined) this.#writeGroup()
    if (this.#waiting.length > 0 && this.#retrying === undefined) this.#schedule(true)
  }

  constructor(store: Pick<KvStore, 'commitAll'>, turn: Turn) {
    this.#store = store
    this.#turn = turn
  }

  /**
   * Has a commit written.
   *
   * @param bytes About how much memory it takes.
   * @throws `KV_OVERLOADED`, `KV_CLOSED`, `DATABASE_BUSY`, and what refuses the commit itself.
   */
  submit(namespace: string, commit: Commit, bytes: number): Promise<CommitResult> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) throw kvClosed()
      if (this.#waitingBytes > 0 && this.#waitingBytes + bytes > kvLimits.waitingBytesMax) {
        throw kvOverloaded(
          { bytes: this.#waitingBytes, bytesMax: kvLimits.waitingBytesMax },
          { retryAfterSeconds: 1 },
        )
      }
      this.#submitted += 1
      this.#waitingBytes += bytes
      this.#waiting.push({ namespace, commit, bytes, resolve, reject })
      if (!this.#isScheduled && this.#retrying === undefined) this.#schedule(this.#turn.isOver())
    })
  }

  /** Settles when what has been asked for so far is written or refused; what is asked for later does not count. */
  async settled(): Promise<void> {
    const target = this.#submitted
    while (this.#done < target) {
      if (this.#retrying === undefined) this.#writeGroup()
      else await this.#retrying
      if (this.#done < target && this.#turn.isOver()) await this.#turn.next()
    }
  }

  /** Refuses further commits, and writes those that wait. */
  close(): Promise<void> {
    this.#isClosed = true
    return this.settled()
  }

  /** Ticks come behind all promises that are settled now, so that what these ask for goes into the same group. */
  #schedule(isTurnOver: boolean): void {
    this.#isScheduled = true
    if (isTurnOver) setImmediate(this.#flush)
    else process.nextTick(this.#flush)
  }

  #writeGroup(): void {
    const group = this.#takeGroup()
    if (group.length === 0) return
    this.#turn.begin()
    try {
      settle(group, this.#store.commitAll(group))
    } catch (error) {
      if (isBusy(error)) {
        this.#retrying = this.#retry(group)
        return
      }
      this.#refused(group, error)
    }
    this.#done += group.length
  }

  #refused(group: readonly WaitingCommit[], error: unknown): void {
    if (group.length === 1) group[0]?.reject(error)
    // What was wrong with one of them is no reason to refuse the others.
    else for (const commit of group) this.#writeAlone(commit)
  }

  #writeAlone(commit: WaitingCommit): void {
    try {
      settle([commit], this.#store.commitAll([commit]))
    } catch (error) {
      commit.reject(error)
    }
  }

  async #retry(group: readonly WaitingCommit[]): Promise<void> {
    try {
      settle(group, await retryWhileBusy(() => this.#store.commitAll(group)))
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
    this.#done += group.length
    this.#retrying = undefined
    if (this.#waiting.length > 0 && !this.#isScheduled) this.#schedule(false)
  }

  #takeGroup(): readonly WaitingCommit[] {
    const all = this.#waiting
    let count = 0
    let bytes = 0
    let mutations = 0
    for (const waiting of all) {
      const isFull =
        count >= kvLimits.groupCommitsMax ||
        bytes + waiting.bytes > kvLimits.commitBytesMax ||
        mutations + waiting.commit.mutations.length > kvLimits.mutationsMax
      if (count > 0 && isFull) break
      count += 1
      bytes += waiting.bytes
      mutations += waiting.commit.mutations.length
    }
    this.#waitingBytes -= bytes
    if (count === all.length) {
      this.#waiting = []
      return all
    }
    this.#waiting = all.slice(count)
    return all.slice(0, count)
  }
}

function settle(group: readonly WaitingCommit[], outcomes: readonly CommitOutcome[]): void {
  for (let at = 0; at < group.length; at += 1) {
    const outcome = outcomes[at]
    const commit = group[at]
    if (outcome === undefined || commit === undefined) continue
    if ('error' in outcome) commit.reject(outcome.error)
    else commit.resolve(outcome)
  }
}
