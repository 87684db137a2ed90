import { authLimits } from '../../base/limits/auth.js'
import { signInCookieName } from '../../identity/credentials.js'

/** Characters of the state that a cookie is named by, so that sign-ins in several tabs do not end each other. */
const markCharacters = 8

/** Cookies in which browsers keep the sign-ins that they have begun. They are gone after `authLimits.oidcLoginMs`. */
export class SignInCookies {
  readonly #prefix: string
  readonly #secure: string

  /** @param isSecure Whether nobody between the browser and the host can read along. */
  constructor(isSecure: boolean) {
    // Over secure connections only the cookie counts that no other host name of the domain can have set.
    this.#prefix = isSecure ? `__Host-${signInCookieName}_` : `${signInCookieName}_`
    this.#secure = isSecure ? '; Secure' : ''
  }

  /**
   * Gives each `Set-Cookie` for a sign-in that is begun. A browser that has begun too many forgets the others.
   *
   * @param cookies The header `Cookie` of the request.
   */
  keep(state: string, kept: string, cookies: string | undefined): readonly string[] {
    const earlier = pairsOf(cookies).filter(([name]) => name.startsWith(this.#prefix))
    const forgotten = earlier.length >= authLimits.oidcPendingMax ? earlier.map(([name]) => name) : []
    const name = this.#nameFor(state)
    const set = this.#setCookie(name, kept, Math.floor(authLimits.oidcLoginMs / 1000))
    return [...forgotten.filter((each) => each !== name).map((each) => this.#setCookie(each, '', 0)), set]
  }

  /** Reads what is kept of a sign-in; undefined when there is nothing, or more than one thing. */
  read(state: string, cookies: string | undefined): string | undefined {
    const name = this.#nameFor(state)
    const values = pairsOf(cookies).flatMap(([each, value]) => (each === name ? [value] : []))
    return values.length === 1 ? values[0] : undefined
  }

  /** Gives the `Set-Cookie` that takes it away. */
  clear(state: string): string {
    return this.#setCookie(this.#nameFor(state), '', 0)
  }

  #nameFor(state: string): string {
    return `${this.#prefix}${state.slice(0, markCharacters)}`
  }

  #setCookie(name: string, value: string, seconds: number): string {
    // Lax: the provider sends the browser back, which is a step from another site.
    return `${name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${this.#secure}`
  }
}

function pairsOf(cookies: string | undefined): readonly (readonly [name: string, value: string])[] {
  if (cookies === undefined) return []
  return cookies.split(';').flatMap((pair) => {
    const at = pair.indexOf('=')
    return at < 0 ? [] : [[pair.slice(0, at).trim(), pair.slice(at + 1).trim()] as const]
  })
}
