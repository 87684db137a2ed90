import type { CompiledPolicy } from './compiled-policy.js'
import type { Facts } from './facts.js'
import { type IndexKeys, type Lookup, lookups } from './index-keys.js'
import { byPriority } from './policy.js'

type Places = Map<string, number[]>

/**
 * Finds the policies that may apply to a request, so that the others cost nothing. Each policy is looked for in the one
 * way in which it has the fewest companions.
 */
export class PolicyIndex {
  /** In the order in which they are looked at. */
  readonly #ordered: readonly CompiledPolicy[]
  readonly #ways: readonly (readonly [lookup: Lookup, places: Places])[]
  /** Places of those that no text leads to. */
  readonly #always: readonly number[]

  /** @param policies Those that are enabled, in any order. */
  constructor(policies: readonly CompiledPolicy[]) {
    this.#ordered = [...policies].sort(byPriority)
    const counts = countKeys(this.#ordered)
    const ways = lookups.map((lookup) => [lookup, new Map() as Places] as const)
    const always: number[] = []
    for (const [place, { keys }] of this.#ordered.entries()) {
      const way = rarest(keys, counts)
      if (way === undefined) always.push(place)
      else for (const key of keys[way] ?? []) addTo(ways[way]?.[1] as Places, key, place)
    }
    this.#ways = ways.filter(([, places]) => places.size > 0)
    this.#always = always
  }

  /** Gives those whose targets could match, in their order. */
  candidates(facts: Facts): readonly CompiledPolicy[] {
    const found = [...this.#always]
    for (const [lookup, places] of this.#ways) {
      for (const key of lookup(facts)) {
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

/** How many policies share each key, for each dimension. */
function countKeys(policies: readonly CompiledPolicy[]): readonly ReadonlyMap<string, number>[] {
  const counts = lookups.map(() => new Map<string, number>())
  for (const { keys } of policies) {
    for (const [way, ofWay] of counts.entries()) {
      for (const key of keys[way] ?? []) ofWay.set(key, (ofWay.get(key) ?? 0) + 1)
    }
  }
  return counts
}

function rarest(ofPolicy: IndexKeys, counts: readonly ReadonlyMap<string, number>[]): number | undefined {
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
