import { policyLimits } from '../base/limits/policies.js'
import { type Facts, trimPath } from './facts.js'
import type { Policy } from './policy.js'
import { methodsMeant } from './target.js'

/** The texts of a policy in each dimension; undefined where it cannot be found by any. */
export type IndexKeys = readonly (readonly string[] | undefined)[]

/** The texts of a request in one dimension. */
export type Lookup = (facts: Facts) => readonly string[]

/** A way to find policies: exact texts that a policy must share with a request for its target to match. */
interface Dimension {
  /** The texts of each item of the list that this is about; undefined for an item that any text could match. */
  readonly keysOf: (policy: Policy) => readonly (readonly string[] | undefined)[]
  /** The texts that a request has. */
  readonly lookups: Lookup
}

const dimensions: readonly Dimension[] = [
  {
    keysOf: ({ subjects }) => subjects.map(({ id }) => only(id)),
    lookups: ({ subject }) => [subject.id],
  },
  {
    keysOf: ({ resources }) => resources.map(({ id }) => only(id)),
    lookups: ({ resource }) => listed(resource.id),
  },
  {
    keysOf: ({ resources }) =>
      resources.map(({ path }) => only(path === undefined ? undefined : headOf(path))),
    lookups: ({ path }) => (path === undefined ? [] : headsOf(path)),
  },
  {
    keysOf: ({ subjects }) => subjects.map(({ role }) => literal(role)),
    lookups: ({ subject }) => subject.roles,
  },
  {
    keysOf: ({ subjects }) => subjects.map(({ group }) => only(group)),
    lookups: ({ subject }) => subject.groups,
  },
  {
    keysOf: ({ subjects }) => subjects.map(({ tenant }) => only(tenant)),
    lookups: ({ subject }) => listed(subject.tenant),
  },
  {
    keysOf: ({ resources }) => resources.map(({ app }) => literal(app)),
    lookups: ({ resource }) => listed(resource.app),
  },
  {
    keysOf: ({ resources }) => resources.map(({ type }) => only(type)),
    lookups: ({ resource }) => listed(resource.type),
  },
  {
    keysOf: ({ actions }) => actions.map(({ operation }) => only(operation)),
    lookups: ({ operation }) => listed(operation),
  },
  {
    keysOf: ({ actions }) =>
      actions.map(({ method }) =>
        method === undefined || method === '*' ? undefined : methodsMeant(method),
      ),
    lookups: ({ method }) => listed(method),
  },
  {
    keysOf: ({ subjects }) => subjects.map(({ kind }) => only(kind)),
    lookups: ({ subject }) => [subject.kind],
  },
]

/** How the texts of a request are read, for each dimension. */
export const lookups: readonly Lookup[] = dimensions.map((dimension) => dimension.lookups)

/** Reads the texts by which a policy is found. */
export function indexKeysOf(policy: Policy): IndexKeys {
  return dimensions.map(({ keysOf }) => {
    const ofItems = keysOf(policy)
    if (ofItems.length === 0 || ofItems.includes(undefined)) return undefined
    return [...new Set(ofItems.flatMap((keys) => keys ?? []))]
  })
}

function only(text: string | undefined): readonly string[] | undefined {
  return text === undefined ? undefined : [text]
}

function literal(glob: string | undefined): readonly string[] | undefined {
  return glob === undefined || glob.includes('*') ? undefined : [glob]
}

function listed(text: string | undefined): readonly string[] {
  return text === undefined ? [] : [text]
}

/** The start of every path that a glob means, as whole segments; undefined when it says nothing of the first one. */
function headOf(glob: string): string | undefined {
  const segments = trimPath(glob)
    .split('/')
    .slice(1, policyLimits.indexedSegmentsMax + 1)
  const star = segments.findIndex((segment) => segment.includes('*'))
  const literals = star === -1 ? segments : segments.slice(0, star)
  return literals.length === 0 ? undefined : `/${literals.join('/')}`
}

/** All starts of a path that `headOf` could have given. */
function headsOf(path: string): readonly string[] {
  const heads: string[] = []
  let end = 0
  for (let count = 0; count < policyLimits.indexedSegmentsMax && end !== path.length; count += 1) {
    const next = path.indexOf('/', end + 1)
    end = next === -1 ? path.length : next
    heads.push(path.slice(0, end))
  }
  return heads
}
