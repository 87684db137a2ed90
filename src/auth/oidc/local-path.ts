import { authLimits } from '../../base/limits/auth.js'

/** Printable ASCII that begins with a single slash; browsers read a backslash as a slash. */
const shape = /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/
const unclear = /[\\\p{Cc}\p{Zs}]/u

/**
 * Tells whether a text is a path of this host that a browser may be sent to: one that no browser takes for another
 * host's, before and after its percent signs are resolved.
 */
export function isLocalPath(text: string): boolean {
  if (text.length > authLimits.redirectCharactersMax || !shape.test(text)) return false
  const decoded = decode(text.split(/[?#]/, 1)[0] ?? '')
  if (decoded === undefined || unclear.test(decoded) || decoded.startsWith('//')) return false
  // What dot segments lead to may begin with two slashes.
  const base = 'http://local.invalid'
  const { origin, pathname } = new URL(text, base)
  return origin === base && !pathname.startsWith('//')
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
