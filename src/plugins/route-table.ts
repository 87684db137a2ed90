import { parseRoutePattern, type RouteSegment } from '../capabilities/http/route-pattern.js'
import type { RouteDeclaration } from '../capabilities/http/route-rules.js'

/** A route of a generation with its approval. */
export interface ServedRoute extends RouteDeclaration {
  /** A route that is not approved answers like one that does not exist. */
  readonly approved: boolean
}

/** What a request was matched to. */
export interface RouteMatch {
  readonly route: ServedRoute
  /** Decoded path parameters, without a prototype; parameters without text are absent. */
  readonly params: Readonly<Record<string, string>>
  /** Decoded path behind the prefix of the plugin. */
  readonly path: string
}

interface TrieNode {
  readonly literals: Map<string, TrieNode>
  param: TrieNode | undefined
  /** Ends here. */
  leaf: Leaf | undefined
  /** Ends in a rest that starts here. */
  rest: Leaf | undefined
}

interface Leaf {
  readonly route: ServedRoute
  /** Names of the parameters in the order of the path; the last may be empty, for a final slash. */
  readonly names: readonly string[]
}

interface MethodRoutes {
  /** Matches of the paths without parameters, ready to be given out. */
  readonly literals: Map<string, RouteMatch>
  readonly root: TrieNode
}

const noParams: Readonly<Record<string, string>> = Object.freeze(Object.create(null))

/** Raw paths have printable ASCII only; a fragment or a backslash has no place in one. */
const unusualCharacter = /[^\x21-\x7e]|[#\\]/

/** The routes of one plugin, for look-up. A value: a change of an approval makes another table. */
export class RouteTable {
  readonly routes: readonly ServedRoute[]
  readonly #methods = new Map<string, MethodRoutes>()

  private constructor(routes: readonly ServedRoute[]) {
    this.routes = routes
    for (const route of routes) this.#add(route)
    const get = this.#methods.get('GET')
    if (get !== undefined) this.#methods.set('HEAD', get)
  }

  /**
   * Creates a table. The routes must have passed the checks of `http.handle`.
   *
   * @throws Error when a path has no meaning.
   */
  static create(routes: readonly ServedRoute[]): RouteTable {
    return new RouteTable([...routes])
  }

  /**
   * Finds the most specific route for a request.
   *
   * @param method Method of the request; HEAD finds GET routes.
   * @param rawPath Path behind `/api/v1/plugins/<name>`, as it was sent, without the query.
   * @returns undefined when no route matches, and for paths that could be read in two ways: broken percent
   *   signs, NUL, `.` and `..` segments, empty segments.
   */
  find(method: string, rawPath: string): RouteMatch | undefined {
    const routes = this.#methods.get(method)
    if (routes === undefined) return undefined
    const literal = routes.literals.get(rawPath)
    if (literal !== undefined) return literal
    const segments = splitPath(rawPath)
    if (segments === undefined) return undefined
    const values: string[] = []
    const leaf = descend(routes.root, segments, 0, values)
    if (leaf === undefined) return undefined
    const path = rawPath.includes('%') ? `/${segments.join('/')}` : rawPath
    return { route: leaf.route, params: paramsOf(leaf.names, values), path }
  }

  #add(route: ServedRoute): void {
    const parsed = parseRoutePattern(route.path)
    if (!parsed.ok) throw new Error(`invalid route path "${route.path}": ${parsed.reason}`)
    let routes = this.#methods.get(route.method)
    if (routes === undefined) {
      routes = { literals: new Map(), root: createNode() }
      this.#methods.set(route.method, routes)
    }
    if (parsed.segments.every(({ kind }) => kind === 'literal')) {
      routes.literals.set(route.path, { route, params: noParams, path: route.path })
    }
    insert(routes.root, parsed.segments, route)
  }
}

function createNode(): TrieNode {
  return { literals: new Map(), param: undefined, leaf: undefined, rest: undefined }
}

function insert(root: TrieNode, segments: readonly RouteSegment[], route: ServedRoute): void {
  const names = segments.flatMap((segment) => (segment.kind === 'literal' ? [] : [segment.name]))
  let node = root
  for (const segment of segments) {
    if (segment.kind === 'rest') {
      node.rest = { route, names }
      return
    }
    node = segment.kind === 'literal' ? literalChild(node, segment.text) : paramChild(node)
  }
  node.leaf = { route, names }
}

function literalChild(node: TrieNode, text: string): TrieNode {
  const existing = node.literals.get(text)
  if (existing !== undefined) return existing
  const child = createNode()
  node.literals.set(text, child)
  return child
}

function paramChild(node: TrieNode): TrieNode {
  node.param ??= createNode()
  return node.param
}

/** Walks down from the most specific choice to the least, and steps back where a choice leads nowhere. */
function descend(
  node: TrieNode,
  segments: readonly string[],
  index: number,
  values: string[],
): Leaf | undefined {
  const segment = segments[index]
  if (segment === undefined) return node.leaf
  const literal = node.literals.get(segment)
  const found = literal && descend(literal, segments, index + 1, values)
  if (found !== undefined) return found
  if (node.param !== undefined && segment !== '') {
    values.push(segment)
    const leaf = descend(node.param, segments, index + 1, values)
    if (leaf !== undefined) return leaf
    values.pop()
  }
  if (node.rest !== undefined) values.push(segments.slice(index).join('/'))
  return node.rest
}

function paramsOf(names: readonly string[], values: readonly string[]): Readonly<Record<string, string>> {
  const params: Record<string, string> = Object.create(null)
  // Indexes rather than iterators, here and below: each request comes through.
  for (let index = 0; index < names.length; index += 1) {
    const name = names[index] ?? ''
    const value = values[index]
    if (name !== '' && value !== undefined && value !== '') params[name] = value
  }
  return params
}

/** Splits a raw path and decodes each segment; undefined for paths that match nothing. */
function splitPath(rawPath: string): readonly string[] | undefined {
  if (!rawPath.startsWith('/') || unusualCharacter.test(rawPath)) return undefined
  const segments = rawPath.slice(1).split('/')
  for (let index = 0; index < segments.length; index += 1) {
    const raw = segments[index] ?? ''
    if (raw === '' && index < segments.length - 1) return undefined
    const segment = raw.includes('%') ? decodeSegment(raw) : raw
    if (segment === undefined || isDots(segment)) return undefined
    segments[index] = segment
  }
  return segments
}

function decodeSegment(raw: string): string | undefined {
  let segment: string
  try {
    segment = decodeURIComponent(raw)
  } catch {
    return undefined
  }
  if (segment.includes('\0')) return undefined
  // An encoded slash may stand in a parameter, but it must not smuggle in what a plain one may not.
  return segment.includes('/') && segment.split('/').some(isDots) ? undefined : segment
}

function isDots(segment: string): boolean {
  return segment === '.' || segment === '..'
}
