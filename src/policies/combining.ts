import type { CompiledPolicy, Outcome } from './compiled-policy.js'
import type { Effect } from './policy.js'

export const algorithms = [
  'deny-overrides',
  'permit-overrides',
  'first-applicable',
  'deny-unless-permit',
  'permit-unless-deny',
] as const

/** How what several policies say becomes one decision. */
export type Algorithm = (typeof algorithms)[number]

/** What policies come to together. */
export interface Combined {
  readonly effect: Effect
  /** The policy that decided; undefined when none did. */
  readonly by: CompiledPolicy | undefined
  /** True when it could not be evaluated, so that the decision is to deny. */
  readonly isIndeterminate: boolean
}

/** The first policy of each outcome, in their order. */
interface Firsts {
  permit: CompiledPolicy | undefined
  deny: CompiledPolicy | undefined
  /** Would permit, if it could be told. */
  unclearPermit: CompiledPolicy | undefined
  /** Would deny, if it could be told. */
  unclearDeny: CompiledPolicy | undefined
  isPending: boolean
}

/** What decides alone, whatever the other policies say; the first one of several is named. */
const decisive: Readonly<Record<Exclude<Algorithm, 'first-applicable'>, Effect>> = {
  'deny-overrides': 'deny',
  'permit-overrides': 'permit',
  'deny-unless-permit': 'permit',
  'permit-unless-deny': 'deny',
}

/**
 * Combines what policies say. An outcome that cannot be told is treated as in XACML 3.0, and where that leaves the
 * decision open it is to deny; it also is where XACML would let the error of a policy that denies become a permit.
 *
 * @param policies Those that may apply, in their order; looks at no more than it needs.
 * @param otherwise Where no policy applies, unless the algorithm says it itself.
 * @returns Undefined when a pending outcome could change the decision.
 */
export function combine(
  algorithm: Algorithm,
  otherwise: Effect,
  policies: readonly CompiledPolicy[],
  outcomeOf: (policy: CompiledPolicy) => Outcome,
): Combined | undefined {
  if (algorithm === 'first-applicable') return combineFirst(otherwise, policies, outcomeOf)
  const firsts = findFirsts(decisive[algorithm], policies, outcomeOf)
  const alone = firsts[decisive[algorithm]]
  if (alone !== undefined) return decided(alone.effect, alone)
  if (firsts.isPending) return undefined
  const { permit, deny, unclearPermit, unclearDeny } = firsts
  switch (algorithm) {
    case 'deny-overrides':
      if (unclearDeny !== undefined) return closed(unclearDeny)
      if (permit !== undefined) return decided('permit', permit)
      return unclearPermit === undefined ? decided(otherwise) : closed(unclearPermit)
    case 'permit-overrides':
      if (deny !== undefined) return decided('deny', deny)
      if (unclearPermit !== undefined) return closed(unclearPermit)
      return unclearDeny === undefined ? decided(otherwise) : closed(unclearDeny)
    case 'deny-unless-permit':
      if (deny !== undefined) return decided('deny', deny)
      return unclearPermit === undefined ? decided('deny') : closed(unclearPermit)
    case 'permit-unless-deny':
      if (unclearDeny !== undefined) return closed(unclearDeny)
      return decided('permit', permit)
  }
}

function combineFirst(
  otherwise: Effect,
  policies: readonly CompiledPolicy[],
  outcomeOf: (policy: CompiledPolicy) => Outcome,
): Combined | undefined {
  let isPending = false
  for (const policy of policies) {
    const outcome = outcomeOf(policy)
    if (outcome === 'notApplicable') continue
    // Those behind it are still looked at, so that all questions are asked at once.
    if (outcome === 'pending') isPending = true
    else if (isPending) return undefined
    else return outcome === 'indeterminate' ? closed(policy) : decided(outcome, policy)
  }
  return isPending ? undefined : decided(otherwise)
}

function findFirsts(
  decisiveEffect: Effect,
  policies: readonly CompiledPolicy[],
  outcomeOf: (policy: CompiledPolicy) => Outcome,
): Firsts {
  const firsts: Firsts = {
    ...{ permit: undefined, deny: undefined, unclearPermit: undefined, unclearDeny: undefined },
    isPending: false,
  }
  for (const policy of policies) {
    const outcome = outcomeOf(policy)
    if (outcome === 'pending') firsts.isPending = true
    else if (outcome === 'indeterminate') {
      if (policy.effect === 'deny') firsts.unclearDeny ??= policy
      else firsts.unclearPermit ??= policy
    } else if (outcome !== 'notApplicable') {
      firsts[outcome] ??= policy
      if (outcome === decisiveEffect) break
    }
  }
  return firsts
}

function decided(effect: Effect, by?: CompiledPolicy): Combined {
  return { effect, by, isIndeterminate: false }
}

function closed(by: CompiledPolicy): Combined {
  return { effect: 'deny', by, isIndeterminate: true }
}
