import { policyLimits } from '../base/limits/policies.js'
import { Turns } from '../base/turns.js'
import type { CoreDatabase } from '../database/database.js'
import type { PolicyChange } from '../database/policy-tables.js'
import type { Algorithm } from './combining.js'
import { readConfigured, readSeeds, type SeedOptions } from './configured-policies.js'
import type { PolicyContext } from './context.js'
import type { Decision } from './decision.js'
import {
  policiesFull,
  policiesTooLarge,
  policyInvalid,
  policyStatic,
  policyTaken,
  policyUnknown,
  policyVersionConflict,
} from './errors.js'
import type { Explanation } from './explanation.js'
import type { ListedPolicy, PolicyVersion } from './listed-policy.js'
import type { Effect } from './policy.js'
import { PolicyBook, type PolicyLog } from './policy-book.js'
import { PolicyEngine } from './policy-engine.js'
import { readPolicy } from './policy-reader.js'
import {
  type NextVersion,
  PolicyStore,
  parseStored,
  type StoredPolicy,
  type StoredSize,
} from './policy-store.js'
import type { AskPredicate } from './questions.js'

/** What the policies of a host are made of. */
export interface PolicyServiceOptions {
  readonly database: CoreDatabase
  /** Policies of the configuration, which can only be changed there; none when missing. */
  readonly policies?: readonly unknown[]
  /** None when missing. */
  readonly seed?: SeedOptions
  /** Name of the environment that the host runs in, for seeds; `production` when missing. */
  readonly environment?: string
  /** `deny-overrides` when missing. */
  readonly algorithm?: Algorithm
  /** Where no policy applies, unless the algorithm says it itself; `deny` when missing. */
  readonly defaultEffect?: Effect
  /** Asks predicates of plugins; conditions that need it cannot be evaluated when it is missing. */
  readonly ask?: AskPredicate
  readonly log: PolicyLog
  /** Milliseconds since 1970; the time of the system when missing. */
  readonly now?: () => number
}

/** Who changes a policy, and which version of it is meant. */
export interface ChangeOptions {
  /** Name or id of who changes it. */
  readonly by: string
  /** The version that the change was made for, 0 where there must be none yet; any when missing. */
  readonly version?: number | undefined
}

/** What operators see at a glance. */
export interface PolicySummary {
  readonly algorithm: Algorithm
  readonly defaultEffect: Effect
  readonly policies: number
  readonly enabled: number
  /** Stored ones that cannot be used. */
  readonly unusable: number
}

/**
 * The policies of a host: decides by them, and lets admins change those of the database. Changes come one after the
 * other, each to what stands in the database then, and are in force once they are stored.
 */
export class PolicyService {
  readonly #options: PolicyServiceOptions
  readonly #store: PolicyStore
  readonly #book: PolicyBook
  #engine: PolicyEngine
  readonly #turns = new Turns()

  private constructor(options: PolicyServiceOptions, store: PolicyStore, book: PolicyBook) {
    this.#options = options
    this.#store = store
    this.#book = book
    this.#engine = this.#createEngine()
  }

  /**
   * Reads all policies, and plants the seeds.
   *
   * @throws `POLICIES_INVALID`, `POLICY_SEED_FILE_INVALID`, `POLICIES_FULL` or `POLICIES_TOO_LARGE`, and errors of the
   *   database.
   */
  static async open(options: PolicyServiceOptions): Promise<PolicyService> {
    const store = new PolicyStore(options.database)
    const configured = readConfigured(options.policies ?? [], 'the configuration')
    const book = new PolicyBook(
      configured.map(({ policy }) => policy),
      store,
      options.log,
    )
    const service = new PolicyService(options, store, book)
    await service.#plant()
    await service.reload()
    return service
  }

  /** Decides whether something is permitted; never rejects, and denies where nobody can tell. */
  evaluate(context: PolicyContext): Promise<Decision> {
    return this.#engine.evaluate(context)
  }

  /** Decides as `evaluate`, and tells of every policy what it says and why. */
  explain(context: PolicyContext): Promise<Explanation> {
    return this.#engine.explain(context)
  }

  summary(): PolicySummary {
    const policies = this.#book.compiled
    const { algorithm, defaultEffect } = this.#engine
    return {
      algorithm,
      defaultEffect,
      policies: policies.length,
      enabled: policies.filter(({ enabled }) => enabled).length,
      unusable: policies.filter(({ policy }) => policy === undefined).length,
    }
  }

  /** All, in the order in which they are looked at. */
  list(): readonly ListedPolicy[] {
    return this.#book.list()
  }

  /** @throws `POLICY_NOT_FOUND`. */
  get(id: string): ListedPolicy {
    const found = this.#book.get(id)
    if (found === undefined) throw policyUnknown({ id })
    return found
  }

  /**
   * Gives the versions of a policy that are kept, the newest first, also of one that was deleted.
   *
   * @throws `POLICY_NOT_FOUND` when nothing is known of it.
   */
  async history(id: string): Promise<readonly PolicyVersion[]> {
    const versions = await this.#store.history(id)
    if (versions.length === 0) this.get(id)
    return versions.map(({ text, ...version }) => ({
      ...version,
      policy: text === undefined ? undefined : parseStored(text),
    }))
  }

  /**
   * Adds a policy.
   *
   * @throws `POLICY_INVALID`, `POLICY_EXISTS`, `POLICY_STATIC`, `POLICIES_FULL` or `POLICIES_TOO_LARGE`.
   */
  async create(sent: unknown, { by }: Pick<ChangeOptions, 'by'>): Promise<ListedPolicy> {
    const { policy, text } = readPolicy(sent)
    return this.#change(policy.id, 'create', by, (present) => {
      if (present !== undefined) throw policyTaken({ id: policy.id })
      return text
    })
  }

  /**
   * Adds a policy, or puts it in the place of the one with its id.
   *
   * @throws As `create`, without `POLICY_EXISTS`, and `POLICY_VERSION_CONFLICT`.
   */
  async save(sent: unknown, { by, version }: ChangeOptions): Promise<ListedPolicy> {
    const { policy, text } = readPolicy(sent)
    return this.#change(policy.id, 'replace', by, (present) => {
      checkVersion(policy.id, present, version)
      return text
    })
  }

  /**
   * Puts a policy in the place of the one with this id.
   *
   * @throws As `save`, and `POLICY_NOT_FOUND`.
   */
  async replace(id: string, sent: unknown, { by, version }: ChangeOptions): Promise<ListedPolicy> {
    const text = readFor(id, sent)
    return this.#change(id, 'replace', by, (present) => {
      if (present === undefined) throw policyUnknown({ id })
      checkVersion(id, present, version)
      return text
    })
  }

  /**
   * Puts a policy in the place of the one with this id, or adds it where there is none.
   *
   * @throws As `save`.
   */
  async put(id: string, sent: unknown, { by, version }: ChangeOptions): Promise<ListedPolicy> {
    const text = readFor(id, sent)
    return this.#change(id, 'replace', by, (present) => {
      checkVersion(id, present, version)
      return text
    })
  }

  /**
   * Changes the members of a policy that are sent, each as a whole; null takes one back to its default.
   *
   * @throws As `replace`.
   */
  update(id: string, sent: unknown, { by, version }: ChangeOptions): Promise<ListedPolicy> {
    return this.#change(id, 'update', by, (present) => {
      if (present === undefined) throw policyUnknown({ id })
      checkVersion(id, present, version)
      return readFor(id, merge(present.text, sent))
    })
  }

  /**
   * Deletes a policy, also one that cannot be used.
   *
   * @throws `POLICY_NOT_FOUND`, `POLICY_STATIC` or `POLICY_VERSION_CONFLICT`.
   */
  async delete(id: string, { by, version }: ChangeOptions): Promise<void> {
    await this.#write(id, 'delete', by, (present) => {
      if (present === undefined) throw policyUnknown({ id })
      checkVersion(id, present, version)
      return undefined
    })
  }

  /** Takes in what other processes have changed; changes nothing when that is what is known. */
  refresh(): Promise<void> {
    return this.#turns.take(() => this.#takeIn())
  }

  /** Takes in everything that the database holds, also what was changed there by hand. */
  reload(): Promise<void> {
    return this.#turns.take(async () => {
      await this.#book.reload()
      this.#engine = this.#createEngine()
    })
  }

  async #change(id: string, change: PolicyChange, by: string, next: NextVersion): Promise<ListedPolicy> {
    await this.#write(id, change, by, (present, others) => {
      const text = next(present, others)
      const bytes = others.bytes + Buffer.byteLength(text ?? '')
      this.#checkSize({ count: others.count + 1, bytes })
      return text
    })
    return this.get(id)
  }

  #write(id: string, change: PolicyChange, by: string, next: NextVersion): Promise<void> {
    return this.#turns.take(async () => {
      if (this.#book.isConfigured(id)) throw policyStatic({ id })
      await this.#store.write(id, { change, by, atMs: this.#nowMs() }, next)
      await this.#takeIn()
    })
  }

  async #takeIn(): Promise<void> {
    if (await this.#book.refresh()) this.#engine = this.#createEngine()
  }

  async #plant(): Promise<void> {
    const { seed, environment = 'production' } = this.#options
    if (seed === undefined) return
    const read = await readSeeds(seed, environment)
    const seeds = read.filter(({ policy }) => !this.#book.isConfigured(policy.id))
    if (seeds.length === 0) return
    const note = { change: 'seed', by: 'seed', atMs: this.#nowMs() } as const
    await this.#store.plant(
      seeds.map(({ policy, text }) => ({ id: policy.id, text })),
      seed.onlyIfEmpty ?? true,
      note,
      (size) => this.#checkSize(size),
    )
  }

  #checkSize({ count, bytes }: StoredSize): void {
    const { policiesMax, storedBytesMax } = policyLimits
    if (count + this.#book.configuredCount > policiesMax) throw policiesFull({ max: policiesMax })
    if (bytes > storedBytesMax) throw policiesTooLarge({ bytes, max: storedBytesMax })
  }

  #createEngine(): PolicyEngine {
    const { algorithm, defaultEffect, ask, now } = this.#options
    return new PolicyEngine({
      policies: this.#book.compiled,
      ...(algorithm === undefined ? {} : { algorithm }),
      ...(defaultEffect === undefined ? {} : { defaultEffect }),
      ...(ask === undefined ? {} : { ask }),
      ...(now === undefined ? {} : { now }),
    })
  }

  #nowMs(): number {
    return this.#options.now?.() ?? Date.now()
  }
}

function checkVersion(id: string, present: StoredPolicy | undefined, expected: number | undefined): void {
  const version = present?.version ?? 0
  if (expected !== undefined && expected !== version) throw policyVersionConflict({ id, expected, version })
}

/** Reads a policy for an id; one that does not say its id gets it. */
function readFor(id: string, sent: unknown): string {
  const isNameless =
    typeof sent === 'object' && sent !== null && !Array.isArray(sent) && !Object.hasOwn(sent, 'id')
  const { policy, text } = readPolicy(isNameless ? { id, ...sent } : sent)
  if (policy.id === id) return text
  const problem = { path: 'id', rule: `must be "${id}", as in the path; a policy keeps its id` }
  throw policyInvalid({ problems: `${problem.path} ${problem.rule}` }, { details: { problems: [problem] } })
}

function merge(text: string, sent: unknown): unknown {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) return sent
  const members = new Map<string, unknown>(Object.entries(parseStored(text) ?? {}))
  for (const [name, value] of Object.entries(sent)) {
    if (value === null) members.delete(name)
    else members.set(name, value)
  }
  return Object.fromEntries(members)
}
