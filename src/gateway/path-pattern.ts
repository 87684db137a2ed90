import { messageOf } from '../base/errors.js'
import { pathPatternLimits } from '../base/limits/gateway.js'
import { compilePathGlob, looseStars, type PathMatcher } from '../base/path-glob.js'
import { pathPatternInvalid } from './errors.js'

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

function compileGlob(entry: string): PathMatcher {
  const loose = looseStars(entry)
  if (loose !== undefined) {
    throw pathPatternInvalid({ entry, problem: `"**" is only a part of the segment "${loose}"` })
  }
  return compilePathGlob(entry)
}
