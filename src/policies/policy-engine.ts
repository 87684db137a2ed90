import { messageOf } from '../base/errors.js'
import { type Algorithm, type Combined, combine } from './combining.js'
import type { CompiledPolicy } from './compiled-policy.js'
import type { PolicyContext } from './context.js'
import type { Decision } from './decision.js'
import { type Explanation, explainNothing, explainPolicies } from './explanation.js'
import { type Facts, factsOf } from './facts.js'
import { byPriority, type Effect } from './policy.js'
import { PolicyIndex } from './policy-index.js'
import { type AskPredicate, Questions } from './questions.js'

/** How an engine decides. */
export interface PolicyEngineOptions {
  /** In any order. */
  readonly policies: readonly CompiledPolicy[]
  /** `deny-overrides` when missing. */
  readonly algorithm?: Algorithm
  /** Where no policy applies, unless the algorithm says it itself; `deny` when missing. */
  readonly defaultEffect?: Effect
  /** Asks predicates of plugins; conditions that need it cannot be evaluated when it is missing. */
  readonly ask?: AskPredicate
  /** Milliseconds since 1970, for contexts without a time; the time of the system when missing. */
  readonly now?: () => number
}

/**
 * Decides by policies, which never change. Whatever goes wrong, it denies: it never rejects, and never permits what a
 * policy that could not be evaluated might have denied.
 */
export class PolicyEngine {
  readonly #options: PolicyEngineOptions
  readonly #algorithm: Algorithm
  readonly #otherwise: Effect
  readonly #index: PolicyIndex

  constructor(options: PolicyEngineOptions) {
    this.#options = options
    this.#algorithm = options.algorithm ?? 'deny-overrides'
    this.#otherwise = options.defaultEffect ?? 'deny'
    this.#index = new PolicyIndex(options.policies.filter(({ enabled }) => enabled))
  }

  get algorithm(): Algorithm {
    return this.#algorithm
  }

  get defaultEffect(): Effect {
    return this.#otherwise
  }

  /** Decides whether something is permitted. */
  async evaluate(context: PolicyContext): Promise<Decision> {
    try {
      return await this.#decide(this.#factsOf(context))
    } catch (error) {
      return this.#failed(messageOf(error))
    }
  }

  /** Decides as `evaluate`, and tells of every policy what it says and why. Conditions of all that match are evaluated. */
  async explain(context: PolicyContext): Promise<Explanation> {
    let facts: Facts
    let decision: Decision
    try {
      facts = this.#factsOf(context)
      decision = await this.#decide(facts)
    } catch (error) {
      return explainNothing(this.#failed(messageOf(error)))
    }
    const { questions } = facts
    // What the decision did not need to know is asked now, and cannot change it.
    questions.allowMore()
    const policies = [...this.#options.policies].sort(byPriority)
    for (const policy of policies) if (policy.enabled) policy.explain(facts)
    await questions.askOpen()
    return explainPolicies(policies, facts, decision)
  }

  #factsOf(context: PolicyContext): Facts {
    const { ask, now = Date.now } = this.#options
    return factsOf(context, new Questions(ask, context), now())
  }

  async #decide(facts: Facts): Promise<Decision> {
    const candidates = this.#index.candidates(facts)
    const first = this.#combine(candidates, facts)
    if (first !== undefined) return this.#tell(first, facts)
    await facts.questions.askOpen()
    // Nothing is pending any more, as all questions that could be met were noted.
    const combined = this.#combine(candidates, facts)
    if (combined === undefined) throw new Error('a question to a plugin came too late')
    return this.#tell(combined, facts)
  }

  #combine(candidates: readonly CompiledPolicy[], facts: Facts): Combined | undefined {
    return combine(this.#algorithm, this.#otherwise, candidates, (policy) => policy.decide(facts))
  }

  #tell({ effect, by, isIndeterminate }: Combined, facts: Facts): Decision {
    const algorithm = this.#algorithm
    if (by === undefined) return { effect, reason: this.#reasonOfNone(effect), algorithm }
    if (isIndeterminate) {
      return { ...this.#failed(failureOf(by, facts)), decidedBy: by.id }
    }
    const reason = by.description || `The policy "${by.name || by.id}" says ${effect}.`
    return { effect, decidedBy: by.id, reason, algorithm }
  }

  #reasonOfNone(effect: Effect): string {
    switch (this.#algorithm) {
      case 'deny-unless-permit':
        return 'No policy permits this.'
      case 'permit-unless-deny':
        return 'No policy denies this.'
      default:
        return `No policy applies; the default is to ${effect}.`
    }
  }

  #failed(failure: string): Decision {
    const reason = 'A policy could not be evaluated.'
    return { effect: 'deny', reason, algorithm: this.#algorithm, failure }
  }
}

/** Says why a policy could not be evaluated. */
function failureOf(policy: CompiledPolicy, facts: Facts): string {
  const { matched, conditions } = policy.explain(facts)
  const unclear = Object.entries(matched).filter(([, truth]) => truth === 'error')
  const failed = conditions.filter(({ result }) => result === 'error')
  if (policy.policy === undefined) return policy.description
  const reasons = [
    ...unclear.map(([list]) => `its ${list} cannot be told`),
    ...failed.map(({ type, reason }) => `${type}: ${reason}`),
  ]
  return `policy "${policy.id}": ${reasons.join('; ')}`
}
