import { kvLimits } from '../../base/limits.js'
import { isBusy } from '../../database/sqlite.js'
import type { CommitSignal } from '../commit-signal.js'
import { kvClosed, kvWatchersFull, kvWatchersMax } from '../errors.js'

/** What a hub asks the store. */
export interface HubDoors {
  readonly signal: CommitSignal
  /** Versionstamp of the last commit of a namespace. */
  readonly lastVersionstamp: (namespace: string) => number
  /** A number that changes with the commits of other connections, those of other processes included. */
  readonly dataVersion: () => number
}

interface Waiter {
  readonly position: number
  readonly wake: () => void
}

/** Time in which the commits that follow each other are told as one. */
const pauseMs = 5

/** Counts watchers, and wakes those whose namespace has something new. Nothing runs while nobody waits. */
export class WatchHub {
  readonly #doors: HubDoors
  readonly #waiters = new Map<string, Set<Waiter>>()
  readonly #counts = new Map<string, number>()
  readonly #watchers = new Set<{ end(): void }>()
  #stopListening: (() => void) | undefined
  #pause: NodeJS.Timeout | undefined
  #isAsked = false
  #isClosed = false

  constructor(doors: HubDoors) {
    this.#doors = doors
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
    this.#listen()
    // What was committed between the watcher's last look and now has been told already.
    if (this.#hasNews(namespace, position)) this.#ask()
    return () => this.#forget(namespace, waiter)
  }

  /** Ends all watchers. */
  close(): void {
    this.#isClosed = true
    for (const watcher of this.#watchers) watcher.end()
    clearTimeout(this.#pause)
    this.#stopListening?.()
  }

  #forget(namespace: string, waiter: Waiter): void {
    const waiters = this.#waiters.get(namespace)
    waiters?.delete(waiter)
    if (waiters?.size === 0) this.#waiters.delete(namespace)
    if (this.#waiters.size > 0) return
    this.#stopListening?.()
    this.#stopListening = undefined
  }

  #listen(): void {
    if (this.#stopListening !== undefined) return
    const stop = this.#doors.signal.listen(() => this.#ask())
    let version = this.#readDataVersion()
    const timer = setInterval(() => {
      const current = this.#readDataVersion()
      if (current !== version) this.#ask()
      version = current
    }, kvLimits.watchOthersMs).unref()
    this.#stopListening = () => {
      stop()
      clearInterval(timer)
    }
  }

  /** Looks now, unless it has just looked: then a little later. */
  #ask(): void {
    if (this.#pause !== undefined) {
      this.#isAsked = true
      return
    }
    this.#pause = setTimeout(() => {
      this.#pause = undefined
      if (!this.#isAsked) return
      this.#isAsked = false
      this.#ask()
    }, pauseMs)
    setImmediate(() => this.#wakeAll())
  }

  #wakeAll(): void {
    for (const [namespace, waiters] of this.#waiters) {
      let current: number
      try {
        current = this.#doors.lastVersionstamp(namespace)
      } catch (error) {
        if (!isBusy(error)) throw error
        this.#ask()
        return
      }
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

  #readDataVersion(): number {
    try {
      return this.#doors.dataVersion()
    } catch (error) {
      // Somebody holds the file, so that something may be new.
      if (isBusy(error)) return -1
      throw error
    }
  }
}
