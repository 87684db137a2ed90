import type { ClientSite } from '../gateway/client-site.js'
import { isSessionToken } from '../identity/session-token.js'
import type { AuthRequest } from './authenticator.js'

/** How sessions are given to browsers, and taken back. */
export interface SessionCookieOptions {
  /** Name of the cookie; over secure connections with `__Host-` in front. */
  readonly cookie: string
  /** Name of the header, in lower case, for those who send no cookies. */
  readonly header: string
  /** `auto` decides by how the client reaches the host. */
  readonly secure: 'auto' | 'always' | 'never'
  readonly sameSite: 'lax' | 'strict'
  /** Time after which a browser forgets the cookie; the session may end before. */
  readonly maxAgeMs: number
}

/** What a request says of its session. */
export type SentSession =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'token'
      readonly token: string
      /** A browser sends the cookie by itself, whoever has made it send the request. */
      readonly by: 'cookie' | 'header'
    }
  /** No token of a session, or several: which of them counts is nothing that a sender may choose. */
  | { readonly kind: 'unusable'; readonly by: 'cookie' | 'header'; readonly problem: string }

/** The part of a request that its session is read from. */
export type SessionSender = Pick<AuthRequest, 'headers' | 'site'>

/** Gives sessions to browsers and reads them from requests. */
export class SessionCookies {
  readonly #options: SessionCookieOptions

  constructor(options: SessionCookieOptions) {
    this.#options = options
  }

  /** Name of the header that carries the session of those who send no cookies, in lower case. */
  get header(): string {
    return this.#options.header
  }

  /** Name of the cookie, without what is in front of it over secure connections. */
  get cookie(): string {
    return this.#options.cookie
  }

  /**
   * Reads the session of a request. The header comes before the cookie: it is sent on purpose. Over a secure connection
   * only the cookie counts that no other host name of the domain can have set.
   */
  read({ headers, site }: SessionSender): SentSession {
    const inHeader = headers[this.#options.header]
    if (inHeader !== undefined) return sentBy('header', [inHeader].flat())
    const { cookie } = headers
    if (cookie === undefined) return { kind: 'none' }
    return sentBy('cookie', valuesOf([cookie].flat().join(';'), this.#nameFor(site)))
  }

  /** Gives the `Set-Cookie` that hands a session to a browser. */
  issue(token: string, site: ClientSite): string {
    const seconds = Math.floor(this.#options.maxAgeMs / 1000)
    return this.#setCookie(this.#nameFor(site), token, seconds, this.#isSecure(site))
  }

  /** Gives each `Set-Cookie` that takes a session from a browser, also one from before the connection was secure. */
  clear(site: ClientSite): readonly string[] {
    const isSecure = this.#isSecure(site)
    const names = isSecure ? [this.#nameFor(site), this.#options.cookie] : [this.#options.cookie]
    return names.map((name) => this.#setCookie(name, '', 0, isSecure))
  }

  #setCookie(name: string, value: string, maxAgeSeconds: number, isSecure: boolean): string {
    const sameSite = this.#options.sameSite === 'strict' ? 'Strict' : 'Lax'
    const secure = isSecure ? '; Secure' : ''
    return `${name}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=${sameSite}${secure}`
  }

  #nameFor(site: ClientSite): string {
    return this.#isSecure(site) ? `__Host-${this.#options.cookie}` : this.#options.cookie
  }

  #isSecure({ isSecure }: ClientSite): boolean {
    const { secure } = this.#options
    return secure === 'auto' ? isSecure : secure === 'always'
  }
}

function sentBy(by: 'cookie' | 'header', values: readonly string[]): SentSession {
  const [token] = values
  if (token === undefined) return { kind: 'none' }
  if (values.length > 1)
    return { kind: 'unusable', by, problem: `The session is sent ${values.length} times.` }
  if (!isSessionToken(token)) return { kind: 'unusable', by, problem: 'The session that is sent is none.' }
  return { kind: 'token', token, by }
}

function valuesOf(cookies: string, name: string): readonly string[] {
  return cookies.split(';').flatMap((pair) => {
    const at = pair.indexOf('=')
    return at >= 0 && pair.slice(0, at).trim() === name ? [pair.slice(at + 1).trim()] : []
  })
}
