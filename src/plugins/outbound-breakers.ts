import { type BreakerState, PluginBreaker } from './breaker.js'

/** The breaker of one plugin towards one domain, for admins. */
export interface DomainBreakerView {
  readonly plugin: string
  readonly domain: string
  readonly state: BreakerState
  /** Failures in a row. */
  readonly failures: number
  /** Seconds until a probe may pass; 0 while requests pass. */
  readonly retryAfterSeconds: number
}

export interface DomainBreakersOptions {
  /** Failures in a row that open a breaker. */
  readonly failuresMax: number
  /** Time after which an open breaker lets a probe through. */
  readonly resetMs: number
  /** Is told each time a breaker opens. */
  readonly onTrip?: (plugin: string, domain: string, failures: number) => void
}

/**
 * A breaker for each plugin and domain, so that a plugin whose requests fail takes nothing from others that ask the
 * same server. Only those are kept that have something to remember.
 */
export class DomainBreakers {
  readonly #options: DomainBreakersOptions
  readonly #entries = new Map<string, Entry>()

  constructor(options: DomainBreakersOptions) {
    this.#options = options
  }

  /** Gives the breaker of a plugin and a domain, to be given back with `release` once the request has ended. */
  acquire(plugin: string, domain: string): PluginBreaker {
    const key = keyOf(plugin, domain)
    const entry = this.#entries.get(key) ?? this.#create(plugin, domain)
    this.#entries.set(key, entry)
    entry.users += 1
    return entry.breaker
  }

  /** Ends a use; what has nothing to remember is forgotten after its last one. */
  release(plugin: string, domain: string): void {
    const entry = this.#entries.get(keyOf(plugin, domain))
    if (entry === undefined) return
    entry.users -= 1
    this.#forget(entry)
  }

  /** Those that remember failures, by plugin and domain. */
  list(): readonly DomainBreakerView[] {
    return [...this.#entries.values()]
      .filter(remembers)
      .map(({ plugin, domain, breaker }) => ({
        plugin,
        domain,
        state: breaker.state,
        failures: breaker.failures,
        retryAfterSeconds: breaker.retryAfterSeconds,
      }))
      .sort((a, b) => a.plugin.localeCompare(b.plugin) || a.domain.localeCompare(b.domain))
  }

  /** Closes a breaker and forgets its failures; false when there is nothing to forget. */
  reset(plugin: string, domain: string): boolean {
    const entry = this.#entries.get(keyOf(plugin, domain))
    if (entry === undefined || !remembers(entry)) return false
    entry.breaker.reset()
    this.#forget(entry)
    return true
  }

  /** Stops all timers for good. */
  close(): void {
    for (const { breaker } of this.#entries.values()) breaker.close()
    this.#entries.clear()
  }

  #create(plugin: string, domain: string): Entry {
    const { failuresMax, resetMs, onTrip } = this.#options
    const breaker = new PluginBreaker({
      failuresMax,
      resetMs,
      onTrip: (failures) => onTrip?.(plugin, domain, failures),
    })
    return { plugin, domain, breaker, users: 0 }
  }

  #forget(entry: Entry): void {
    if (entry.users > 0 || remembers(entry)) return
    entry.breaker.close()
    this.#entries.delete(keyOf(entry.plugin, entry.domain))
  }
}

interface Entry {
  readonly plugin: string
  readonly domain: string
  readonly breaker: PluginBreaker
  /** Requests that hold a ticket of it, or ask for one. */
  users: number
}

function remembers({ breaker }: Entry): boolean {
  return breaker.state !== 'closed' || breaker.failures > 0
}

function keyOf(plugin: string, domain: string): string {
  return `${plugin} ${domain}`
}
