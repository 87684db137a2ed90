import { kvLimits } from '../../base/limits/kv.js'
import { isBusy } from '../../database/sqlite.js'
import { CommitLookout, type CommitSources } from '../commit-lookout.js'
import { kvClosed, kvWatchersFull, kvWatchersMax } from '../errors.js'

/** What a hub asks the store. */
export interface HubDoors extends CommitSources {
  /** Versionstamp of the last commit of a namespace. */
  readonly lastVersionstamp: (namespace: string) => number
}

interface Waiter {
  readonly position: number
  readonly wake: () => void
}

/** Counts watchers, and wakes those whose namespace has something new. Nothing runs while nobody waits. */
export class WatchHub {
  readonly #doors: HubDoors
  readonly #waiters = new Map<string, Set<Waiter>>()
  readonly #counts = new Map<string, number>()
  readonly #watchers = new Set<{ end(): void }>()
  readonly #lookout: CommitLookout
  #isClosed = false

  constructor(doors: HubDoors) {
    this.#doors = doors
    this.#lookout = new CommitLookout(doors, () => this.#wakeAll())
  }

  /** @throws `KV_WATCHERS_MAX`, `KV_WATCHERS_FULL`, `KV_CLOSED` when there can be no further watcher. */
  assertRoom(namespace: string): void {
    if (this.#isClosed) throw kvClosed()
    if ((this.#counts.get(namespace) ?? 0) >= kvLimits.namespaceWatchersMax) {
      throw kvWatchersMax({ namespace, max: kvLimits.namespaceWatchersMax }, { retryAfterSeconds: 1 })
    }
    if (this.#watchers.size >= kvLimits.watchersMax) {
      throw kvWatchersFull({ max: kvLimits.watchersMax }, { retryAfterSeconds: 1 })
    }
  }

  /** Counts a watcher; errors as `assertRoom`. */
  add(namespace: string, watcher: { end(): void }): void {
    this.assertRoom(namespace)
    this.#watchers.add(watcher)
    this.#counts.set(namespace, (this.#counts.get(namespace) ?? 0) + 1)
  }

  remove(namespace: string, watcher: { end(): void }): void {
    if (!this.#watchers.delete(watcher)) return
    const count = (this.#counts.get(namespace) ?? 1) - 1
    if (count === 0) this.#counts.delete(namespace)
    else this.#counts.set(namespace, count)
  }

  /**
   * Calls `wake` once, in a later task, when the namespace has a commit other than the one at `position`.
   *
   * @returns Ends the wait.
   */
  wait(namespace: string, position: number, wake: () => void): () => void {
    const waiter: Waiter = { position, wake }
    const waiters = this.#waiters.get(namespace)
    if (waiters === undefined) this.#waiters.set(namespace, new Set([waiter]))
    else waiters.add(waiter)
    this.#lookout.begin()
    // What was committed between the watcher's last look and now has been told already.
    if (this.#hasNews(namespace, position)) this.#lookout.ask()
    return () => this.#forget(namespace, waiter)
  }

  /** Ends all watchers. */
  close(): void {
    this.#isClosed = true
    for (const watcher of this.#watchers) watcher.end()
    this.#lookout.close()
  }

  #forget(namespace: string, waiter: Waiter): void {
    const waiters = this.#waiters.get(namespace)
    waiters?.delete(waiter)
    if (waiters?.size === 0) this.#waiters.delete(namespace)
    if (this.#waiters.size === 0) this.#lookout.end()
  }

  #wakeAll(): void {
    for (const [namespace, waiters] of this.#waiters) {
      const current = this.#doors.lastVersionstamp(namespace)
      for (const waiter of waiters) {
        if (waiter.position === current) continue
        this.#forget(namespace, waiter)
        waiter.wake()
      }
    }
  }

  #hasNews(namespace: string, position: number): boolean {
    try {
      return this.#doors.lastVersionstamp(namespace) !== position
    } catch (error) {
      if (isBusy(error)) return true
      throw error
    }
  }
}
