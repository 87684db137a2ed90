import { type CompiledCondition, type ConditionResult, cheapFirst, compileCondition } from './conditions.js'
import type { Facts } from './facts.js'
import { type IndexKeys, indexKeysOf } from './index-keys.js'
import type { Effect, Policy } from './policy.js'
import type { Problem } from './problems.js'
import { compileTarget, type Target } from './target.js'
import { every, type Truth } from './truth.js'
import { ZonedClocks } from './zoned-clock.js'

/**
 * What one policy says: `notApplicable` when it is about something else, `indeterminate` when nobody can tell, and
 * `pending` when a plugin has to be asked first.
 */
export type Outcome = Effect | 'notApplicable' | 'indeterminate' | 'pending'

/** Which of the lists of a policy match. */
export interface MatchedTarget {
  readonly subject: Truth
  readonly resource: Truth
  readonly action: Truth
}

/** What one policy says, and why. */
export interface ExplainedPolicy {
  readonly matched: MatchedTarget
  /** Empty unless subject, resource and action match. */
  readonly conditions: readonly ConditionResult[]
  readonly outcome: Outcome
}

/** A policy, ready for use. */
export interface CompiledPolicy {
  readonly id: string
  readonly name: string
  readonly description: string
  /** What it does when it applies. */
  readonly effect: Effect
  readonly priority: number
  readonly enabled: boolean
  /** What it was made of; undefined for one that cannot be used. */
  readonly policy: Policy | undefined
  /** By what it is found. */
  readonly keys: IndexKeys
  decide(facts: Facts): Outcome
  explain(facts: Facts): ExplainedPolicy
}

/**
 * Compiles a policy that has been checked.
 *
 * @param clocks Clocks that it shares with other policies; its own when missing.
 */
export function compilePolicy(policy: Policy, clocks: ZonedClocks = new ZonedClocks()): CompiledPolicy {
  const { id, name, description, effect, priority, enabled } = policy
  const target = compileTarget(policy)
  const checks = [target.subject, target.resource, target.action]
  const conditions = policy.conditions.map((condition) => compileCondition(condition, clocks))
  const ordered = cheapFirst(conditions)
  return {
    ...{ id, name, description, effect, priority, enabled, policy },
    keys: indexKeysOf(policy),
    decide(facts) {
      const matches = every(checks, (check) => check(facts))
      if (matches !== true) return outcomeOf(matches, effect)
      return outcomeOf(
        every(ordered, (condition) => condition.holds(facts)),
        effect,
      )
    },
    explain: (facts) => explain(target, conditions, effect, facts),
  }
}

/**
 * Makes the stand-in for a stored policy that cannot be used. Nobody can tell what it was about; so unless it says that
 * it permits, nobody can tell that it denies nothing.
 *
 * @param stored What is stored, if it is an object.
 */
export function unusablePolicy(id: string, problems: readonly Problem[], stored: unknown): CompiledPolicy {
  const told = problems.map(({ path, rule }) => `${path} ${rule}`.trim()).join('; ')
  const { effect, priority, enabled } = (stored ?? {}) as Readonly<Record<string, unknown>>
  const explained: ExplainedPolicy = {
    matched: { subject: 'error', resource: 'error', action: 'error' },
    conditions: [],
    outcome: 'indeterminate',
  }
  return {
    id,
    name: '',
    description: `the stored policy cannot be used: ${told}`,
    effect: effect === 'permit' ? 'permit' : 'deny',
    priority: typeof priority === 'number' ? priority : 0,
    enabled: enabled !== false,
    policy: undefined,
    keys: [],
    decide: () => 'indeterminate',
    explain: () => explained,
  }
}

function explain(
  target: Target,
  conditions: readonly CompiledCondition[],
  effect: Effect,
  facts: Facts,
): ExplainedPolicy {
  const matched = {
    subject: target.subject(facts),
    resource: target.resource(facts),
    action: target.action(facts),
  }
  const matches = every(Object.values(matched), (truth) => truth)
  if (matches !== true) return { matched, conditions: [], outcome: outcomeOf(matches, effect) }
  const explained = conditions.map((condition) => condition.explain(facts))
  const holds = every(explained, ({ result }) => result)
  return { matched, conditions: explained, outcome: outcomeOf(holds, effect) }
}

function outcomeOf(truth: Truth, effect: Effect): Outcome {
  switch (truth) {
    case true:
      return effect
    case false:
      return 'notApplicable'
    case 'error':
      return 'indeterminate'
    default:
      return 'pending'
  }
}
