import { FailureCounts } from '../failure-counts.js'
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

export interface HookBreakersOptions {
  /** Errors in a row that switch a hook off. */
  readonly failuresMax: number
  /** Is told each time that a hook is switched off. */
  onTrip(hook: HookReference, failures: number): void
}

/** Counts the errors of hooks, and skips those that have too many. */
export class HookBreakers {
  readonly #options: HookBreakersOptions
  readonly #counts = new FailureCounts()

  constructor(options: HookBreakersOptions) {
    this.#options = options
  }

  isOpen(entry: HookEntry): boolean {
    return this.#failuresOf(entry) >= this.#options.failuresMax
  }

  succeeded(entry: HookEntry): void {
    // A call that was under way when the hook was switched off does not switch it on.
    if (this.#failuresOf(entry) > 0 && !this.isOpen(entry)) this.#counts.clear(keyOf(entry))
  }

  failed(entry: HookEntry): void {
    const failures = this.#counts.add(keyOf(entry), entry.generation.id)
    if (failures === this.#options.failuresMax) this.#options.onTrip(referenceOf(entry), failures)
  }

  /** Forgets the errors of a hook. */
  reset(entry: HookEntry): void {
    this.#counts.clear(keyOf(entry))
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
    return this.#counts.of(keyOf(entry), entry.generation.id)
  }
}

/** The hook of an entry, as operators name it. */
function referenceOf({ plugin, hook }: HookEntry): HookReference {
  return { plugin, event: hook.event, table: hook.table }
}

function keyOf({ plugin, hook }: HookEntry): string {
  return `${plugin} ${hook.event} ${hook.table}`
}
