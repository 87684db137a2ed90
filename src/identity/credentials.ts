/** Name of the cookie that carries a session of the host. */
export const sessionCookieName = 'modulacms_session'

/** Beginning of the names of cookies that carry a sign-in which has been begun. */
export const signInCookieName = 'modulacms_signin'

/** Also under the prefixes that browsers give a meaning to. */
const hostCookie = new RegExp(
  `^(?:__(?:host|secure)-)?(?:${sessionCookieName}|${signInCookieName}_[\\w-]*)$`,
  'i',
)
const mentionsHostCookie = new RegExp(`${sessionCookieName}|${signInCookieName}`, 'i')
const bearerCredential = /^\s*bearer(?:\s|$)/i

/**
 * Leaves the caller's own credentials out of headers that go to a plugin: bearer tokens in `Authorization` and
 * `Proxy-Authorization`, and the session cookie of the host. Other schemes and cookies stay.
 *
 * @param rawHeaders Names and values in turns, as `IncomingMessage.rawHeaders` has them; not changed.
 * @returns The same array when there is nothing to leave out.
 */
export function stripCredentials(rawHeaders: readonly string[]): readonly string[] {
  let kept: string[] | undefined
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ''
    const value = rawHeaders[i + 1] ?? ''
    const clean = withoutCredential(name, value)
    if (clean !== value) kept ??= rawHeaders.slice(0, i)
    if (kept && clean !== undefined) kept.push(name, clean)
  }
  return kept ?? rawHeaders
}

/** Tells whether a `Set-Cookie` is one of the session of the host, which only the host itself may set. */
export function setsHostCookie(value: string): boolean {
  return mentionsHostCookie.test(value) && hostCookie.test((value.split(/[=;]/, 1)[0] ?? '').trim())
}

/** Gives the value that may be passed on; undefined when the header has to go. */
function withoutCredential(name: string, value: string): string | undefined {
  // Most headers are told apart by their length alone.
  switch (name.length) {
    case 'cookie'.length:
      return name.toLowerCase() === 'cookie' ? withoutHostCookie(value) : value
    case 'authorization'.length:
      return name.toLowerCase() === 'authorization' ? withoutBearer(value) : value
    case 'proxy-authorization'.length:
      return name.toLowerCase() === 'proxy-authorization' ? withoutBearer(value) : value
    default:
      return value
  }
}

function withoutBearer(value: string): string | undefined {
  return bearerCredential.test(value) ? undefined : value
}

function withoutHostCookie(value: string): string | undefined {
  if (!mentionsHostCookie.test(value)) return value
  const pairs = value.split(';')
  const others = pairs.filter((pair) => !hostCookie.test((pair.split('=', 1)[0] ?? '').trim()))
  if (others.length === pairs.length) return value
  const text = others.join(';').trim()
  return text === '' ? undefined : text
}
