import type { Algorithm } from './combining.js'
import type { CompiledPolicy, MatchedTarget, Outcome } from './compiled-policy.js'
import type { ConditionResult } from './conditions.js'
import type { Decision } from './decision.js'
import type { Facts } from './facts.js'
import type { Effect } from './policy.js'

/** What one policy says about a context, and why. */
export interface PolicyExplanation {
  readonly id: string
  readonly name: string
  readonly priority: number
  readonly enabled: boolean
  /** What it does when it applies. */
  readonly policyEffect: Effect
  readonly matched: MatchedTarget
  readonly conditions: readonly ConditionResult[]
  /** `notApplicable` also for one that is not enabled. */
  readonly effect: Outcome
  /** True for the one that decided. */
  readonly decided: boolean
}

/** How what the policies say became the decision. */
export interface CombiningTrace {
  readonly algorithm: Algorithm
  /** Those that apply or cannot be evaluated, in their order. */
  readonly considered: readonly { readonly id: string; readonly effect: Outcome; readonly decided: boolean }[]
  readonly conclusion: string
}

/** A decision, and how it came about. */
export interface Explanation {
  readonly decision: Decision
  /** In the order in which policies are looked at. */
  readonly policies: readonly PolicyExplanation[]
  readonly combining: CombiningTrace
}

/**
 * Tells of every policy what it says.
 *
 * @param policies In their order.
 * @param facts Questions to plugins that it meets are answered.
 */
export function explainPolicies(
  policies: readonly CompiledPolicy[],
  facts: Facts,
  decision: Decision,
): Explanation {
  const explained = policies.map((policy) => explainPolicy(policy, facts, decision))
  const considered = explained
    .filter(({ effect }) => effect !== 'notApplicable')
    .map(({ id, effect, decided }) => ({ id, effect, decided }))
  return { decision, policies: explained, combining: traceOf(decision, considered) }
}

/** Tells of a decision to which no policy came, as there was something wrong with what it was about. */
export function explainNothing(decision: Decision): Explanation {
  return { decision, policies: [], combining: traceOf(decision, []) }
}

function traceOf(decision: Decision, considered: CombiningTrace['considered']): CombiningTrace {
  return { algorithm: decision.algorithm, considered, conclusion: concludeFrom(decision) }
}

function explainPolicy(policy: CompiledPolicy, facts: Facts, { decidedBy }: Decision): PolicyExplanation {
  const { id, name, priority, enabled, effect } = policy
  const { matched, conditions, outcome } = policy.explain(facts)
  return {
    ...{ id, name, priority, enabled, policyEffect: effect, matched },
    conditions: enabled ? conditions : [],
    effect: enabled ? outcome : 'notApplicable',
    decided: id === decidedBy,
  }
}

/** What each algorithm does, as the start of a sentence. */
const meanings: Readonly<Record<Algorithm, string>> = {
  'deny-overrides': 'A policy that denies goes before all that permit',
  'permit-overrides': 'A policy that permits goes before all that deny',
  'first-applicable': 'The first policy that applies decides',
  'deny-unless-permit': 'Without a policy that permits it is denied',
  'permit-unless-deny': 'Without a policy that denies it is permitted',
}

function concludeFrom({ algorithm, effect, decidedBy, failure }: Decision): string {
  const by = decidedBy === undefined ? 'no policy decided' : `"${decidedBy}" decided`
  const why = failure === undefined ? by : `what cannot be evaluated never permits (${failure})`
  return `${meanings[algorithm]}; ${why}: ${effect}.`
}
