import { kvLimits } from '../base/limits/kv.js'
import { isBusy } from '../database/sqlite.js'
import type { CommitSignal } from './commit-signal.js'

/** Where a look-out hears of commits. */
export interface CommitSources {
  readonly signal: CommitSignal
  /** A number that changes with the commits of other connections, those of other processes included. */
  readonly dataVersion: () => number
}

/** Time in which the commits that follow each other are told as one. */
const pauseMs = 5

/**
 * Has somebody look at the store after commits, those of other processes included: in a later task, and for many
 * commits once. Nothing runs before `begin` and after `end`.
 */
export class CommitLookout {
  readonly #sources: CommitSources
  readonly #look: () => void
  #stopListening: (() => void) | undefined
  /** Runs while a look has just been. */
  #pause: NodeJS.Timeout | undefined
  #isAsked = false
  #isClosed = false

  /** @param look May throw SQLITE_BUSY; it is tried again then. */
  constructor(sources: CommitSources, look: () => void) {
    this.#sources = sources
    this.#look = look
  }

  /** Looks after each commit from now on; further calls do nothing. */
  begin(): void {
    if (this.#stopListening !== undefined) return
    const stop = this.#sources.signal.listen(() => this.ask())
    let version = this.#readDataVersion()
    const timer = setInterval(() => {
      const current = this.#readDataVersion()
      if (current === undefined || current !== version) this.ask()
      version = current
    }, kvLimits.watchOthersMs).unref()
    this.#stopListening = () => {
      stop()
      clearInterval(timer)
    }
  }

  /** Looks in a later task, unless it has just looked: then a little later. */
  ask(): void {
    if (this.#pause !== undefined) {
      this.#isAsked = true
      return
    }
    this.#pause = setTimeout(() => {
      this.#pause = undefined
      if (!this.#isAsked) return
      this.#isAsked = false
      this.ask()
    }, pauseMs)
    setImmediate(() => this.#lookNow())
  }

  /** Looks after commits no more; a look that was asked for still comes. */
  end(): void {
    this.#stopListening?.()
    this.#stopListening = undefined
  }

  /** As `end`, for good: what was asked for is not looked at either. */
  close(): void {
    this.#isClosed = true
    this.end()
    clearTimeout(this.#pause)
  }

  #lookNow(): void {
    if (this.#isClosed) return
    try {
      this.#look()
    } catch (error) {
      if (!isBusy(error)) throw error
      this.ask()
    }
  }

  /** Undefined while somebody holds the file, so that something may be new. */
  #readDataVersion(): number | undefined {
    try {
      return this.#sources.dataVersion()
    } catch (error) {
      if (isBusy(error)) return undefined
      throw error
    }
  }
}
