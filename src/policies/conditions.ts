import { IpNetworks } from '../base/ip-networks.js'
import { compileComparison } from './comparison.js'
import type { Facts, Finding } from './facts.js'
import type { Comparison, Condition, IpCondition } from './policy.js'
import { compileTime } from './time-condition.js'
import { every, not, some, type Truth } from './truth.js'
import type { ZonedClocks } from './zoned-clock.js'

/** What a condition came to. */
export interface ConditionResult {
  readonly type: Condition['type']
  readonly result: Truth
  readonly reason: string
  /** Of the conditions inside, in their order; missing when there are none. */
  readonly conditions?: readonly ConditionResult[]
}

/** A condition, ready for use. */
export interface CompiledCondition {
  /** True when a plugin may have to be asked. */
  readonly asks: boolean
  /** Tells whether it holds; looks no further than it has to. */
  holds(facts: Facts): Truth
  /** Tells of every part whether it holds, and why. */
  explain(facts: Facts): ConditionResult
}

/**
 * Compiles a condition that has been checked.
 *
 * @param clocks Clocks that it shares with others.
 */
export function compileCondition(condition: Condition, clocks: ZonedClocks): CompiledCondition {
  switch (condition.type) {
    case 'time':
      return leaf('time', compileTime(condition, clocks))
    case 'ip':
      return leaf('ip', compileIp(condition))
    case 'claim':
      return leaf(
        'claim',
        compileMembers(condition, 'claim', ({ subject }) => subject.claims),
      )
    case 'attribute':
      return leaf(
        'attribute',
        compileMembers(condition, 'attribute', ({ resource }) => resource.attributes ?? {}),
      )
    case 'plugin':
      return leaf('plugin', compileQuestion(condition), true)
    case 'not':
      return compileNot(compileCondition(condition.condition, clocks))
    default:
      return compileGroup(
        condition.type,
        condition.conditions.map((each) => compileCondition(each, clocks)),
      )
  }
}

/** Those that ask nobody go first, so that nobody is asked in vain. */
export function cheapFirst(conditions: readonly CompiledCondition[]): readonly CompiledCondition[] {
  return [...conditions.filter(({ asks }) => !asks), ...conditions.filter(({ asks }) => asks)]
}

function leaf(
  type: Condition['type'],
  find: (facts: Facts) => Finding,
  asks: boolean = false,
): CompiledCondition {
  return {
    asks,
    holds: (facts) => find(facts).truth,
    explain(facts) {
      const { truth, reason } = find(facts)
      return { type, result: truth, reason }
    },
  }
}

function compileIp({ allow, deny }: IpCondition): (facts: Facts) => Finding {
  const allowed = allow === undefined ? undefined : networksOf(allow)
  const denied = networksOf(deny ?? [])
  const unknown: Finding = { truth: 'error', reason: 'the address of the client is not known, or no address' }
  const refused: Finding = { truth: false, reason: 'the address is one of those to deny' }
  const absent: Finding = { truth: false, reason: 'the address is none of those to allow' }
  const fine: Finding = { truth: true, reason: 'the address is allowed' }
  return ({ ip }) => {
    if (ip === undefined) return unknown
    if (denied.has(ip)) return refused
    return allowed === undefined || allowed.has(ip) ? fine : absent
  }
}

function networksOf(entries: readonly string[]): IpNetworks {
  const networks = new IpNetworks()
  for (const entry of entries) networks.add(entry)
  return networks
}

function compileMembers(
  comparison: Comparison,
  what: string,
  membersOf: (facts: Facts) => PolicyMembers,
): (facts: Facts) => Finding {
  const compare = compileComparison(comparison)
  const { name, operator = 'eq', value } = comparison
  const said = value === undefined ? operator : `${operator} ${JSON.stringify(value)}`
  const holds: Finding = { truth: true, reason: `${what} ${JSON.stringify(name)} is ${said}` }
  const fails: Finding = { truth: false, reason: `${what} ${JSON.stringify(name)} is not ${said}` }
  const unclear: Finding = {
    truth: 'error',
    reason: `${what} ${JSON.stringify(name)} cannot be compared by ${operator}`,
  }
  return (facts) => {
    const truth = compare(membersOf(facts))
    if (truth === 'error') return unclear
    return truth ? holds : fails
  }
}

type PolicyMembers = Facts['subject']['claims']

function compileQuestion({
  plugin,
  name,
}: {
  readonly plugin: string
  readonly name: string
}): (facts: Facts) => Finding {
  const asked = `"${name}" of the plugin "${plugin}"`
  return ({ questions }) => {
    const { truth, problem } = questions.answer(plugin, name)
    if (truth === 'error') return { truth, reason: `${asked} failed: ${problem}` }
    return { truth, reason: truth === 'pending' ? `${asked} was not asked` : `${asked} says ${truth}` }
  }
}

function compileNot(inner: CompiledCondition): CompiledCondition {
  return {
    asks: inner.asks,
    holds: (facts) => not(inner.holds(facts)),
    explain(facts) {
      const explained = inner.explain(facts)
      const result = not(explained.result)
      const reason = result === 'error' ? 'what is inside cannot be told' : `what is inside is ${!result}`
      return { type: 'not', result, reason, conditions: [explained] }
    },
  }
}

function compileGroup(type: 'anyOf' | 'allOf', inner: readonly CompiledCondition[]): CompiledCondition {
  const ordered = cheapFirst(inner)
  const fold = type === 'anyOf' ? some : every
  return {
    asks: inner.some(({ asks }) => asks),
    holds: (facts) => fold(ordered, (each) => each.holds(facts)),
    explain(facts) {
      const conditions = inner.map((each) => each.explain(facts))
      const result = fold(conditions, (each) => each.result)
      const held = conditions.filter((each) => each.result === true).length
      const reason = `${held} of ${conditions.length} hold`
      return { type, result, reason, conditions }
    },
  }
}
