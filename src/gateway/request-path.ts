/**
 * Reads the path of a request target as the router reads it: percent signs are resolved except those of reserved
 * characters, so an encoded slash stays encoded. What cannot be decoded is given back as it is: the router refuses it.
 */
export function routedPath(url: string): string {
  const end = url.search(/[?#]/)
  const path = end === -1 ? url : url.slice(0, end)
  if (!path.includes('%')) return path
  try {
    return decodeURI(path.replaceAll('%25', '%2525'))
  } catch {
    return path
  }
}

const looselyRead = /%2f|;|\/\/|.\/$/i

/**
 * Reads a path as servers may that decode slashes, leave parameters out of segments, join slashes and do not
 * look at one at the end: a rule that guards a path must hold for these spellings of it, too.
 *
 * @param path What `routedPath` gave; most are given back as they are.
 */
export function looseReading(path: string): string {
  if (!looselyRead.test(path)) return path
  return path
    .replace(/;[^/]*/g, '')
    .replace(/%2f/gi, '/')
    .replace(/\/{2,}/g, '/')
    .replace(/(.)\/$/, '$1')
}

/** Tells whether a path is a prefix, or stands below it: `/api` has `/api` and `/api/x`, and not `/apix`. */
export function isBelow(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/')
}

/** The query of a request target, without the question mark. */
export function rawQuery(url: string): string {
  const at = url.indexOf('?')
  return at === -1 ? '' : url.slice(at + 1)
}

const rawUnusual = /[\\#]/
// With parameters behind a semicolon, which some servers take out before they read the segment.
const dotSegment = /^(?:\.|%2e){1,2}(?:;.*)?$/i

/**
 * Tells whether a request target says where it leads in a way that others may read differently: dot segments, however
 * their dots are written and whatever parameters they have, backslashes, a fragment, or no path at all. Encoded slashes, backslashes and control
 * characters are no part of the structure; what they mean inside a parameter is the matter of the route.
 */
export function isAmbiguousTarget(url: string): boolean {
  const end = url.indexOf('?')
  const path = end === -1 ? url : url.slice(0, end)
  if (!path.startsWith('/') || rawUnusual.test(path)) return true
  if (!path.includes('/.') && !path.includes('/%2')) return false
  return path.split('/').some((segment) => dotSegment.test(segment))
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these must not be in a path.
const unusual = /[\u0000-\u001f\u007f\\]|(?:^|\/|%2f|%5c)(?:\.|%2e){1,2}(?:[;/]|%2f|%5c|$)/i

/**
 * Tells whether a path becomes another one for a server that decodes more of it than we do: beside what
 * `isAmbiguousTarget` says, encoded slashes around dots, also where they are encoded twice, encoded backslashes and
 * control characters, and what cannot be decoded.
 */
export function isAmbiguousElsewhere(url: string): boolean {
  if (isAmbiguousTarget(url)) return true
  const end = url.indexOf('?')
  const path = end === -1 ? url : url.slice(0, end)
  try {
    return unusual.test(decodeURIComponent(path))
  } catch {
    return true
  }
}
