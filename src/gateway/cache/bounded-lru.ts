/** What a `BoundedLru` holds. */
export interface Sized {
  /** What it counts for; does not change while it is held. */
  readonly bytes: number
}

/** Keeps items in the order of their last use, and lets the least recently used go when there are too many. */
export class BoundedLru<T extends Sized> {
  readonly #entriesMax: number
  readonly #bytesMax: number
  readonly #onGone: (item: T) => void
  readonly #items = new Set<T>()
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
    this.#items.add(item)
    this.#bytes += item.bytes
    let gone = 0
    for (const oldest of this.#items) {
      if (this.#items.size <= this.#entriesMax && this.#bytes <= this.#bytesMax) break
      this.remove(oldest)
      gone += 1
    }
    return gone
  }

  /** Makes an item the one used last. */
  touch(item: T): void {
    if (this.#items.delete(item)) this.#items.add(item)
  }

  /** @returns False when the item is not held. */
  remove(item: T): boolean {
    if (!this.#items.delete(item)) return false
    this.#bytes -= item.bytes
    this.#onGone(item)
    return true
  }

  /** All items, the least recently used first; those that go meanwhile are left out. */
  values(): IterableIterator<T> {
    return this.#items.values()
  }
}
