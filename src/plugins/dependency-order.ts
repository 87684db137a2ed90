/** A plugin with the names of the plugins that it needs. */
export interface DependencyNode {
  readonly name: string
  readonly dependencies: readonly string[]
}

export interface DependencyOrder {
  /** Names in the order in which to load: each after all that it needs, ties in alphabetical order. */
  readonly order: readonly string[]
  /** Why the others cannot be loaded, by name. */
  readonly failed: ReadonlyMap<string, string>
}

/**
 * Orders plugins by their dependencies. A missing or circular dependency fails only the plugins that it concerns
 * and those that need them.
 *
 * @param nodes Plugins with distinct names.
 */
export function orderByDependencies(nodes: readonly DependencyNode[]): DependencyOrder {
  const byName = new Map(nodes.map((node) => [node.name, node]))
  const failed = findMissing(byName)
  const order: string[] = []
  const placed = new Set<string>()
  let waiting = [...byName.keys()].sort().filter((name) => !failed.has(name))
  for (let next = findReady(waiting, byName, placed); next !== undefined; ) {
    const name = next
    order.push(name)
    placed.add(name)
    waiting = waiting.filter((other) => other !== name)
    next = findReady(waiting, byName, placed)
  }
  for (const name of waiting) failed.set(name, describeCycle(name, byName))
  return { order, failed: new Map([...failed].sort(([a], [b]) => (a < b ? -1 : 1))) }
}

function findReady(
  waiting: readonly string[],
  byName: ReadonlyMap<string, DependencyNode>,
  placed: ReadonlySet<string>,
): string | undefined {
  return waiting.find((name) => byName.get(name)?.dependencies.every((needed) => placed.has(needed)))
}

/** Fails what needs a plugin that is not there, and, from plugin to plugin, all that need a failed one. */
function findMissing(byName: ReadonlyMap<string, DependencyNode>): Map<string, string> {
  const failed = new Map<string, string>()
  const dependants = invert(byName)
  const chains: (readonly string[])[] = []
  for (const name of [...dependants.keys()].sort()) if (!byName.has(name)) chains.push([name])
  // Breadth first, so that the shortest chain is the one that is named.
  for (let next = chains.shift(); next !== undefined; next = chains.shift()) {
    const [name = '', missing = ''] = [next[0], next.at(-1)]
    for (const dependant of dependants.get(name) ?? []) {
      if (failed.has(dependant)) continue
      const chain = [dependant, ...next]
      failed.set(dependant, describeMissing(name, missing, chain))
      chains.push(chain)
    }
  }
  return failed
}

function describeMissing(needed: string, missing: string, chain: readonly string[]): string {
  if (needed === missing) return `${dependencyText(missing)} was not found in the plugin directory`
  return `${dependencyText(needed)} is not running: "${missing}" was not found (${chain.join(' -> ')})`
}

/** Names of the dependants of each plugin, present or not, in alphabetical order. */
function invert(byName: ReadonlyMap<string, DependencyNode>): ReadonlyMap<string, readonly string[]> {
  const dependants = new Map<string, string[]>()
  for (const name of [...byName.keys()].sort()) {
    for (const dependency of byName.get(name)?.dependencies ?? []) {
      const list = dependants.get(dependency)
      if (list === undefined) dependants.set(dependency, [name])
      else list.push(name)
    }
  }
  return dependants
}

/** Names the circle that a plugin is part of, or that it needs. */
function describeCycle(name: string, byName: ReadonlyMap<string, DependencyNode>): string {
  const own = findPath(name, (candidate) => candidate === name, byName)
  if (own !== undefined) return `circular dependency: ${own.join(' -> ')}`
  const inCircle = (candidate: string) =>
    findPath(candidate, (end) => end === candidate, byName) !== undefined
  const way = findPath(name, inCircle, byName) ?? [name]
  const needed = way[1] ?? name
  const circle = findPath(way.at(-1) ?? name, (end) => end === way.at(-1), byName) ?? []
  return `${dependencyText(needed)} is not running: circular dependency: ${circle.join(' -> ')}`
}

/** The shortest way of at least one step from a plugin to one that is wanted. */
function findPath(
  from: string,
  wanted: (name: string) => boolean,
  byName: ReadonlyMap<string, DependencyNode>,
): readonly string[] | undefined {
  const seen = new Set<string>()
  const paths: (readonly string[])[] = [[from]]
  for (let path = paths.shift(); path !== undefined; path = paths.shift()) {
    for (const next of [...(byName.get(path.at(-1) ?? '')?.dependencies ?? [])].sort()) {
      if (wanted(next)) return [...path, next]
      if (seen.has(next)) continue
      seen.add(next)
      paths.push([...path, next])
    }
  }
  return undefined
}

/** How the reason of a plugin that cannot run without another one begins. */
export function dependencyText(dependency: string): string {
  return `dependency "${dependency}"`
}
