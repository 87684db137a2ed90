import { isDateTime } from '../base/date-time.js'
import { IpNetworks } from '../base/ip-networks.js'
import { policyLimits } from '../base/limits/policies.js'
import { looseStars } from '../base/path-glob.js'
import type { Comparison, Condition, IpCondition, Policy, ResourceItem, TimeCondition } from './policy.js'
import { pathTo } from './problems.js'
import type { Report } from './schema-check.js'
import { isTimeZone } from './zoned-clock.js'

/** Looks at a policy that its schema takes for what a schema cannot say. */
export function checkRules(policy: Policy, report: Report): void {
  checkLabel(policy.name, 'name', report)
  checkLabel(policy.description, 'description', report)
  for (const [index, { claim }] of policy.subjects.entries()) {
    if (claim !== undefined) checkComparison(claim, `subjects[${index}].claim`, report)
  }
  for (const [index, item] of policy.resources.entries()) checkResource(item, `resources[${index}]`, report)
  for (const [index, { method }] of policy.actions.entries()) {
    if (method !== undefined && !/^(?:\*|[A-Za-z]+(?:-[A-Za-z]+)*)$/.test(method)) {
      report(`actions[${index}].method`, 'must be a method such as "GET", or "*"')
    }
  }
  let count = 0
  for (const [index, condition] of policy.conditions.entries()) {
    count += checkCondition(condition, `conditions[${index}]`, report)
  }
  const { conditionsMax } = policyLimits
  if (count > conditionsMax)
    report('conditions', `are ${count} with those inside; the limit is ${conditionsMax}`)
}

/** Names and descriptions end up in answers, logs and terminals. */
function checkLabel(text: string, path: string, report: Report): void {
  if (/\p{Cc}/u.test(text)) report(path, 'must not have control characters')
}

function checkResource({ path: glob, attribute }: ResourceItem, path: string, report: Report): void {
  if (attribute !== undefined) checkComparison(attribute, pathTo(path, 'attribute'), report)
  if (glob === undefined) return
  const at = pathTo(path, 'path')
  const loose = looseStars(glob)
  if (!glob.startsWith('/')) report(at, 'must start with "/"')
  if (loose !== undefined)
    report(at, `has "**" as only a part of the segment "${loose}"; write "/**/" or "*"`)
  if (glob.includes('//')) report(at, 'has an empty segment, which no path has')
}

/** Checks a condition and those inside of it; gives how many they are. */
function checkCondition(condition: Condition, path: string, report: Report): number {
  switch (condition.type) {
    case 'time':
      checkTime(condition, path, report)
      return 1
    case 'ip':
      checkIp(condition, path, report)
      return 1
    case 'claim':
    case 'attribute':
      checkComparison(condition, path, report)
      return 1
    case 'plugin':
      checkName(condition.plugin, pathTo(path, 'plugin'), report)
      checkName(condition.name, pathTo(path, 'name'), report)
      return 1
    case 'not':
      return 1 + checkCondition(condition.condition, pathTo(path, 'condition'), report)
    default: {
      const inside = pathTo(path, 'conditions')
      const counts = condition.conditions.map((each, index) =>
        checkCondition(each, pathTo(inside, index), report),
      )
      return counts.reduce((sum, count) => sum + count, 1)
    }
  }
}

function checkName(name: string, path: string, report: Report): void {
  if (!/^[A-Za-z0-9][\w.-]*$/.test(name)) report(path, 'must be a name of letters, digits and . _ -')
}

const forNumbers = ['gt', 'gte', 'lt', 'lte']

function checkComparison({ name, operator = 'eq', value }: Comparison, path: string, report: Report): void {
  if (name.split('.').includes('')) report(pathTo(path, 'name'), 'must have a name between all dots')
  const at = pathTo(path, 'value')
  if (operator === 'exists') {
    if (value !== undefined && typeof value !== 'boolean') report(at, 'must be true or false for "exists"')
  } else if (value === undefined) {
    report(at, `is missing; "${operator}" compares with it`)
  } else if (operator === 'in') {
    if (!Array.isArray(value)) report(at, 'must be a list for "in"')
  } else if (Array.isArray(value)) {
    report(at, `must not be a list for "${operator}"; "in" takes one`)
  } else if (forNumbers.includes(operator) && typeof value !== 'number') {
    report(at, `must be a number for "${operator}"`)
  } else if (operator === 'contains' && value === '') {
    report(at, 'must not be empty for "contains"; every text contains that')
  }
}

const timeOfDay = /^(?:[01]\d|2[0-3]):[0-5]\d$/

/** Tells whether a bound of a time condition is a time of every day. */
export function isTimeOfDay(bound: string): boolean {
  return timeOfDay.test(bound)
}

function checkTime({ after, before, days, timezone }: TimeCondition, path: string, report: Report): void {
  for (const [name, bound] of Object.entries({ after, before })) {
    if (bound !== undefined && !isTimeOfDay(bound) && !isDateTime(bound)) {
      report(pathTo(path, name), 'must be HH:MM, e.g. "09:00", or RFC 3339, e.g. "2026-01-31T12:00:00Z"')
    }
  }
  if (after === undefined && before === undefined && days === undefined) {
    report(path, 'must have after, before or days')
  }
  if (timezone !== undefined && !isTimeZone(timezone)) {
    report(pathTo(path, 'timezone'), 'must be an IANA name, e.g. "Europe/Berlin"')
  }
  if (before === '00:00' && (after === undefined || !isTimeOfDay(after))) {
    report(pathTo(path, 'before'), 'never holds: nothing of a day is before "00:00"; name after as well')
  }
  if (after === undefined || before === undefined) return
  if (after === before) report(path, 'never holds: after and before are the same')
  else if (isDateTime(after) && isDateTime(before) && Date.parse(after) >= Date.parse(before)) {
    report(path, 'never holds: after is not earlier than before')
  }
}

function checkIp({ allow, deny }: IpCondition, path: string, report: Report): void {
  if (allow === undefined && deny === undefined) report(path, 'must have allow or deny')
  for (const [name, entries = []] of Object.entries({ allow, deny })) {
    const networks = new IpNetworks()
    for (const [index, entry] of entries.entries()) {
      if (networks.add(entry)) continue
      report(`${pathTo(path, name)}[${index}]`, 'must be an IP address or a CIDR block, e.g. "10.0.0.0/8"')
    }
  }
}
