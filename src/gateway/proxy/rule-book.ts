import { randomUUID } from 'node:crypto'
import { HostError, messageOf } from '../../base/errors.js'
import { proxyLimits } from '../../base/limits/gateway.js'
import { Turns } from '../../base/turns.js'
import type { GatewayLog } from '../pipeline.js'
import { orderInvalid, ruleStatic, rulesFull, ruleUnknown } from './errors.js'
import type { ProxyRule, RuleFields } from './proxy-rule.js'
import { type ActiveRule, activate, readFields } from './rule-reader.js'
import type { RuleStore } from './rule-store.js'
import type { TargetPolicy } from './target-policy.js'

/** What the book of rules is made of. */
export interface RuleBookOptions {
  /** Rules of the configuration, in their order. */
  readonly rules: readonly unknown[]
  readonly store: RuleStore
  readonly policy: TargetPolicy
  readonly log: GatewayLog
}

/**
 * The rules of the proxy in the order in which they are looked at. Changes come one after the other, each to what stands
 * in the database then, as other processes may have changed it.
 */
export class RuleBook {
  readonly #options: RuleBookOptions
  readonly #static: readonly ActiveRule[]
  #dynamic: readonly ActiveRule[] = []
  #all: readonly ActiveRule[]
  readonly #turns = new Turns()
  /** What stood in the database at the last reading; undefined once it was written to. */
  #seen: string | undefined

  /** @throws `PROXY_RULE_…` or `PROXY_PATTERN_INVALID` for a rule of the configuration that cannot be used. */
  constructor(options: RuleBookOptions) {
    this.#options = options
    this.#static = options.rules.map((sent, index) => activateConfigured(sent, index, options.policy))
    this.#all = this.#static
  }

  /**
   * Takes in the stored rules as they are now. One that cannot be used is left out and named in the log. As long as
   * nothing has changed, `active` stays the same array.
   */
  refresh(): Promise<void> {
    return this.#turns.take(() => this.#read())
  }

  /** In the order in which they are looked at. */
  get active(): readonly ActiveRule[] {
    return this.#all
  }

  list(): readonly ProxyRule[] {
    return this.#all.map(({ rule }) => rule)
  }

  /** @throws `PROXY_RULE_NOT_FOUND`. */
  get(id: string): ProxyRule {
    const found = this.#all.find(({ rule }) => rule.id === id)
    if (found === undefined) throw ruleUnknown()
    return found.rule
  }

  /**
   * Adds a rule behind all others.
   *
   * @throws `PROXY_RULE_INCOMPLETE`, `PROXY_RULE_INVALID`, `PROXY_PATTERN_INVALID` or `PROXY_RULES_FULL`.
   */
  add(sent: unknown): Promise<ProxyRule> {
    return this.#changing(async () => {
      const max = proxyLimits.rulesMax
      if (this.#all.length >= max) throw rulesFull({ max })
      const order = 1 + Math.max(-1, ...this.#dynamic.map(({ rule }) => rule.order))
      return this.#save(readFields(sent), { id: randomUUID(), order })
    })
  }

  /**
   * Changes what is sent of a rule; null takes a member back.
   *
   * @throws As `add`, and `PROXY_RULE_NOT_FOUND` or `PROXY_RULE_STATIC`.
   */
  change(id: string, sent: unknown): Promise<ProxyRule> {
    return this.#changing(async () => {
      const rule = this.#dynamicRule(id)
      return this.#save(readFields(sent, fieldsOf(rule)), rule)
    })
  }

  /** Turns a rule on or off. Throws as `change`. */
  toggle(id: string): Promise<ProxyRule> {
    return this.#changing(async () => {
      const rule = this.#dynamicRule(id)
      return this.#save({ ...fieldsOf(rule), enabled: !rule.enabled }, rule)
    })
  }

  /** @throws `PROXY_RULE_NOT_FOUND` or `PROXY_RULE_STATIC`. */
  delete(id: string): Promise<void> {
    return this.#changing(async () => {
      // One that cannot be used is not among them, and has to go as well.
      if (this.#all.some(({ rule }) => rule.id === id)) this.#dynamicRule(id)
      if (!(await this.#options.store.delete(id))) throw ruleUnknown()
      this.#setDynamic(this.#dynamic.filter(({ rule }) => rule.id !== id))
    })
  }

  /**
   * Puts the dynamic rules into a new order.
   *
   * @param ids Of every dynamic rule, each once.
   * @throws `PROXY_ORDER_INVALID`, `PROXY_RULE_NOT_FOUND` or `PROXY_RULE_STATIC`.
   */
  reorder(ids: readonly string[]): Promise<readonly ProxyRule[]> {
    return this.#changing(async () => {
      if (ids.length === 0) throw orderInvalid({ reason: 'there are none' })
      const known = new Map(this.#dynamic.map((each) => [each.rule.id, each]))
      for (const id of ids) this.#dynamicRule(id)
      if (new Set(ids).size !== ids.length) throw orderInvalid({ reason: 'one stands there twice' })
      if (ids.length !== known.size) {
        throw orderInvalid({ reason: `there are ${known.size} rules that can be moved, name each of them` })
      }
      await this.#options.store.reorder(ids.map((id, order) => ({ id, order })))
      this.#setDynamic(
        ids.map((id, order) => {
          const each = known.get(id) as ActiveRule
          return { ...each, rule: { ...each.rule, order } }
        }),
      )
      return this.#dynamic.map(({ rule }) => rule)
    })
  }

  async #read(): Promise<void> {
    const { store, policy, log } = this.#options
    const stored = await store.all()
    const seen = JSON.stringify(stored)
    if (seen === this.#seen) return
    const rules: ActiveRule[] = []
    for (const { id, order, fields } of stored) {
      try {
        rules.push(activate(readFields(fields), { id, order, readonly: false }, policy))
      } catch (error) {
        log.warn({ rule: id, error: messageOf(error) }, 'a stored rule of the proxy cannot be used')
      }
    }
    this.#seen = seen
    if (textOf(rules) !== textOf(this.#dynamic)) this.#setDynamic(rules)
  }

  #dynamicRule(id: string): ProxyRule {
    const rule = this.get(id)
    if (rule.readonly) throw ruleStatic()
    return rule
  }

  async #save(fields: RuleFields, { id, order }: Pick<ProxyRule, 'id' | 'order'>): Promise<ProxyRule> {
    const active = activate(fields, { id, order, readonly: false }, this.#options.policy)
    await this.#options.store.save(id, order, fields)
    const others = this.#dynamic.filter(({ rule }) => rule.id !== id)
    this.#setDynamic([...others, active])
    return active.rule
  }

  #setDynamic(rules: readonly ActiveRule[]): void {
    this.#dynamic = [...rules].sort(({ rule: a }, { rule: b }) => a.order - b.order || (a.id < b.id ? -1 : 1))
    this.#all = [...this.#static, ...this.#dynamic]
  }

  #changing<T>(change: () => Promise<T>): Promise<T> {
    return this.#turns.take(async () => {
      await this.#read()
      // What is written now was not read.
      this.#seen = undefined
      return change()
    })
  }
}

function textOf(rules: readonly ActiveRule[]): string {
  return JSON.stringify(rules.map(({ rule }) => rule))
}

function fieldsOf({ id: _, order: __, readonly: ___, ...fields }: ProxyRule): RuleFields {
  return fields
}

/** Takes in a rule of the configuration; its reader has to learn which of them is meant. */
function activateConfigured(sent: unknown, index: number, policy: TargetPolicy): ActiveRule {
  try {
    return activate(readFields(sent), { id: `static-${index}`, order: index, readonly: true }, policy)
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    const text = `gateway.proxy.rules[${index}] cannot be used: ${error.message}`
    throw new HostError(error.code, error.status, text, { cause: error })
  }
}
