import { rateLimitLimits } from '../../base/limits/gateway.js'
import type { PathMatcher } from '../../base/path-glob.js'
import type { Exchange } from '../exchange.js'
import { compilePaths } from '../path-pattern.js'
import { type BucketStore, checkCost, makeRate, type Rate } from './bucket-store.js'
import { type ClientKey, createClientKey, type KeyFunctions } from './client-key.js'
import { ruleInvalid } from './errors.js'
import { parseWindow } from './window.js'

/** What holds for some requests in the place of the limit for everything. */
export interface RateLimitRule {
  /** Entries as `compilePath` reads them; a request that one of them means is meant. */
  readonly paths: readonly string[]
  /** Upper and lower case are the same; all methods when missing. */
  readonly methods?: readonly string[]
  /** With this or `window` the rule counts by itself; the other one is that of the limit for everything. */
  readonly requests?: number
  readonly window?: string
  /** Strategy; that of the limit for everything when missing. */
  readonly keyBy?: string
  /** Tokens that one request takes; 1 when missing. */
  readonly cost?: number
}

/** What a request is counted by. */
export interface Plan {
  readonly rate: Rate
  readonly buckets: BucketStore
  /** What the keys of these buckets start with among those of other plans. */
  readonly prefix: string
  readonly clientKey: ClientKey
  readonly cost: number
}

/** Tells what a request is counted by: the first rule that means it, or the limit for everything. */
export type Planner = (exchange: Exchange) => Plan

/** What rules are compiled with. */
export interface RuleWorld {
  /** The limit for everything. */
  readonly base: Plan
  readonly window: string
  readonly functions: KeyFunctions
  /** Makes the buckets of a rule that counts by itself. */
  makeBuckets(): BucketStore
}

interface CompiledRule {
  readonly isMeant: PathMatcher
  readonly methods: ReadonlySet<string> | undefined
  readonly plan: Plan
}

/**
 * Compiles rules.
 *
 * @throws `RATE_LIMIT_RULE_INVALID` for too many rules, and one without paths or with an empty list of methods; and
 *   what the parts of a rule throw: `GATEWAY_PATH_PATTERN_INVALID`, `RATE_LIMIT_INVALID`, `RATE_LIMIT_WINDOW_INVALID`,
 *   `RATE_LIMIT_KEY_INVALID`.
 */
export function compileRules(
  rules: readonly RateLimitRule[],
  world: RuleWorld,
): { readonly planner: Planner; readonly plans: readonly Plan[] } {
  const { rulesMax } = rateLimitLimits
  if (rules.length > rulesMax) {
    throw ruleInvalid({
      rule: rulesMax + 1,
      problem: `there are ${rules.length}, and the limit is ${rulesMax}`,
    })
  }
  const compiled = rules.map((rule, index) => compileRule(rule, index + 1, world))
  const planFor = (path: string, method: string): Plan | undefined =>
    compiled.find(({ isMeant, methods }) => (methods === undefined || methods.has(method)) && isMeant(path))
      ?.plan
  const planner: Planner = ({ path, loosePath, method }) =>
    planFor(path, method) ?? (loosePath === path ? undefined : planFor(loosePath, method)) ?? world.base
  const ownPlans = compiled.map(({ plan }) => plan).filter(({ buckets }) => buckets !== world.base.buckets)
  return { planner, plans: [world.base, ...ownPlans] }
}

function compileRule(rule: RateLimitRule, number: number, world: RuleWorld): CompiledRule {
  const { paths, methods, keyBy, cost = 1 } = rule
  if (paths.length === 0) throw ruleInvalid({ rule: number, problem: 'it names no paths' })
  if (methods?.length === 0) throw ruleInvalid({ rule: number, problem: 'its list of methods is empty' })
  const own = ownLimit(rule, number, world)
  const rate = own?.rate ?? world.base.rate
  checkCost(cost, rate)
  const clientKey = keyBy === undefined ? world.base.clientKey : createClientKey(keyBy, world.functions)
  return {
    isMeant: compilePaths(paths),
    methods: methods === undefined ? undefined : new Set(methods.map((method) => method.toUpperCase())),
    plan: { ...world.base, ...own, clientKey, cost },
  }
}

function ownLimit(
  { requests, window }: RateLimitRule,
  number: number,
  { base, window: baseWindow, makeBuckets }: RuleWorld,
): Pick<Plan, 'rate' | 'buckets' | 'prefix'> | undefined {
  if (requests === undefined && window === undefined) return undefined
  const rate = makeRate(requests ?? base.rate.capacity, parseWindow(window ?? baseWindow))
  return { rate, buckets: makeBuckets(), prefix: `rule-${number}:` }
}
