import { kvLimits } from '../../base/limits/kv.js'
import { retryWhileBusy } from '../../database/busy-retry.js'
import { isBusy } from '../../database/sqlite.js'
import type { KeyRange } from '../key.js'
import type { CountedStep, EntryCounter } from '../sqlite/entry-counter.js'
import type { KvStore, ListQuery, StoredEntry, StoredPage } from '../store.js'
import type { Turn } from './turn.js'

/** Tells entries that are wanted from others. */
export type Matches = (entry: StoredEntry) => boolean

/** What a reader reads from. */
export interface ReaderDoors {
  readonly store: Pick<KvStore, 'list'>
  readonly counter: EntryCounter
  readonly turn: Turn
  /** Throws `KV_CLOSED` once the store is closed. */
  readonly assertOpen: () => void
}

/** Reads on the HTTP thread: at once, and again on a timer in the rare moments in which even readers meet a lock. */
export class Reader {
  readonly #doors: ReaderDoors

  constructor(doors: ReaderDoors) {
    this.#doors = doors
  }

  /**
   * Runs a read; its answer waits for a turn of the loop where there have been many.
   *
   * @throws `KV_CLOSED`, `DATABASE_BUSY`.
   */
  run<T>(read: () => T): Promise<T> {
    const { turn } = this.#doors
    turn.begin()
    try {
      const answer = this.#open(read)
      return turn.isOver() ? turn.next().then(() => answer) : Promise.resolve(answer)
    } catch (error) {
      return isBusy(error) ? retryWhileBusy(() => this.#open(read)) : Promise.reject(error)
    }
  }

  page(namespace: string, query: ListQuery): Promise<StoredPage> {
    return this.run(() => this.#doors.store.list(namespace, query))
  }

  /** Tells whether there is anything in a range. */
  async hasMore(namespace: string, range: KeyRange, isReverse: boolean): Promise<boolean> {
    const { entries, rest } = await this.page(namespace, { range, isReverse, limit: 1 })
    return entries.length > 0 || rest !== undefined
  }

  /** Counts the entries of a range, in steps between which others have a turn. */
  async count(namespace: string, range: KeyRange, matches: Matches | undefined): Promise<number> {
    return matches === undefined
      ? this.#countAll(namespace, range)
      : this.#countSome(namespace, range, matches)
  }

  async #countAll(namespace: string, range: KeyRange): Promise<number> {
    let total = 0
    let rest: KeyRange | undefined = range
    while (rest !== undefined) {
      const step: KeyRange = rest
      const counted: CountedStep = await this.run(() =>
        this.#doors.counter.count(namespace, step, kvLimits.countStepEntries),
      )
      total += counted.count
      rest = counted.rest
      if (rest !== undefined) await this.#doors.turn.next()
    }
    return total
  }

  async #countSome(namespace: string, range: KeyRange, matches: Matches): Promise<number> {
    let total = 0
    let rest: KeyRange | undefined = range
    while (rest !== undefined) {
      const query = {
        range: rest,
        limit: kvLimits.filterStepEntries,
        lookedMax: kvLimits.filterStepEntries,
        isReverse: false,
        matches,
      }
      const page: StoredPage = await this.page(namespace, query)
      total += page.entries.length
      rest = page.rest
      if (rest !== undefined) await this.#doors.turn.next()
    }
    return total
  }

  #open<T>(read: () => T): T {
    this.#doors.assertOpen()
    return read()
  }
}
