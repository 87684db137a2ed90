import { apiKeyPrefix } from './api-key.js'

/** By which names requests carry credentials of the host. */
export interface CredentialNames {
  /** Of the cookie of sessions. */
  readonly cookie: string
  /** Of the header of sessions, in small letters. */
  readonly header: string
  /** Whether passwords of users of the host are sent as HTTP Basic. */
  readonly takesBasic: boolean
  /** Tells whether a bearer token is the admin token; none is when missing. */
  readonly isAdminToken?: (token: string) => boolean
}

/** Beginning of the names of cookies that carry a sign-in which has been begun. */
export const signInCookieName = 'modulacms_signin'

const bearerCredential = /^\s*bearer(?:\s|$)/i
const ownBearer = new RegExp(`^\\s*bearer\\s+${apiKeyPrefix}`, 'i')
const bearerToken = /^\s*bearer +(\S+)\s*$/i
const basicCredential = /^\s*basic(?:\s|$)/i

/** Leaves credentials of the host out of what goes to plugins and to other servers. */
export class CredentialFilter {
  readonly #names: CredentialNames
  /** Also under the prefixes that browsers give a meaning to. */
  readonly #cookie: RegExp
  readonly #mention: RegExp

  constructor(names: CredentialNames) {
    this.#names = names
    this.#cookie = new RegExp(`^(?:__(?:host|secure)-)?(?:${names.cookie}|${signInCookieName}_[\\w-]*)$`, 'i')
    this.#mention = new RegExp(`${names.cookie}|${signInCookieName}`, 'i')
    // Handed on as functions.
    this.strip = this.strip.bind(this)
    this.setsHostCookie = this.setsHostCookie.bind(this)
  }

  /**
   * Leaves the caller's own credentials out of headers: bearer tokens in `Authorization` and `Proxy-Authorization`, API
   * keys of the host, and its sessions in cookie and header. Other schemes, keys and cookies stay.
   *
   * @param rawHeaders Names and values in turns, as `IncomingMessage.rawHeaders` has them; not changed.
   * @returns The same array when there is nothing to leave out.
   */
  strip(rawHeaders: readonly string[]): readonly string[] {
    let kept: string[] | undefined
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
      const name = rawHeaders[i] ?? ''
      const value = rawHeaders[i + 1] ?? ''
      const clean = this.clean(name, value)
      if (clean !== value) kept ??= rawHeaders.slice(0, i)
      if (kept && clean !== undefined) kept.push(name, clean)
    }
    return kept ?? rawHeaders
  }

  /** The same for those who check credentials of their own: they get tokens that are none of the host's own. */
  stripAccounts(rawHeaders: readonly string[]): readonly string[] {
    const kept: string[] = []
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
      const name = rawHeaders[i] ?? ''
      const value = rawHeaders[i + 1] ?? ''
      const isToken = name.toLowerCase() === 'authorization' && bearerCredential.test(value)
      const clean = isToken && !this.isOwnToken(value) ? value : this.clean(name, value)
      if (clean !== undefined) kept.push(name, clean)
    }
    return kept
  }

  /** Tells whether an `Authorization` is one of the host's keys, whether it opens anything or not, or the admin token. */
  isOwnToken(value: string): boolean {
    if (ownBearer.test(value)) return true
    const token = bearerToken.exec(value)?.[1]
    return token !== undefined && this.#names.isAdminToken?.(token) === true
  }

  /** Gives the value of a header that may be passed on; undefined when the header has to go. */
  clean(name: string, value: string): string | undefined {
    // Most headers are told apart by their length alone.
    switch (name.length) {
      case 'cookie'.length:
        if (name.toLowerCase() === 'cookie') return this.#withoutHostCookie(value)
        break
      case 'x-api-key'.length:
        if (name.toLowerCase() === 'x-api-key') return isOwnKey(value) ? undefined : value
        break
      case 'authorization'.length:
        if (name.toLowerCase() === 'authorization') return this.#withoutToken(value)
        break
      case 'proxy-authorization'.length:
        if (name.toLowerCase() === 'proxy-authorization') return this.#withoutToken(value)
        break
    }
    const { header } = this.#names
    return name.length === header.length && name.toLowerCase() === header ? undefined : value
  }

  /** Tells whether a `Set-Cookie` is one of the session of the host, which only the host itself may set. */
  setsHostCookie(value: string): boolean {
    if (!this.#mention.test(value)) return false
    // Browsers send a cookie without a name as its value alone: "=name=value" comes back as "name=value".
    const named = value.replace(/^\s*=/, '')
    return this.#cookie.test((named.split(/[=;]/, 1)[0] ?? '').trim())
  }

  #withoutToken(value: string): string | undefined {
    if (bearerCredential.test(value)) return undefined
    return this.#names.takesBasic && basicCredential.test(value) ? undefined : value
  }

  #withoutHostCookie(value: string): string | undefined {
    if (!this.#mention.test(value)) return value
    const pairs = value.split(';')
    const others = pairs.filter((pair) => !this.#cookie.test((pair.split('=', 1)[0] ?? '').trim()))
    if (others.length === pairs.length) return value
    const text = others.join(';').trim()
    return text === '' ? undefined : text
  }
}

/** By the names that credentials have where the configuration says nothing else. */
export const usualCredentials = new CredentialFilter({
  cookie: 'modulacms_session',
  header: 'x-session-id',
  takesBasic: false,
})

function isOwnKey(value: string): boolean {
  return value.trimStart().startsWith(apiKeyPrefix)
}
