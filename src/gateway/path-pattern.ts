import { messageOf } from '../base/errors.js'
import { pathPatternLimits } from '../base/gateway-limits.js'
import { pathPatternInvalid } from './errors.js'

/** Tells whether a path, as `Exchange.path` has it, is meant. */
export type PathMatcher = (path: string) => boolean

const marksRegex = /[$^()[\]{}|\\+?]|\.[*+]/
const marksGlob = '*'

/**
 * Compiles one entry of a list of paths. It always stands for whole paths: `/health` is neither `/healthz` nor
 * `/x/health`.
 *
 * An entry with one of `^$()[]{}|\+?`, or with `.*`, is a regular expression; as it can be slow on purpose, take such
 * entries from operators only and see `isRegexEntry`. Any other entry is a glob, matched in time that grows with the
 * length of the path times that of the entry: `*` is one segment or a part of one, `**` as a whole segment is any
 * number of them, so that `/a/**` is `/a` as well.
 *
 * @throws `GATEWAY_PATH_PATTERN_INVALID` for an entry that is no valid regular expression, has more than
 *   `pathPatternLimits.entryCharactersMax` characters, or is a glob that does not start with a slash.
 */
export function compilePath(entry: string): PathMatcher {
  if (entry.length > pathPatternLimits.entryCharactersMax) {
    throw pathPatternInvalid({
      entry: `${entry.slice(0, 40)}…`,
      problem: `it has ${entry.length} characters, and the limit is ${pathPatternLimits.entryCharactersMax}`,
    })
  }
  if (isRegexEntry(entry)) return compileRegex(entry)
  if (!entry.startsWith('/')) throw pathPatternInvalid({ entry, problem: 'it does not start with "/"' })
  return entry.includes(marksGlob) ? compileGlob(entry) : (path) => path === entry
}

/**
 * Compiles a list of entries to one matcher of the paths that at least one of them means; an empty list means none.
 *
 * @throws `GATEWAY_PATH_PATTERN_INVALID` naming the first entry that cannot be used.
 */
export function compilePaths(entries: readonly string[]): PathMatcher {
  const literals = new Set<string>()
  const patterns: PathMatcher[] = []
  for (const entry of entries) {
    const matcher = compilePath(entry)
    if (isRegexEntry(entry) || entry.includes(marksGlob)) patterns.push(matcher)
    else literals.add(entry)
  }
  if (patterns.length === 0) return (path) => literals.has(path)
  return (path) => literals.has(path) || patterns.some((matches) => matches(path))
}

/** Tells whether an entry is read as a regular expression. */
export function isRegexEntry(entry: string): boolean {
  return marksRegex.test(entry)
}

function compileRegex(entry: string): PathMatcher {
  try {
    // By itself first: "a)|(b" is valid between the parentheses that anchor it, and anchored no longer.
    new RegExp(entry)
    // A path can have line feeds in it, as %0A: they must not lead it past an entry with a dot.
    const whole = new RegExp(`^(?:${entry})$`, 's')
    return (path) => whole.test(path)
  } catch (error) {
    throw pathPatternInvalid({ entry, problem: messageOf(error) })
  }
}

const anySegments = '**'

function compileGlob(entry: string): PathMatcher {
  const segments = entry.slice(1).split('/')
  const loose = segments.find((segment) => segment !== anySegments && segment.includes(anySegments))
  if (loose !== undefined) {
    throw pathPatternInvalid({ entry, problem: `"**" is only a part of the segment "${loose}"` })
  }
  const head = entry.slice(0, -(anySegments.length + 1))
  if (entry.endsWith(`/${anySegments}`) && !head.includes(marksGlob)) {
    return (path) => path.startsWith(head) && (path.length === head.length || path[head.length] === '/')
  }
  return (path) => path.startsWith('/') && matchesSegments(path.slice(1).split('/'), segments)
}

function matchesSegments(path: readonly string[], glob: readonly string[]): boolean {
  return matchesWildcards(path, glob, (segment) => segment === anySegments, matchesSegment)
}

function matchesSegment(segment: string, glob: string): boolean {
  if (!glob.includes(marksGlob)) return segment === glob
  if (glob === marksGlob) return segment !== ''
  return matchesWildcards(segment, glob, isStar, isSame)
}

function isStar(character: string): boolean {
  return character === marksGlob
}

function isSame(a: string, b: string): boolean {
  return a === b
}

/**
 * Matches items with a row of patterns, of which wildcards stand for any number of items. It goes back to the last
 * wildcard only, as an earlier one can take nothing that the last one cannot.
 */
function matchesWildcards(
  items: ArrayLike<string>,
  patterns: ArrayLike<string>,
  isWildcard: (pattern: string) => boolean,
  matches: (item: string, pattern: string) => boolean,
): boolean {
  let item = 0
  let pattern = 0
  let wildcard = -1
  let resume = 0
  while (item < items.length) {
    const next = patterns[pattern]
    if (next !== undefined && isWildcard(next)) {
      wildcard = pattern
      resume = item
      pattern += 1
    } else if (next !== undefined && matches(items[item] as string, next)) {
      item += 1
      pattern += 1
    } else if (wildcard >= 0) {
      resume += 1
      item = resume
      pattern = wildcard + 1
    } else {
      return false
    }
  }
  while (pattern < patterns.length && isWildcard(patterns[pattern] as string)) pattern += 1
  return pattern === patterns.length
}
