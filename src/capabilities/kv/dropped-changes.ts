const windowMs = 1000

/** Counts changes that were not queued for plugins, so that a storm of them is told once a second and not one by one. */
export class DroppedChanges {
  readonly #tell: (plugin: string, count: number) => void
  readonly #counts = new Map<string, number>()

  /** @param tell Hears how many there were in about a second. */
  constructor(tell: (plugin: string, count: number) => void) {
    this.#tell = tell
  }

  note(plugin: string): void {
    if (this.#counts.size === 0) setTimeout(() => this.#flush(), windowMs).unref()
    this.#counts.set(plugin, (this.#counts.get(plugin) ?? 0) + 1)
  }

  #flush(): void {
    const counts = [...this.#counts]
    this.#counts.clear()
    for (const [plugin, count] of counts) this.#tell(plugin, count)
  }
}
