import { compilePathGlob, compileTextGlob } from '../base/path-glob.js'
import { compileComparison } from './comparison.js'
import { type Facts, trimPath } from './facts.js'
import type { ActionItem, Policy, ResourceItem, SubjectItem } from './policy.js'
import { every, some, type Truth } from './truth.js'

/** Tells whether something is meant by a policy. */
export type Check = (facts: Facts) => Truth

/** Whom and what a policy is about. */
export interface Target {
  readonly subject: Check
  readonly resource: Check
  readonly action: Check
}

/** Compiles the three lists of a policy: in each an item has to match, and of an item all that it has. */
export function compileTarget({ subjects, resources, actions }: Policy): Target {
  return {
    subject: anyItem(subjects.map(subjectChecks)),
    resource: anyItem(resources.map(resourceChecks)),
    action: anyItem(actions.map(actionChecks)),
  }
}

function anyItem(items: readonly (readonly Check[])[]): Check {
  if (items.length === 0) return () => true
  return (facts) => some(items, (checks) => every(checks, (check) => check(facts)))
}

function subjectChecks({ id, kind, role, group, tenant, claim }: SubjectItem): readonly Check[] {
  const checks: Check[] = []
  if (id !== undefined) checks.push(({ subject }) => subject.id === id)
  if (kind !== undefined) checks.push(({ subject }) => subject.kind === kind)
  if (tenant !== undefined) checks.push(({ subject }) => subject.tenant === tenant)
  if (role !== undefined) {
    const matches = compileTextGlob(role)
    checks.push(({ subject }) => subject.roles.some(matches))
  }
  if (group !== undefined) checks.push(({ subject }) => subject.groups.includes(group))
  if (claim !== undefined) {
    const compare = compileComparison(claim)
    checks.push(({ subject }) => compare(subject.claims))
  }
  return checks
}

function resourceChecks({ app, path, type, id, owner, attribute }: ResourceItem): readonly Check[] {
  const checks: Check[] = []
  if (type !== undefined) checks.push(({ resource }) => resource.type === type)
  if (id !== undefined) checks.push(({ resource }) => resource.id === id)
  if (app !== undefined) {
    const matches = compileTextGlob(app)
    // A request that belongs to no app has none, or an empty one.
    checks.push(({ resource }) => resource.app !== undefined && resource.app !== '' && matches(resource.app))
  }
  if (path !== undefined) {
    const matches = compilePathGlob(trimPath(path))
    checks.push((facts) => facts.path !== undefined && matches(facts.path))
  }
  if (owner !== undefined) checks.push(isOwner)
  if (attribute !== undefined) {
    const compare = compileComparison(attribute)
    checks.push(({ resource }) => compare(resource.attributes ?? {}))
  }
  return checks
}

/** Nobody that is known owns nothing, whatever the resource says. */
function isOwner({ subject, resource: { attributes = {} } }: Facts): Truth {
  if (subject.kind === 'anonymous' || !Object.hasOwn(attributes, 'owner')) return false
  const owner = attributes.owner
  if (owner === null || owner === undefined) return false
  return typeof owner === 'string' ? owner === subject.id : 'error'
}

function actionChecks({ method, operation }: ActionItem): readonly Check[] {
  const checks: Check[] = []
  if (operation !== undefined) checks.push((facts) => facts.operation === operation)
  if (method !== undefined && method !== '*') {
    const methods = methodsMeant(method)
    checks.push((facts) => facts.method !== undefined && methods.includes(facts.method))
  }
  return checks
}

/** What serves GET serves HEAD: a policy for one that left out the other would be a way around it. */
export function methodsMeant(method: string): readonly string[] {
  const upper = method.toUpperCase()
  return upper === 'GET' ? ['GET', 'HEAD'] : [upper]
}
