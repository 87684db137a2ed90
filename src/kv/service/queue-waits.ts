import { kvLimits } from '../../base/limits.js'
import { isBusy } from '../../database/sqlite.js'
import type { CommitSignal } from '../commit-signal.js'
import type { QueueStore } from '../queue-store.js'

/** What the waits for messages ask the store. */
export interface QueueWaitDoors {
  readonly signal: CommitSignal
  readonly store: Pick<QueueStore, 'nextDueAt'>
  /** Milliseconds since 1970. */
  readonly clock: () => number
  /** A number that changes with the commits of other connections, those of other processes included. */
  readonly dataVersion: () => number
}

/** Those who wait for the messages of one queue, in the order in which they came. */
interface WaitingQueue {
  readonly namespace: string
  readonly queue: string
  readonly wakes: Set<() => void>
}

/** Time in which the commits that follow each other are told as one. */
const pauseMs = 5
/** Longest time that a timer can run. */
const timerMsMax = 2 ** 31 - 1

/**
 * Wakes those who wait for messages when one is due: one of them for each message, so that however many wait, a look
 * costs one question for each queue. Nothing runs while nobody waits.
 */
export class QueueWaits {
  readonly #doors: QueueWaitDoors
  readonly #queues = new Map<string, WaitingQueue>()
  #stopListening: (() => void) | undefined
  /** Runs while a look has just been. */
  #pause: NodeJS.Timeout | undefined
  #isAsked = false
  /** Runs until the first message that is not due yet will be. */
  #due: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(doors: QueueWaitDoors) {
    this.#doors = doors
  }

  /** Settles when a message of the queue may be due, when the signal is aborted, and when the waits are closed. */
  wait(namespace: string, queue: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted || this.#isClosed) return resolve()
      const waiting = this.#waitingAt(namespace, queue)
      const wake = (): void => {
        signal.removeEventListener('abort', wake)
        this.#leave(waiting, wake)
        resolve()
      }
      waiting.wakes.add(wake)
      signal.addEventListener('abort', wake, { once: true })
      this.#listen()
      // What was sent between the last look into the queue and now has been told already.
      this.#ask()
    })
  }

  /** Wakes everybody; who waits from now on is woken at once. */
  close(): void {
    this.#isClosed = true
    for (const { wakes } of this.#queues.values()) for (const wake of [...wakes]) wake()
    clearTimeout(this.#pause)
  }

  #waitingAt(namespace: string, queue: string): WaitingQueue {
    const name = `${namespace}\n${queue}`
    const known = this.#queues.get(name)
    if (known !== undefined) return known
    const waiting = { namespace, queue, wakes: new Set<() => void>() }
    this.#queues.set(name, waiting)
    return waiting
  }

  #leave({ namespace, queue, wakes }: WaitingQueue, wake: () => void): void {
    wakes.delete(wake)
    if (wakes.size === 0) this.#queues.delete(`${namespace}\n${queue}`)
    if (this.#queues.size > 0) return
    this.#stopListening?.()
    this.#stopListening = undefined
    clearTimeout(this.#due)
  }

  #listen(): void {
    if (this.#stopListening !== undefined) return
    const stop = this.#doors.signal.listen(() => this.#ask())
    let version: number | undefined
    const timer = setInterval(() => {
      const current = this.#readDataVersion()
      if (current === undefined || current !== version) this.#ask()
      version = current
    }, kvLimits.watchOthersMs).unref()
    this.#stopListening = () => {
      stop()
      clearInterval(timer)
    }
  }

  /** Looks in a later task, unless it has just looked: then a little later. */
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
    setImmediate(() => this.#look())
  }

  #look(): void {
    if (this.#isClosed) return
    try {
      this.#wakeDue()
    } catch (error) {
      if (!isBusy(error)) throw error
      this.#ask()
    }
  }

  #wakeDue(): void {
    const nowMs = this.#doors.clock()
    let nextMs = Number.POSITIVE_INFINITY
    for (const { namespace, queue, wakes } of [...this.#queues.values()]) {
      const dueAt = this.#doors.store.nextDueAt(namespace, queue)
      if (dueAt === undefined) continue
      if (dueAt > nowMs) {
        nextMs = Math.min(nextMs, dueAt - nowMs)
        continue
      }
      const [wake] = wakes
      wake?.()
      // There may be more than one message, and who was woken may not want it any more.
      if (wakes.size > 0) this.#ask()
    }
    clearTimeout(this.#due)
    if (nextMs <= timerMsMax) this.#due = setTimeout(() => this.#ask(), nextMs).unref()
  }

  #readDataVersion(): number | undefined {
    try {
      return this.#doors.dataVersion()
    } catch (error) {
      // Somebody holds the file, so that something may be new.
      if (isBusy(error)) return undefined
      throw error
    }
  }
}
