import type { DropReason } from '../../kv/sqlite/triggers.js'

const windowMs = 1000

/** How many changes were not queued for a plugin in about a second. */
export interface DroppedCount {
  readonly plugin: string
  readonly reason: DropReason
  count: number
}

/** Counts changes that were not queued for plugins, so that a storm of them is told once a second and not one by one. */
export class DroppedChanges {
  readonly #tell: (dropped: DroppedCount) => void
  readonly #counts = new Map<string, DroppedCount>()

  constructor(tell: (dropped: DroppedCount) => void) {
    this.#tell = tell
  }

  note(plugin: string, reason: DropReason): void {
    if (this.#counts.size === 0) setTimeout(() => this.#flush(), windowMs).unref()
    const key = `${plugin} ${reason}`
    const known = this.#counts.get(key)
    if (known === undefined) this.#counts.set(key, { plugin, reason, count: 1 })
    else known.count += 1
  }

  #flush(): void {
    const all = [...this.#counts.values()]
    this.#counts.clear()
    for (const dropped of all) this.#tell(dropped)
  }
}
