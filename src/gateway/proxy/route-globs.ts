import type { PublicRoutes } from './proxy-rule.js'

/**
 * Tells whether a path is among public routes.
 *
 * @param method In capitals.
 */
export function listsRoute(routes: PublicRoutes, path: string, method: string): boolean {
  const globs = isList(routes) ? routes : [...(routes.ALL ?? []), ...(routes[method] ?? [])]
  return globs.some((glob) => matchesGlob(glob, path))
}

function isList(routes: PublicRoutes): routes is readonly string[] {
  return Array.isArray(routes)
}

/**
 * Compares a path with a glob: `*` stands for anything within a segment, `**` for anything at all. Takes the product
 * of both lengths at most, whatever they hold.
 */
export function matchesGlob(glob: string, path: string): boolean {
  // For each part of the glob so far: the places in the path where it can end.
  let ends = new Uint8Array(path.length + 1)
  ends[0] = 1
  for (const part of glob.match(/\*\*|\*|[^*]/g) ?? []) {
    const next = new Uint8Array(path.length + 1)
    for (let at = 0; at <= path.length; at += 1) {
      const before = at === 0 ? undefined : path[at - 1]
      if (part === '**') next[at] = ends[at] || (at > 0 && next[at - 1]) ? 1 : 0
      else if (part === '*') next[at] = ends[at] || (at > 0 && before !== '/' && next[at - 1]) ? 1 : 0
      else if (at > 0 && before === part && ends[at - 1]) next[at] = 1
    }
    ends = next
  }
  return ends[path.length] === 1
}
