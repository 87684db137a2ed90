import { namesOf, readOrigin } from './origin.js'
import type { CorsRule } from './rule.js'

/** Finds the rule for an origin. */
export interface RuleSelection {
  /** The first rule that names the origin, else the first with `*`; undefined when there is neither. */
  select(origin: string): CorsRule | undefined
  /** True when answers to two origins can differ. */
  readonly dependsOnOrigin: boolean
}

/** Prepares the rules, in their order, for looking origins up: what one costs does not grow with their number. */
export function selectFrom(rules: readonly CorsRule[]): RuleSelection {
  const firstByName = new Map<string, number>()
  for (const [at, { origins }] of rules.entries()) {
    for (const origin of origins) if (!firstByName.has(origin)) firstByName.set(origin, at)
  }
  const forAll = rules[firstByName.get('*') ?? -1]
  firstByName.delete('*')
  const find = (origin: string): CorsRule | undefined => rules[firstOf(origin, firstByName)] ?? forAll
  // A page sends many requests in a row.
  let last: { readonly origin: string; readonly rule: CorsRule | undefined } | undefined
  return {
    select: (origin) => {
      if (last?.origin !== origin) last = { origin, rule: find(origin) }
      return last.rule
    },
    dependsOnOrigin: firstByName.size > 0,
  }
}

/** Gives -1 when no rule names the origin. */
function firstOf(header: string, firstByName: ReadonlyMap<string, number>): number {
  if (firstByName.size === 0) return -1
  const origin = readOrigin(header)
  if (origin === undefined) return -1
  let first = Number.POSITIVE_INFINITY
  for (const name of namesOf(origin)) first = Math.min(first, firstByName.get(name) ?? first)
  return Number.isFinite(first) ? first : -1
}
