import { looseReading } from '../gateway/request-path.js'

/** A rule of the configuration: who may send requests with these methods to these paths. */
export interface PathRule {
  /** Written as `parsePathGlob` takes them. */
  readonly paths: readonly string[]
  /** All when missing; `GET` is `HEAD` as well. */
  readonly methods?: readonly string[] | undefined
}

/** Segments of a glob; `*` and `**` as they are written. */
type Glob = readonly string[]

const oneSegment = '*'
const anySegments = '**'

/**
 * Reads a pattern of paths: `*` is one segment that is not empty, `**` any number of segments, everything else itself.
 *
 * @throws Error that says what is wrong with it.
 */
export function parsePathGlob(pattern: string): Glob {
  if (!pattern.startsWith('/')) throw new Error('it does not start with "/"')
  if (/[?#\\]|%2f|%5c/i.test(pattern)) throw new Error('it has a character that no path of a rule has')
  if (looseReading(pattern) !== pattern) {
    throw new Error('write it without "//", without ";" and without a slash at its end')
  }
  const segments = pattern === '/' ? [] : pattern.slice(1).split('/')
  const odd = segments.find((each) => each.includes('*') && each !== oneSegment && each !== anySegments)
  if (odd !== undefined) {
    throw new Error(`"*" stands for a whole segment, and is only a part of "${odd}"`)
  }
  if (segments.some((each) => each === '.' || each === '..')) throw new Error('it has dot segments')
  return segments
}

/** A rule that is ready to be asked. */
interface Compiled<Rule> {
  readonly rule: Rule
  readonly globs: readonly Glob[]
  readonly foldedGlobs: readonly Glob[]
  readonly methods: ReadonlySet<string> | undefined
}

/** `ambiguous` where servers could read the path in a way for which another rule holds. */
export type RuleMatch<Rule> = { readonly rule: Rule | undefined } | 'ambiguous'

/** A path as servers may read it, and the rule that holds for it then. */
export interface PathReading<Rule> {
  /** As the router reads it, without what some servers leave out, or without telling capital letters from small ones. */
  readonly as: 'sent' | 'simplified' | 'any-case'
  readonly path: string
  readonly rule: Rule | undefined
}

/** A rule that no request comes to. */
export interface ShadowedRule<Rule> {
  readonly rule: Rule
  /** The earlier rules that hold for its paths. */
  readonly by: readonly Rule[]
}

/** Rules in their order: the first one that holds for a request decides alone. */
export class PathRules<Rule extends PathRule> {
  readonly #rules: readonly Compiled<Rule>[]

  /** @throws Error for a pattern that cannot be read. */
  constructor(rules: readonly Rule[]) {
    this.#rules = rules.map(compile)
  }

  /**
   * Finds the rule for a request. Servers may join slashes, decode them, leave parameters out of segments, or not tell
   * capital letters from small ones: where one of these readings comes to another rule, the path is ambiguous.
   *
   * @param path As the router reads it.
   */
  find(method: string, path: string): RuleMatch<Rule> {
    if (this.#rules.length === 0) return { rule: undefined }
    const exact = segmentsOf(path)
    const found = this.#first(method, exact, false)
    const loosePath = looseReading(path)
    if (loosePath !== path && this.#first(method, segmentsOf(loosePath), false) !== found) return 'ambiguous'
    const folded = segmentsOf(loosePath.toLowerCase())
    if (this.#first(method, folded, true) !== found) return 'ambiguous'
    return { rule: found }
  }

  /**
   * Tells rule by rule what servers may take a path for, for operators; `find` says what comes of it.
   *
   * @param path As the router reads it.
   */
  readings(method: string, path: string): readonly PathReading<Rule>[] {
    const loosePath = looseReading(path)
    const folded = loosePath.toLowerCase()
    return [
      { as: 'sent', path, rule: this.#first(method, segmentsOf(path), false) },
      ...(loosePath === path
        ? []
        : [
            {
              as: 'simplified' as const,
              path: loosePath,
              rule: this.#first(method, segmentsOf(loosePath), false),
            },
          ]),
      { as: 'any-case', path: folded, rule: this.#first(method, segmentsOf(folded), true) },
    ]
  }

  /** Rules that no request comes to, with the earlier ones that hold for all of their paths and methods. */
  shadowed(): readonly ShadowedRule<Rule>[] {
    return this.#rules.flatMap((rule, at) => {
      const earlier = this.#rules.slice(0, at).filter((other) => coversMethods(other, rule))
      const covering = rule.globs.map((glob) =>
        earlier.find(({ globs }) => globs.some((other) => covers(other, glob))),
      )
      const by = covering.filter((each) => each !== undefined)
      if (by.length < covering.length) return []
      return [{ rule: rule.rule, by: [...new Set(by)].map((each) => each.rule) }]
    })
  }

  #first(method: string, path: readonly string[], isFolded: boolean): Rule | undefined {
    for (const { rule, globs, foldedGlobs, methods } of this.#rules) {
      if (methods !== undefined && !methods.has(method)) continue
      if ((isFolded ? foldedGlobs : globs).some((glob) => matches(glob, path))) return rule
    }
    return undefined
  }
}

function compile<Rule extends PathRule>(rule: Rule): Compiled<Rule> {
  const methods = rule.methods?.map((method) => method.toUpperCase())
  return {
    rule,
    globs: rule.paths.map(parsePathGlob),
    foldedGlobs: rule.paths.map((path) => parsePathGlob(path.toLowerCase())),
    methods: methods && new Set(methods.includes('GET') ? [...methods, 'HEAD'] : methods),
  }
}

function segmentsOf(path: string): readonly string[] {
  return path === '/' ? [] : path.slice(1).split('/')
}

/** Goes back to the last `**` only, so the time is at most the length of the glob times that of the path. */
function matches(glob: Glob, path: readonly string[]): boolean {
  let at = 0
  let segment = 0
  let star = -1
  let starSegment = 0
  while (segment < path.length) {
    const wanted = glob[at]
    if (wanted === anySegments) {
      star = at
      starSegment = segment
      at += 1
    } else if (
      wanted !== undefined &&
      (wanted === oneSegment ? path[segment] !== '' : wanted === path[segment])
    ) {
      at += 1
      segment += 1
    } else if (star === -1) return false
    else {
      at = star + 1
      starSegment += 1
      segment = starSegment
    }
  }
  while (glob[at] === anySegments) at += 1
  return at === glob.length
}

function coversMethods<Rule>(earlier: Compiled<Rule>, { methods }: Compiled<Rule>): boolean {
  if (earlier.methods === undefined) return true
  return methods !== undefined && [...methods].every((method) => earlier.methods?.has(method) === true)
}

/** Tells whether all paths of one glob are paths of another; a false where that is hard to see costs a warning only. */
function covers(wide: Glob, narrow: Glob): boolean {
  const [first, ...rest] = wide
  if (first === undefined) return narrow.length === 0
  if (first === anySegments) {
    return covers(rest, narrow) || (narrow.length > 0 && covers(wide, narrow.slice(1)))
  }
  const [own, ...ownRest] = narrow
  if (own === undefined || own === anySegments) return false
  return (first === own || first === oneSegment) && covers(rest, ownRest)
}
