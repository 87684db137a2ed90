import { CommitLookout, type CommitSources } from '../commit-lookout.js'
import type { QueueStore } from '../queue-store.js'

/** What the waits for messages ask the store. */
export interface QueueWaitDoors extends CommitSources {
  readonly store: Pick<QueueStore, 'nextDueAt'>
  /** Milliseconds since 1970. */
  readonly clock: () => number
}

/** Those who wait for the messages of one queue, in the order in which they came. */
interface WaitingQueue {
  readonly namespace: string
  readonly queue: string
  readonly wakes: Set<() => void>
}

/** Longest time that a timer can run. */
const timerMsMax = 2 ** 31 - 1

/**
 * Wakes those who wait for messages when one is due: one of them for each message, so that however many wait, a look
 * costs one question for each queue. Nothing runs while nobody waits.
 */
export class QueueWaits {
  readonly #doors: QueueWaitDoors
  readonly #queues = new Map<string, WaitingQueue>()
  readonly #lookout: CommitLookout
  /** Runs until the first message that is not due yet will be. */
  #due: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(doors: QueueWaitDoors) {
    this.#doors = doors
    this.#lookout = new CommitLookout(doors, () => this.#wakeDue())
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
      this.#lookout.begin()
      // What was sent between the last look into the queue and now has been told already.
      this.#lookout.ask()
    })
  }

  /** Wakes everybody; who waits from now on is woken at once. */
  close(): void {
    this.#isClosed = true
    for (const { wakes } of this.#queues.values()) for (const wake of [...wakes]) wake()
    this.#lookout.close()
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
    this.#lookout.end()
    clearTimeout(this.#due)
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
      if (wakes.size > 0) this.#lookout.ask()
    }
    clearTimeout(this.#due)
    if (nextMs <= timerMsMax) this.#due = setTimeout(() => this.#lookout.ask(), nextMs).unref()
  }
}
