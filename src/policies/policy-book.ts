import { type CompiledPolicy, compilePolicy, unusablePolicy } from './compiled-policy.js'
import type { ListedPolicy } from './listed-policy.js'
import { byPriority, type Policy } from './policy.js'
import { tryReadPolicy } from './policy-reader.js'
import { type PolicyStore, parseStored, type StoredPolicy } from './policy-store.js'
import { ZonedClocks } from './zoned-clock.js'

/** Where is written what is wrong with stored policies; pino's loggers fit. */
export interface PolicyLog {
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** A policy with what is known about it. */
interface Entry {
  readonly listed: ListedPolicy
  readonly compiled: CompiledPolicy
}

/**
 * All policies, those of the configuration and those of the database as they stand there; what has not changed is not
 * read again. One of the configuration hides one of the database that has its id.
 */
export class PolicyBook {
  readonly #store: PolicyStore
  readonly #log: PolicyLog
  readonly #configured: ReadonlyMap<string, Entry>
  readonly #clocks = new ZonedClocks()
  #stored: ReadonlyMap<string, Entry> = new Map()
  /** Number of the last change that is taken in. */
  #sequence = 0

  /** @param configured Those of the configuration, checked, each id once. */
  constructor(configured: readonly Policy[], store: PolicyStore, log: PolicyLog) {
    this.#store = store
    this.#log = log
    this.#configured = new Map(configured.map((policy) => [policy.id, configuredEntry(policy, this.#clocks)]))
  }

  /**
   * Takes in what the database holds now.
   *
   * @returns False when nothing has changed.
   */
  async refresh(): Promise<boolean> {
    const sequence = await this.#store.sequence()
    if (sequence === this.#sequence) return false
    await this.#read(this.#sequence)
    // What was changed since is found again by its later number.
    this.#sequence = sequence
    return true
  }

  /** Takes in everything that the database holds, also what was changed there by hand. */
  async reload(): Promise<void> {
    const sequence = await this.#store.sequence()
    this.#stored = new Map()
    await this.#read(-1)
    this.#sequence = sequence
  }

  async #read(since: number): Promise<void> {
    const ids = await this.#store.ids()
    const changed = await this.#store.changedSince(since)
    const stored = new Map([...this.#stored].filter(([id]) => ids.has(id)))
    for (const each of changed) stored.set(each.id, this.#entryOf(each))
    this.#stored = stored
  }

  #entryOf(stored: StoredPolicy): Entry {
    const { id, version, createdAt, changedAt, changedBy } = stored
    const about = { id, source: 'database', version, createdAt, changedAt, changedBy } as const
    if (this.#configured.has(id)) {
      this.#log.warn({ policy: id }, 'a stored policy is hidden by one of the configuration')
    }
    const document = parseStored(stored.text)
    const read = tryReadPolicy(document)
    if ('policy' in read && read.policy.id === id) {
      const { policy } = read
      const compiled = compilePolicy(policy, this.#clocks)
      return { listed: { ...about, policy, problems: [], priority: policy.priority }, compiled }
    }
    const problems = 'problems' in read ? read.problems : [{ path: 'id', rule: `must be "${id}"` }]
    this.#log.warn(
      { policy: id, problems },
      'a stored policy cannot be used, and counts as one that cannot be evaluated',
    )
    const compiled = unusablePolicy(id, problems, document)
    return { listed: { ...about, policy: undefined, problems, priority: compiled.priority }, compiled }
  }

  /** All that decide. */
  get compiled(): readonly CompiledPolicy[] {
    return this.#entries().map(({ compiled }) => compiled)
  }

  /** All, in the order in which they are looked at. */
  list(): readonly ListedPolicy[] {
    return this.#entries()
      .sort((a, b) => byPriority(a.compiled, b.compiled))
      .map(({ listed }) => listed)
  }

  /** Gives the policy that has an id; undefined when there is none. */
  get(id: string): ListedPolicy | undefined {
    return (this.#configured.get(id) ?? this.#stored.get(id))?.listed
  }

  isConfigured(id: string): boolean {
    return this.#configured.has(id)
  }

  get configuredCount(): number {
    return this.#configured.size
  }

  #entries(): Entry[] {
    const stored = [...this.#stored].filter(([id]) => !this.#configured.has(id))
    return [...this.#configured.values(), ...stored.map(([, entry]) => entry)]
  }
}

function configuredEntry(policy: Policy, clocks: ZonedClocks): Entry {
  const unversioned = {
    version: undefined,
    createdAt: undefined,
    changedAt: undefined,
    changedBy: undefined,
  }
  const { id, priority } = policy
  const listed: ListedPolicy = { id, policy, problems: [], priority, source: 'config', ...unversioned }
  return { listed, compiled: compilePolicy(policy, clocks) }
}
