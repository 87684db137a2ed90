import { randomUUID } from 'node:crypto'
import { corsLimits } from '../../base/limits/gateway.js'
import { Turns } from '../../base/turns.js'
import type { CoreDatabase } from '../../database/database.js'
import type { GatewayLog } from '../pipeline.js'
import type { Stage } from '../stage.js'
import { createCorsStage } from './cors-stage.js'
import { corsRuleConfigured, corsRuleNotFound, corsRulesFull } from './errors.js'
import { type CorsPolicy, type CorsRule, configuredRuleId } from './rule.js'
import { readConfiguredRule, readRule } from './rule-reader.js'
import { type RuleSelection, selectFrom } from './rule-selection.js'
import { CorsRuleStore } from './rule-store.js'

export interface CorsOptions {
  /** Keeps the rules of admins. */
  readonly database: CoreDatabase
  /** The rule of the configuration; none when missing. */
  readonly configured?: CorsPolicy
  readonly log: GatewayLog
  /** Milliseconds since 1970; the clock of the machine when missing. */
  readonly now?: () => number
}

/** The rules for other origins, and the stage that holds to them. Changes take effect with the next request. */
export interface Cors {
  readonly stage: Stage
  /** All rules in the order in which they are looked at; that of the configuration is the last. */
  list(): readonly CorsRule[]
  /**
   * Adds a rule behind those of admins.
   *
   * @param body As it came from outside.
   * @throws What `readRule` throws; `CORS_RULES_FULL` at `corsLimits.rulesMax`; errors of the database.
   */
  add(body: unknown): Promise<CorsRule>
  /**
   * Writes a rule anew, in its place and with its `createdAt`. What the body leaves out gets its default.
   *
   * @throws What `readRule` throws; `CORS_RULE_NOT_FOUND`; `CORS_RULE_CONFIGURED`; errors of the database.
   */
  update(id: string, body: unknown): Promise<CorsRule>
  /**
   * Removes a rule; false when there is none of this id.
   *
   * @throws `CORS_RULE_CONFIGURED`; errors of the database.
   */
  remove(id: string): Promise<boolean>
  /** Takes in the rules as they stand in the database now, e.g. as another process has left them. */
  refresh(): Promise<void>
}

/**
 * Reads the rules and creates their stage.
 *
 * @throws What `readRule` throws, for the configuration; errors of the database.
 */
export async function createCors(options: CorsOptions): Promise<Cors> {
  const { configured, now = Date.now } = options
  const last = configured === undefined ? [] : [readConfiguredRule(configured, now())]
  const store = new CorsRuleStore(options.database, options.log)
  const rules = new StoredCors(store, last, now)
  await rules.refresh()
  const isPreflightLeft = configured?.preflight === false
  return Object.assign(rules, {
    stage: createCorsStage({
      selection: () => rules.selection,
      answersPreflights: ({ source }) => source === 'database' || !isPreflightLeft,
      rulesCount: () => rules.list().length,
    }),
  })
}

class StoredCors implements Omit<Cors, 'stage'> {
  readonly #store: CorsRuleStore
  readonly #last: readonly CorsRule[]
  readonly #now: () => number
  #stored: readonly CorsRule[] = []
  #all: readonly CorsRule[] = []
  /** Changes come one after the other, so that the memory holds what the database holds. */
  readonly #changes = new Turns()
  selection: RuleSelection = selectFrom([])

  constructor(store: CorsRuleStore, last: readonly CorsRule[], now: () => number) {
    this.#store = store
    this.#last = last
    this.#now = now
    this.#hold([])
  }

  refresh(): Promise<void> {
    return this.#changes.take(() => this.#read())
  }

  list(): readonly CorsRule[] {
    return this.#all
  }

  async add(body: unknown): Promise<CorsRule> {
    const content = readRule(body)
    return this.#change(async () => {
      if (this.#stored.length >= corsLimits.rulesMax) throw corsRulesFull({ max: corsLimits.rulesMax })
      const rule: CorsRule = { id: randomUUID(), ...content, createdAt: this.#now(), source: 'database' }
      await this.#store.add(rule)
      this.#hold([...this.#stored, rule])
      return rule
    })
  }

  async update(id: string, body: unknown): Promise<CorsRule> {
    if (this.#isConfigured(id)) throw corsRuleConfigured()
    const content = readRule(body)
    return this.#change(async () => {
      const before = this.#stored.find((rule) => rule.id === id)
      if (before === undefined) throw corsRuleNotFound({ id: JSON.stringify(id.slice(0, 80)) })
      const rule: CorsRule = { ...before, ...content }
      await this.#store.replace(rule)
      this.#hold(this.#stored.map((each) => (each.id === id ? rule : each)))
      return rule
    })
  }

  async remove(id: string): Promise<boolean> {
    if (this.#isConfigured(id)) throw corsRuleConfigured()
    return this.#change(async () => {
      const isRemoved = await this.#store.remove(id)
      this.#hold(this.#stored.filter((rule) => rule.id !== id))
      return isRemoved
    })
  }

  #isConfigured(id: string): boolean {
    return id === configuredRuleId && this.#last.length > 0
  }

  #hold(stored: readonly CorsRule[]): void {
    this.#stored = stored
    this.#all = [...stored, ...this.#last]
    this.selection = selectFrom(this.#all)
  }

  async #read(): Promise<void> {
    const stored = await this.#store.news()
    if (stored !== undefined && JSON.stringify(stored) !== JSON.stringify(this.#stored)) this.#hold(stored)
  }

  /** Each change is one to what stands in the database then. */
  #change<T>(work: () => Promise<T>): Promise<T> {
    return this.#changes.take(async () => {
      await this.#read()
      return work()
    })
  }
}
