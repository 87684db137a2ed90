/**
 * One piece of a route path between two slashes. A `rest` stands for all further segments, also for none behind
 * a final slash; its name is empty when the path just ends in a slash.
 */
export type RouteSegment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'param'; readonly name: string }
  | { readonly kind: 'rest'; readonly name: string }

/** A route path that was taken apart, or the reason why it has no meaning. */
export type ParsedPattern =
  | { readonly ok: true; readonly segments: readonly RouteSegment[] }
  | { readonly ok: false; readonly reason: string }

const paramPattern = /^\{([A-Za-z_][A-Za-z0-9_]*)(\.\.\.)?\}$/

/**
 * Takes a route path such as `/tasks/{id}` or `/files/{path...}` apart. Which characters a path may have is
 * checked elsewhere; here is what the braces and the slashes mean.
 */
export function parseRoutePattern(path: string): ParsedPattern {
  if (!path.startsWith('/')) return { ok: false, reason: 'it must start with "/"' }
  const pieces = path.slice(1).split('/')
  const segments: RouteSegment[] = []
  const names = new Set<string>()
  for (const [index, piece] of pieces.entries()) {
    const isLast = index === pieces.length - 1
    const segment = parseSegment(piece, isLast)
    if (typeof segment === 'string') return { ok: false, reason: segment }
    if (segment.kind !== 'literal' && segment.name !== '') {
      if (names.has(segment.name))
        return { ok: false, reason: `parameter {${segment.name}} stands in it twice` }
      names.add(segment.name)
    }
    segments.push(segment)
  }
  return { ok: true, segments }
}

function parseSegment(piece: string, isLast: boolean): RouteSegment | string {
  if (piece === '') return isLast ? { kind: 'rest', name: '' } : 'it has an empty segment ("//")'
  if (piece === '.' || piece === '..') return `"${piece}" cannot be a segment`
  if (!piece.includes('{') && !piece.includes('}')) return { kind: 'literal', text: piece }
  const match = paramPattern.exec(piece)
  const name = match?.[1]
  if (match === null || name === undefined) {
    return `"${piece}" is not a parameter: braces must enclose one whole segment and hold a name, as in {id}`
  }
  if (match[2] === undefined) return { kind: 'param', name }
  return isLast ? { kind: 'rest', name } : `{${name}...} must be the last segment`
}

/**
 * Whether a path exists that both patterns match while neither of them is the more specific one, so that no rule
 * says which of them answers.
 */
export function patternsConflict(one: readonly RouteSegment[], other: readonly RouteSegment[]): boolean {
  let oneIsWider = false
  let otherIsWider = false
  for (let index = 0; ; index += 1) {
    const a = one[index]
    const b = other[index]
    if (a === undefined || b === undefined) {
      // A rest that met a longer pattern has ended the loop below: here one path is simply shorter.
      if (a !== undefined || b !== undefined) return false
      break
    }
    if (a.kind === 'rest' || b.kind === 'rest') {
      if (a.kind !== 'rest') otherIsWider = true
      if (b.kind !== 'rest') oneIsWider = true
      break
    }
    if (a.kind === 'literal' && b.kind === 'literal') {
      if (a.text !== b.text) return false
    } else if (a.kind === 'literal') otherIsWider = true
    else if (b.kind === 'literal') oneIsWider = true
  }
  return oneIsWider === otherIsWider
}
