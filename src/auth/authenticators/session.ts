import { identityOfUser, type RoleLookup } from '../../identity/account-identity.js'
import type { SessionStore } from '../../identity/session-store.js'
import {
  type Authenticator,
  type AuthFailure,
  type AuthFault,
  type AuthOutcome,
  type AuthRequest,
  noCredential,
} from '../authenticator.js'
import { forgeryFault } from '../csrf.js'
import type { SentSession, SessionCookies } from '../session-cookie.js'

/** Name of the authenticator that knows sessions. */
export const sessionName = 'session'

export interface SessionAuthenticatorOptions {
  readonly sessions: Pick<SessionStore, 'find'>
  readonly roles: RoleLookup
  readonly cookies: SessionCookies
  /** Where people sign in: a cookie says nothing there, so that one from before keeps nobody out. */
  isLogin(path: string): boolean
}

/** Knows those who have signed in, by the cookie of their browser or a header. */
export class SessionAuthenticator implements Authenticator {
  readonly name = sessionName
  readonly #options: SessionAuthenticatorOptions

  constructor(options: SessionAuthenticatorOptions) {
    this.#options = options
  }

  describe(): Readonly<Record<string, unknown>> {
    const { cookie, header } = this.#options.cookies
    return { type: 'session', cookie, header }
  }

  authenticate(request: AuthRequest): AuthOutcome | Promise<AuthOutcome> {
    const { cookies, isLogin } = this.#options
    const sent = cookies.read(request)
    if (sent.kind === 'none') return noCredential
    if (sent.by === 'cookie' && isLogin(request.path)) return noCredential
    return sent.kind === 'unusable'
      ? this.#refuse('invalid', sent.problem, sent, request)
      : this.#find(sent, request)
  }

  async #find(sent: SentSession & { kind: 'token' }, request: AuthRequest): Promise<AuthOutcome> {
    const { sessions, roles } = this.#options
    const found = await sessions.find(sent.token)
    if (found.kind === 'expired') return this.#refuse('expired', 'This session is over.', sent, request)
    if (found.kind === 'unknown') return this.#refuse('invalid', 'There is no such session.', sent, request)
    const forgery = sent.by === 'cookie' ? forgeryFault(request, sent.token) : undefined
    if (forgery !== undefined) return { kind: 'fail', fault: 'csrf', message: forgery }
    return { kind: 'identity', identity: await identityOfUser(found.user, this.name, roles) }
  }

  /** A browser goes on sending a cookie that is over, so that it is taken from it. */
  #refuse(
    fault: AuthFault,
    message: string,
    { by }: Exclude<SentSession, { kind: 'none' }>,
    { headers, site }: AuthRequest,
  ): AuthFailure {
    if (by === 'header') return { kind: 'fail', fault, message }
    // Who sends something else on purpose wants to know that it did not count.
    const isAmbient = headers.authorization === undefined && headers['x-api-key'] === undefined
    const cleared = this.#options.cookies.clear(site).flatMap((cookie) => ['set-cookie', cookie])
    return { kind: 'fail', fault, message, isAmbient, headers: cleared }
  }
}
