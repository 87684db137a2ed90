/** Finds items by their tags. */
export class TagIndex<T extends { readonly tags: readonly string[] }> {
  readonly #items = new Map<string, Set<T>>()

  add(item: T): void {
    for (const tag of item.tags) {
      const items = this.#items.get(tag)
      if (items === undefined) this.#items.set(tag, new Set([item]))
      else items.add(item)
    }
  }

  remove(item: T): void {
    for (const tag of item.tags) {
      const items = this.#items.get(tag)
      if (items?.delete(item) && items.size === 0) this.#items.delete(tag)
    }
  }

  /** The items with this tag at this moment. */
  find(tag: string): readonly T[] {
    return [...(this.#items.get(tag) ?? [])]
  }
}
