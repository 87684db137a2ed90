import type { DropReason } from '../../kv/sqlite/triggers.js'

/** Kind of the reports of such counts. */
export const droppedReport = 'kv_changes_dropped'

const windowMs = 1000

/** Changes that were not queued for a plugin, for one reason. */
export interface DroppedCount {
  readonly plugin: string
  readonly reason: DropReason
  count: number
}

/** Counts changes that were not queued for plugins, so that a storm of them is told once a second and not one by one. */
export class DroppedChanges {
  readonly #tell: (dropped: DroppedCount) => void
  readonly #counts = new Map<string, DroppedCount>()

  /** @param tell Hears how many there were in about a second. */
  constructor(tell: (dropped: DroppedCount) => void) {
    this.#tell = tell
  }

  note(plugin: string, reason: DropReason): void {
    if (this.#counts.size === 0) setTimeout(() => this.#flush(), windowMs).unref()
    const dropped = this.#counts.get(`${reason} ${plugin}`) ?? { plugin, reason, count: 0 }
    dropped.count += 1
    this.#counts.set(`${reason} ${plugin}`, dropped)
  }

  #flush(): void {
    const counts = [...this.#counts.values()]
    this.#counts.clear()
    for (const dropped of counts) this.#tell(dropped)
  }
}
