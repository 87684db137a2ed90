import { LinkedRow, type RowItem } from '../../base/linked-row.js'

/** What a `BoundedLru` holds. */
export interface Sized {
  /** What it counts for; does not change while it is held. */
  readonly bytes: number
}

interface Held<T> extends RowItem<Held<T>> {
  readonly item: T
}

/** Keeps items in the order of their last use, and lets the least recently used go when there are too many. */
export class BoundedLru<T extends Sized> {
  readonly #entriesMax: number
  readonly #bytesMax: number
  readonly #onGone: (item: T) => void
  readonly #items = new Map<T, Held<T>>()
  readonly #row = new LinkedRow<Held<T>>()
  #bytes = 0

  /** @param onGone Is told of each item that goes, for whatever reason, once it is gone. */
  constructor(entriesMax: number, bytesMax: number, onGone: (item: T) => void) {
    this.#entriesMax = entriesMax
    this.#bytesMax = bytesMax
    this.#onGone = onGone
  }

  get size(): number {
    return this.#items.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /**
   * Adds an item as the one used last; others go until there is room.
   *
   * @returns How many others went, or undefined when the item alone is too large; nothing has changed then.
   */
  add(item: T): number | undefined {
    if (item.bytes > this.#bytesMax || this.#entriesMax < 1) return undefined
    const held: Held<T> = { item, older: undefined, newer: undefined }
    this.#items.set(item, held)
    this.#row.append(held)
    this.#bytes += item.bytes
    let gone = 0
    while (this.#items.size > this.#entriesMax || this.#bytes > this.#bytesMax) {
      const { oldest } = this.#row
      if (oldest === undefined) break
      this.remove(oldest.item)
      gone += 1
    }
    return gone
  }

  /** Makes an item the one used last. */
  touch(item: T): void {
    const held = this.#items.get(item)
    if (held !== undefined) this.#row.renew(held)
  }

  /** @returns False when the item is not held. */
  remove(item: T): boolean {
    const held = this.#items.get(item)
    if (held === undefined) return false
    this.#items.delete(item)
    this.#row.remove(held)
    this.#bytes -= item.bytes
    this.#onGone(item)
    return true
  }

  /** All items, the least recently used first; those that go meanwhile are left out. */
  *values(): IterableIterator<T> {
    const items: T[] = []
    for (let held = this.#row.oldest; held !== undefined; held = held.newer) items.push(held.item)
    for (const item of items) if (this.#items.has(item)) yield item
  }
}
