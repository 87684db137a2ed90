import type { HookEntry } from './hook-index.js'

/** A hook as its breaker knows it: all registrations of a plugin for one event and table. */
export interface HookReference {
  readonly plugin: string
  readonly event: string
  /** Table of the registration; `*` for every table. */
  readonly table: string
}

/** What the breaker of a hook stands at. */
export interface HookBreakerListing extends HookReference {
  /** An open breaker skips the hook until its plugin is reloaded or an admin resets it. */
  readonly state: 'closed' | 'open'
  /** Errors in a row. */
  readonly failures: number
}

interface Count {
  readonly generation: number
  failures: number
}

export interface HookBreakersOptions {
  /** Errors in a row that switch a hook off. */
  readonly failuresMax: number
  /** Is told each time that a hook is switched off. */
  onTrip(hook: HookReference, failures: number): void
}

/** Counts the errors of hooks. A count belongs to one generation: the next one starts anew. */
export class HookBreakers {
  readonly #options: HookBreakersOptions
  readonly #counts = new Map<string, Count>()

  constructor(options: HookBreakersOptions) {
    this.#options = options
  }

  isOpen(entry: HookEntry): boolean {
    return this.#failuresOf(entry) >= this.#options.failuresMax
  }

  succeeded(entry: HookEntry): void {
    const key = keyOf(entry)
    // A call that was under way when the hook was switched off does not switch it on.
    if (this.#counts.get(key)?.generation === entry.generation.id && !this.isOpen(entry))
      this.#counts.delete(key)
  }

  failed(entry: HookEntry): void {
    const key = keyOf(entry)
    const known = this.#counts.get(key)
    if (known !== undefined && known.generation > entry.generation.id) return
    const count =
      known?.generation === entry.generation.id ? known : { generation: entry.generation.id, failures: 0 }
    count.failures += 1
    this.#counts.set(key, count)
    if (count.failures === this.#options.failuresMax) {
      this.#options.onTrip(referenceOf(entry), count.failures)
    }
  }

  /** Forgets the errors of a hook. */
  reset(entry: HookEntry): void {
    this.#counts.delete(keyOf(entry))
  }

  /** What the breakers of the given hooks stand at, without those that have no errors. */
  list(entries: readonly HookEntry[]): readonly HookBreakerListing[] {
    const listings = new Map<string, HookBreakerListing>()
    for (const entry of entries) {
      const failures = this.#failuresOf(entry)
      const state = this.isOpen(entry) ? 'open' : 'closed'
      if (failures > 0) listings.set(keyOf(entry), { ...referenceOf(entry), state, failures })
    }
    return [...listings.values()]
  }

  #failuresOf(entry: HookEntry): number {
    const count = this.#counts.get(keyOf(entry))
    return count?.generation === entry.generation.id ? count.failures : 0
  }
}

/** The hook of an entry, as operators name it. */
export function referenceOf({ plugin, hook }: HookEntry): HookReference {
  return { plugin, event: hook.event, table: hook.table }
}

function keyOf({ plugin, hook }: HookEntry): string {
  return `${plugin} ${hook.event} ${hook.table}`
}
