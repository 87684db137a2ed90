/** What stands in a `LinkedRow`; its neighbours are the row's to write. */
export interface RowItem<T> {
  /** The one before; undefined at the old end, and outside of a row. */
  older: T | undefined
  /** The one behind; undefined at the new end, and outside of a row. */
  newer: T | undefined
}

/**
 * Items in the order in which they were appended, both ends and the removal of any at hand. The order of a Map would not
 * do for what always forgets its oldest: to find its first entry it steps over the places of all that were deleted,
 * which may be as many as it has entries.
 */
export class LinkedRow<T extends RowItem<T>> {
  #oldest: T | undefined
  #newest: T | undefined

  get oldest(): T | undefined {
    return this.#oldest
  }

  get newest(): T | undefined {
    return this.#newest
  }

  /** Puts an item that stands in no row behind all others. */
  append(item: T): void {
    item.older = this.#newest
    if (this.#newest === undefined) this.#oldest = item
    else this.#newest.newer = item
    this.#newest = item
  }

  /** Takes out an item that stands in this row. */
  remove(item: T): void {
    const { older, newer } = item
    if (older === undefined) this.#oldest = newer
    else older.newer = newer
    if (newer === undefined) this.#newest = older
    else newer.older = older
    item.older = undefined
    item.newer = undefined
  }

  /** Puts an item that stands in this row behind all others. */
  renew(item: T): void {
    if (item === this.#newest) return
    this.remove(item)
    this.append(item)
  }

  /** Lets all items go; they must not be put into a row again. */
  clear(): void {
    this.#oldest = undefined
    this.#newest = undefined
  }
}
