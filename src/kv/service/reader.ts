import { kvLimits } from '../../base/limits.js'
import { retryWhileBusy } from '../../database/busy-retry.js'
import { isBusy } from '../../database/sqlite.js'
import type { KeyRange } from '../key.js'
import type { EntryCounter } from '../sqlite/entry-counter.js'
import type { KvStore, ListQuery, StoredEntry, StoredPage } from '../store.js'
import type { Turn } from './turn.js'

/** Tells entries that are wanted from others. */
export type Matches = (entry: StoredEntry) => boolean

/** Reads on the HTTP thread: at once, and again on a timer in the rare moments in which even readers meet a lock. */
export class Reader {
  readonly #store: Pick<KvStore, 'list'>
  readonly #counter: EntryCounter
  readonly #turn: Turn

  constructor(store: Pick<KvStore, 'list'>, counter: EntryCounter, turn: Turn) {
    this.#store = store
    this.#counter = counter
    this.#turn = turn
  }

  /** Runs a read; its answer waits for a turn of the loop where there have been many. */
  async run<T>(read: () => T): Promise<T> {
    const answer = await this.#tryRead(read)
    if (this.#turn.isOver()) await this.#turn.next()
    return answer
  }

  page(namespace: string, query: ListQuery): Promise<StoredPage> {
    return this.run(() => this.#store.list(namespace, query))
  }

  /** Tells whether there is anything in a range. */
  async hasMore(namespace: string, range: KeyRange, isReverse: boolean): Promise<boolean> {
    const { entries, rest } = await this.page(namespace, { range, isReverse, limit: 1 })
    return entries.length > 0 || rest !== undefined
  }

  /** Counts the entries of a range, in steps between which others have a turn. */
  async count(namespace: string, range: KeyRange, matches: Matches | undefined): Promise<number> {
    return matches === undefined ? this.#countAll(namespace, range) : this.#countSome(namespace, range, matches)
  }

  async #countAll(namespace: string, range: KeyRange): Promise<number> {
    let total = 0
    let rest: KeyRange | undefined = range
    while (rest !== undefined) {
      const step = rest
      const counted = await this.run(() =>
        this.#counter.count(namespace, step, kvLimits.countStepEntries),
      )
      total += counted.count
      rest = counted.rest
      if (rest !== undefined) await this.#turn.next()
    }
    return total
  }

  async #countSome(namespace: string, range: KeyRange, matches: Matches): Promise<number> {
    let total = 0
    let rest: KeyRange | undefined = range
    while (rest !== undefined) {
      const query = { range: rest, limit: kvLimits.pageEntriesMax, isReverse: false, matches }
      const page: StoredPage = await this.page(namespace, query)
      total += page.entries.length
      rest = page.rest
      if (rest !== undefined) await this.#turn.next()
    }
    return total
  }

  async #tryRead<T>(read: () => T): Promise<T> {
    try {
      return read()
    } catch (error) {
      if (!isBusy(error)) throw error
      return retryWhileBusy(read)
    }
  }
}
