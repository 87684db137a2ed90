import { isAmbiguousTarget, routedPath } from '../gateway/request-path.js'
import type { Authenticator } from './authenticator.js'
import type { Authorizer } from './authorizer.js'
import type { AccessRule, Rulebook, RuleReason } from './rulebook.js'

/** Somebody whom rules can name. */
export interface PartyReport {
  readonly name: string
  /** E.g. `jwt`; `plugin` for those of plugins. */
  readonly type: string
  readonly plugin?: string
  /** `held` when it is not asked, so that what names it is refused; `paused` when it has failed too often. */
  readonly state: 'ready' | 'paused' | 'held'
  /** Why it is not ready. */
  readonly reason?: string
}

/** Who may pass where one rule holds. */
export interface AccessDescription {
  readonly authenticators: readonly string[]
  readonly authorizers: readonly string[]
  /** True when nobody is asked who they are. */
  readonly public: boolean
  /** Whether requests without credentials are refused. */
  readonly strangers: 'refuse' | 'pass'
}

/** What is written of a rule beside who is asked. */
export interface RuleDetails {
  readonly roles?: readonly string[] | undefined
  readonly permissions?: readonly string[] | undefined
  readonly tenant?: string | undefined
}

/** One rule, `at` being its place among all. */
export interface RuleReport extends AccessDescription, RuleDetails {
  readonly at: number
  readonly paths: readonly string[]
  readonly methods?: readonly string[]
  /** Places of the earlier rules that leave no request to it; empty when some come. */
  readonly shadowedBy: readonly number[]
}

/** How a host is guarded. */
export interface AccessReport {
  readonly enabled: boolean
  readonly rules: readonly RuleReport[]
  /** Where no rule holds. */
  readonly fallback: AccessDescription
  /** For the host's own operations, where no rule holds. */
  readonly operations: AccessDescription
  readonly authenticators: readonly PartyReport[]
  readonly authorizers: readonly PartyReport[]
  /** What an operator may not have meant, each a sentence. */
  readonly warnings: readonly string[]
}

/** What would be asked about one request. */
export interface MatchReport {
  readonly method: string
  /** As the router reads it. */
  readonly path: string
  /** `refused` for a path that no rule is looked for; see `RuleReason` for the rest. */
  readonly by: RuleReason['by'] | 'refused'
  /** Place of the rule; missing when it is none of the list. */
  readonly rule?: number
  readonly access?: AccessDescription
  /** Names of those that would be asked and are not ready. */
  readonly held: readonly string[]
  readonly readings: readonly { readonly as: string; readonly path: string; readonly rule?: number }[]
}

/** What the reports are made from. */
export interface ReportSources {
  readonly enabled: boolean
  readonly rulebook: Rulebook
  /** What is written of the rules, in their order. */
  readonly written: readonly RuleDetails[]
  readonly authenticators: readonly Authenticator[]
  readonly authorizers: readonly Authorizer[]
  /** Those of plugins, whether they run or not. */
  readonly plugins: {
    readonly authenticators: readonly PartyReport[]
    readonly authorizers: readonly PartyReport[]
  }
  /** Name of the authenticator that commands come with, and a path that they ask for. */
  readonly operator: { readonly name: string; readonly path: string }
}

/** Describes all rules, and whom they name. */
export function reportAccess(sources: ReportSources): AccessReport {
  const { enabled, rulebook, written, plugins } = sources
  const shadows = new Map(rulebook.shadowed().map(({ rule, by }) => [rule, by]))
  const rules = rulebook.rules.map((rule, at): RuleReport => {
    const { roles, permissions, tenant } = written[at] ?? {}
    return {
      at,
      paths: rule.paths,
      ...(rule.methods && { methods: rule.methods }),
      ...describe(rule),
      ...(roles && { roles }),
      ...(permissions && { permissions }),
      ...(tenant !== undefined && { tenant }),
      shadowedBy: (shadows.get(rule) ?? []).map((each) => rulebook.rules.indexOf(each)),
    }
  })
  const report = {
    enabled,
    rules,
    fallback: describe(rulebook.fallback),
    operations: describe(rulebook.operations),
    authenticators: [...sources.authenticators.map(ownParty), ...plugins.authenticators],
    authorizers: [...sources.authorizers.map(ownParty), ...plugins.authorizers],
  }
  return { ...report, warnings: warningsOf(report, sources) }
}

/**
 * Tells what would be asked about a request; asks nobody.
 *
 * @param target Path as a client sends it, with a query or without.
 */
export function reportMatch(sources: ReportSources, method: string, target: string): MatchReport {
  const { rulebook, plugins } = sources
  const path = routedPath(target)
  const asked = { method: method.toUpperCase(), path }
  if (isAmbiguousTarget(target)) return { ...asked, by: 'refused', held: [], readings: [] }
  const reason = rulebook.explain(asked.method, path)
  const readings = rulebook.readings(asked.method, path).map(({ rule, ...reading }) => ({
    ...reading,
    ...(rule !== undefined && { rule: rulebook.rules.indexOf(rule) }),
  }))
  if (reason.by === 'unclear') return { ...asked, by: reason.by, held: [], readings }
  const access = describe(reason.rule)
  const isHeld = (parties: readonly PartyReport[]) => (name: string) =>
    parties.some((each) => each.name === name && each.state !== 'ready')
  return {
    ...asked,
    by: reason.by,
    ...(reason.by === 'rule' && { rule: reason.at }),
    access,
    held: [
      ...access.authenticators.filter(isHeld(plugins.authenticators)),
      ...access.authorizers.filter(isHeld(plugins.authorizers)),
    ],
    readings,
  }
}

/** Counts those of plugins whom rules name and who are not ready. */
export function countHeld({ rulebook, plugins }: Pick<ReportSources, 'rulebook' | 'plugins'>): number {
  const rules = [...rulebook.rules, rulebook.fallback]
  const count = (key: 'authenticators' | 'authorizers'): number => {
    const held = plugins[key].filter(({ state }) => state !== 'ready')
    if (held.length === 0) return 0
    const named = new Set(rules.flatMap((rule) => rule[key].map(({ name }) => name)))
    return held.filter(({ name }) => named.has(name)).length
  }
  return count('authenticators') + count('authorizers')
}

/** Says in one line how a host is guarded. */
export function summariseAccess({ enabled, rules, fallback }: AccessReport): string {
  if (!enabled)
    return 'off: everybody is anonymous, and only the admin token opens the operations of the host'
  const paths = rules.filter((rule) => rule.public).reduce((sum, rule) => sum + rule.paths.length, 0)
  const asked = fallback.authenticators.join(', ')
  const otherwise = fallback.public
    ? 'everything else is public where it does not decide by itself'
    : `${rules.length === 0 ? '' : 'everything else '}asks ${asked}${fallback.strangers === 'pass' ? ', and strangers may see what is public' : ', and refuses strangers'}`
  if (rules.length === 0) return otherwise
  const publicPaths = paths === 0 ? 'no public path' : countOf(paths, 'public path')
  return `${countOf(rules.length, 'rule')} with ${publicPaths}; ${otherwise}`
}

function describe({ authenticators, authorizers, strangers }: AccessRule): AccessDescription {
  const isPublic = authenticators.length === 0
  return {
    authenticators: authenticators.map(({ name }) => name),
    authorizers: authorizers.map(({ name }) => name),
    public: isPublic,
    strangers: isPublic ? 'pass' : strangers,
  }
}

function ownParty(party: Authenticator | Authorizer): PartyReport {
  const type = 'describe' in party ? party.describe?.().type : undefined
  return { name: party.name, type: typeof type === 'string' ? type : party.name, state: 'ready' }
}

function warningsOf(report: Omit<AccessReport, 'warnings'>, sources: ReportSources): readonly string[] {
  if (!report.enabled) {
    return ['auth.enabled is false: everybody is anonymous, and only the admin token opens anything']
  }
  return [
    ...report.rules.filter(({ shadowedBy }) => shadowedBy.length > 0).map(shadowWarning),
    ...heldWarnings('authenticator', report.authenticators, '503'),
    ...heldWarnings('authorizer', report.authorizers, '500'),
    ...lockoutWarnings(sources),
  ]
}

function shadowWarning({ at, shadowedBy }: RuleReport): string {
  const earlier = shadowedBy.map((each) => `auth.http.rules[${each}]`).join(' and ')
  return `auth.http.rules[${at}] holds for no request: all of its paths come to ${earlier}`
}

function heldWarnings(kind: string, parties: readonly PartyReport[], status: string): readonly string[] {
  return parties
    .filter(({ state }) => state !== 'ready')
    .map(({ name, reason }) => `the ${kind} ${name} is not asked: ${reason}; what names it answers ${status}`)
}

/** A rule may leave out what commands come with, but hardly anybody means that. */
function lockoutWarnings({ rulebook, operator }: ReportSources): readonly string[] {
  const reason = rulebook.explain('GET', operator.path)
  if (reason.by !== 'rule' || reason.rule.authenticators.some(({ name }) => name === operator.name)) return []
  return [
    `auth.http.rules[${reason.at}] holds for ${operator.path} and does not list ${operator.name}: the commands of modulacms are refused there with the admin token`,
  ]
}

function countOf(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`
}
