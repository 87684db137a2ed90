import { policyLimits } from '../base/limits/policies.js'
import type { CompiledPolicy } from './compiled-policy.js'
import { type Facts, trimPath } from './facts.js'
import { byPriority, type Policy } from './policy.js'
import { methodsMeant } from './target.js'

/** A way to find policies: exact texts that a policy must share with a request for its target to match. */
interface Dimension {
  /** The texts of each item of the list that this is about; undefined for an item that any text could match. */
  readonly keysOf: (policy: Policy) => readonly (readonly string[] | undefined)[]
  /** The texts that a request has. */
  readonly lookups: (facts: Facts) => readonly string[]
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

type Places = Map<string, number[]>

/**
 * Finds the policies that may apply to a request, so that the others cost nothing. Each policy is looked for in the one
 * way in which it has the fewest companions.
 */
export class PolicyIndex {
  /** In the order in which they are looked at. */
  readonly #ordered: readonly CompiledPolicy[]
  readonly #ways: readonly (readonly [lookups: Dimension['lookups'], places: Places])[]
  /** Places of those that no text leads to. */
  readonly #always: readonly number[]

  /** @param policies Those that are enabled, in any order. */
  constructor(policies: readonly CompiledPolicy[]) {
    this.#ordered = [...policies].sort(byPriority)
    const keys = this.#ordered.map(({ policy }) => dimensions.map((dimension) => keysIn(dimension, policy)))
    const counts = countKeys(keys)
    const ways = dimensions.map(({ lookups }) => [lookups, new Map() as Places] as const)
    const always: number[] = []
    for (const [place, ofPolicy] of keys.entries()) {
      const way = rarest(ofPolicy, counts)
      if (way === undefined) always.push(place)
      else for (const key of ofPolicy[way] ?? []) addTo(ways[way]?.[1] as Places, key, place)
    }
    this.#ways = ways.filter(([, places]) => places.size > 0)
    this.#always = always
  }

  /** Gives those whose targets could match, in their order. */
  candidates(facts: Facts): readonly CompiledPolicy[] {
    const found = [...this.#always]
    for (const [lookups, places] of this.#ways) {
      for (const key of lookups(facts)) {
        const more = places.get(key)
        if (more !== undefined) for (const place of more) found.push(place)
      }
    }
    if (found.length > 1) found.sort((a, b) => a - b)
    const candidates: CompiledPolicy[] = []
    let last = -1
    for (const place of found) {
      // One with several keys is found several times.
      if (place !== last) candidates.push(this.#ordered[place] as CompiledPolicy)
      last = place
    }
    return candidates
  }
}

/** The keys of a policy in one dimension; undefined when it cannot be found by them. */
function keysIn({ keysOf }: Dimension, policy: Policy | undefined): readonly string[] | undefined {
  if (policy === undefined) return undefined
  const ofItems = keysOf(policy)
  if (ofItems.length === 0 || ofItems.includes(undefined)) return undefined
  return [...new Set(ofItems.flatMap((keys) => keys ?? []))]
}

type Keys = readonly (readonly string[] | undefined)[]

/** How many policies share each key, for each dimension. */
function countKeys(keys: readonly Keys[]): readonly ReadonlyMap<string, number>[] {
  return dimensions.map((_, way) => {
    const counts = new Map<string, number>()
    for (const ofPolicy of keys) {
      for (const key of ofPolicy[way] ?? []) counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    return counts
  })
}

function rarest(ofPolicy: Keys, counts: readonly ReadonlyMap<string, number>[]): number | undefined {
  let best: number | undefined
  let least = Number.POSITIVE_INFINITY
  for (const [way, keys] of ofPolicy.entries()) {
    if (keys === undefined) continue
    const companions = Math.max(...keys.map((key) => counts[way]?.get(key) ?? 0))
    if (companions < least) {
      least = companions
      best = way
    }
  }
  return best
}

function addTo(places: Places, key: string, place: number): void {
  const known = places.get(key)
  if (known === undefined) places.set(key, [place])
  else known.push(place)
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
