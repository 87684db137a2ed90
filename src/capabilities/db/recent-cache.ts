/** Keeps the most recently used values up to a number. Not thread-safe; one connection has one. */
export class RecentCache<Value> {
  readonly #entries = new Map<string, Value>()
  readonly #entriesMax: number

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax
  }

  get size(): number {
    return this.#entries.size
  }

  /** Gives the value and marks it as used; undefined when it is not kept. */
  get(key: string): Value | undefined {
    const value = this.#entries.get(key)
    if (value === undefined) return undefined
    // The order of a Map is that of insertion, so the last is the most recent.
    this.#entries.delete(key)
    this.#entries.set(key, value)
    return value
  }

  /** Keeps a value; the least recently used one makes room. */
  set(key: string, value: Value): void {
    this.#entries.delete(key)
    if (this.#entries.size >= this.#entriesMax) {
      const [oldest] = this.#entries.keys()
      if (oldest !== undefined) this.#entries.delete(oldest)
    }
    this.#entries.set(key, value)
  }

  clear(): void {
    this.#entries.clear()
  }
}
