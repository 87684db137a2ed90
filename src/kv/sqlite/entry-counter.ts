import { after, type KeyRange } from '../key.js'
import type { KvSession } from './session.js'

/** What one step of a count found. */
export interface CountedStep {
  /** Entries that have not expired. */
  readonly count: number
  /** What is left of the range; undefined when nothing is. */
  readonly rest: KeyRange | undefined
}

/** Counts entries without reading their values. */
export class EntryCounter {
  readonly #session: KvSession
  readonly #clock: () => number

  constructor(session: KvSession, clock: () => number) {
    this.#session = session
    this.#clock = clock
  }

  /** @param limit How many entries to look at; those that have expired count here. */
  count(namespace: string, { start, end }: KeyRange, limit: number): CountedStep {
    const id = this.#session.namespaceId(namespace)
    if (id === undefined) return { count: 0, rest: undefined }
    const [looked, expired, last] = this.#session
      .statement(
        'select count(*), count(expires_at <= ? or null), max(key) from (select key, expires_at from kv_entries where namespace = ? and key >= ? and key < ? order by key limit ?)',
      )
      .get(this.#clock(), id, start, end, limit) as [number, number, Buffer | null]
    const rest = last === null || looked < limit ? undefined : { start: after(last), end }
    return { count: looked - expired, rest }
  }
}
