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

/** The query of a request target, without the question mark. */
export function rawQuery(url: string): string {
  const at = url.indexOf('?')
  return at === -1 ? '' : url.slice(at + 1)
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these must not be in a path.
const unusual = /[\u0000-\u001f\u007f\\#]|(?:^|\/)\.{1,2}(?:\/|$)/

/**
 * Tells whether a request target can be read in two ways, by us and by a server behind us: dot segments, however they
 * are encoded, backslashes, control characters, a fragment, or no path at all.
 */
export function isAmbiguousTarget(url: string): boolean {
  const end = url.indexOf('?')
  const path = end === -1 ? url : url.slice(0, end)
  if (!path.startsWith('/')) return true
  if (!path.includes('%')) return unusual.test(path)
  try {
    return unusual.test(path) || unusual.test(decodeURIComponent(path))
  } catch {
    // Not decodable: the router answers 400.
    return false
  }
}
