import { messageOf } from '../base/errors.js'
import { pathPatternLimits } from '../base/limits/gateway.js'
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
  const groups = groupSegments(segments)
  return (path) => path.startsWith('/') && matchesGroups(path.slice(1).split('/'), groups)
}

/** Tells whether one segment of a path is meant. */
type SegmentMatcher = (segment: string) => boolean

/** Segments that follow each other; any number of others may be between one group and the next. */
type Group = readonly SegmentMatcher[]

function groupSegments(segments: readonly string[]): readonly Group[] {
  const groups: SegmentMatcher[][] = [[]]
  for (const segment of segments) {
    if (segment === anySegments) groups.push([])
    else groups.at(-1)?.push(compileSegment(segment))
  }
  return groups
}

/** The first group stands at the start, the last at the end, each of the others as early as it can. */
function matchesGroups(path: readonly string[], groups: readonly Group[]): boolean {
  const first = groups[0] as Group
  if (groups.length === 1) return path.length === first.length && isAt(path, 0, first)
  const last = groups.at(-1) as Group
  const end = path.length - last.length
  if (end < first.length || !isAt(path, 0, first) || !isAt(path, end, last)) return false
  let from = first.length
  for (const group of groups.slice(1, -1)) {
    while (from + group.length <= end && !isAt(path, from, group)) from += 1
    from += group.length
    if (from > end) return false
  }
  return true
}

function isAt(path: readonly string[], from: number, group: Group): boolean {
  for (let at = 0; at < group.length; at += 1) {
    if (!(group[at] as SegmentMatcher)(path[from + at] as string)) return false
  }
  return true
}

/** What is between the stars is looked for by the engine itself: a segment is as long as a client makes it. */
function compileSegment(glob: string): SegmentMatcher {
  if (!glob.includes(marksGlob)) return (segment) => segment === glob
  if (glob === marksGlob) return (segment) => segment !== ''
  const pieces = glob.split(marksGlob)
  const first = pieces[0] as string
  const last = pieces.at(-1) as string
  const middle = pieces.slice(1, -1).filter((piece) => piece !== '')
  return (segment) => {
    const end = segment.length - last.length
    if (end < first.length || !segment.startsWith(first) || !segment.endsWith(last)) return false
    let from = first.length
    for (const piece of middle) {
      const at = segment.indexOf(piece, from)
      if (at === -1) return false
      from = at + piece.length
    }
    return from <= end
  }
}
