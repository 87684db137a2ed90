import { LinkedRow, type RowItem } from '../base/linked-row.js'

interface Entry<T> extends RowItem<Entry<T>> {
  readonly key: string
  readonly value: T
}

/** Values by key, of which those that were set least recently are forgotten when there are too many. */
export class RecentRecords<T> {
  readonly #max: number
  readonly #entries = new Map<string, Entry<T>>()
  readonly #row = new LinkedRow<Entry<T>>()

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: string): T | undefined {
    return this.#entries.get(key)?.value
  }

  set(key: string, value: T): void {
    const known = this.#entries.get(key)
    if (known !== undefined) this.#row.remove(known)
    else if (this.#entries.size >= this.#max) this.#forgetOldest()
    const entry: Entry<T> = { key, value, older: undefined, newer: undefined }
    this.#entries.set(key, entry)
    this.#row.append(entry)
  }

  #forgetOldest(): void {
    const { oldest } = this.#row
    if (oldest === undefined) return
    this.#row.remove(oldest)
    this.#entries.delete(oldest.key)
  }
}
