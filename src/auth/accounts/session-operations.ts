import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { clientNetwork } from '../../base/ip-address.js'
import { loginLimits } from '../../base/limits/identity.js'
import { checkNewPassword } from '../../identity/password-rules.js'
import type { OpenedSession } from '../../identity/session-store.js'
import { csrfToken } from '../../identity/session-token.js'
import type { StoredUser } from '../../identity/user-row.js'
import { passwordName } from '../authenticators/password.js'
import { crossSiteFault } from '../csrf.js'
import { loginThrottled } from '../errors.js'
import type { AccountsContext } from './context.js'
import { loginDisabled, loginForged, loginRefused, passwordWrong } from './errors.js'
import { schemaOf } from './operation-schema.js'
import {
  type LoginBody,
  loginBodySchema,
  loginResultSchema,
  logoutResultSchema,
  meResultSchema,
  type PasswordBody,
  passwordBodySchema,
  passwordResultSchema,
  sessionResultSchema,
} from './schemas.js'
import { viewIdentity, viewSession, viewUser } from './views.js'

/** Adds what people do with their own session: sign in and out, see who they are, change their password. */
export function addSessionOperations(app: FastifyInstance, context: AccountsContext): void {
  const operations = new SessionOperations(context)
  const access = (access: 'anybody' | 'known' | 'account') => ({ config: { access } as object })
  app.post<{ Body: LoginBody }>('/login', { schema: loginSchema, ...access('anybody') }, (request, reply) =>
    operations.login(request, reply, request.body),
  )
  app.post('/logout', { schema: logoutSchema, ...access('anybody') }, (request, reply) =>
    operations.logout(request, reply),
  )
  app.get('/session', { schema: sessionSchema, ...access('known') }, (request) => operations.session(request))
  app.get('/me', { schema: meSchema, ...access('known') }, (request) => operations.me(request))
  app.post<{ Body: PasswordBody }>(
    '/password',
    { schema: passwordSchema, ...access('account') },
    (request, reply) => operations.changePassword(request, reply, request.body),
  )
}

const loginSchema = schemaOf({
  operationId: 'login',
  summary: 'Sign in with a password',
  description:
    'Opens a session, and ends the one that the browser had. The answer is the same for names that nobody has. After too many failures it is 429 with Retry-After.',
  body: loginBodySchema,
  answer: loginResultSchema,
  failures: [400, 413, 415, 429, 503],
  isProtected: false,
})

const logoutSchema = schemaOf({
  operationId: 'logout',
  summary: 'Sign out',
  description:
    'Ends the session of the request and takes the cookie back. Without one it does nothing. After a sign-in at a provider the answer says where a browser goes to sign out there as well.',
  answer: logoutResultSchema,
  failures: [503],
  isProtected: false,
})

const sessionSchema = schemaOf({
  operationId: 'getSession',
  summary: 'See who sends the request, and its CSRF token',
  answer: sessionResultSchema,
  failures: [503],
})

const meSchema = schemaOf({
  operationId: 'getMe',
  summary: 'See who sends the request, and their account',
  answer: meResultSchema,
  failures: [503],
})

const passwordSchema = schemaOf({
  operationId: 'changePassword',
  summary: 'Change your own password',
  description:
    'Takes the old one. Ends all sessions and revokes all keys of yours, and gives this session anew.',
  body: passwordBodySchema,
  answer: passwordResultSchema,
  failures: [400, 413, 415, 429, 503],
})

class SessionOperations {
  readonly #context: AccountsContext

  constructor(context: AccountsContext) {
    this.#context = context
  }

  async login(request: FastifyRequest, reply: FastifyReply, { username, password, session }: LoginBody) {
    const { login, sessions, callers } = this.#context
    this.#refuseForged(request)
    if (login === undefined) throw loginDisabled()
    const byCookie = session !== 'token'
    const outcome = await login.check({ login: username, password, network: this.#networkOf(request) })
    if (outcome.kind !== 'user') {
      this.#noteRefusal(request, username, outcome.kind === 'wait' ? 'throttled' : 'refused')
      if (outcome.kind === 'refused') throw loginRefused()
      throw throttled(outcome.seconds)
    }
    const { user } = outcome
    const sent = callers.sentSession(request)
    const opened = await sessions.open({
      ...this.#newSession(request, user),
      // A program that signs in for itself leaves the browser that it lives in signed in.
      ...(sent.kind === 'token' && (byCookie || sent.by === 'header') && { replaces: sent.token }),
    })
    if (opened === undefined) {
      this.#noteRefusal(request, username, 'changed meanwhile')
      throw loginRefused()
    }
    await this.#noteLogin(request, user, opened)
    return { user: viewUser(user), ...this.#give(request, reply, opened, byCookie ? 'cookie' : 'header') }
  }

  async logout(request: FastifyRequest, reply: FastifyReply) {
    const { callers, sessions, notes } = this.#context
    this.#refuseForged(request)
    const sent = callers.sentSession(request)
    const found = sent.kind === 'token' ? await sessions.find(sent.token) : undefined
    if (sent.kind === 'token') await sessions.end(sent.token)
    callers.clearCookies(request, reply)
    if (found?.kind !== 'found') return { ok: true }
    const { id, authenticator } = found.session
    notes.note(request, { action: 'session.close', resource: { type: 'session', id } }, 'success')
    const address = await this.#context.endSessionAddress(authenticator)
    return { ok: true, ...(address !== undefined && { end_session_url: address }) }
  }

  async session(request: FastifyRequest) {
    const { callers } = this.#context
    const sent = callers.sentSession(request)
    const current = await this.#context.currentSession(request)
    return {
      identity: viewIdentity(callers.identityOf(request)),
      ...(current !== undefined && { session: viewSession(current, current.id) }),
      ...(current !== undefined &&
        sent.kind === 'token' &&
        sent.by === 'cookie' && { csrf_token: csrfToken(sent.token) }),
    }
  }

  async me(request: FastifyRequest) {
    const { callers, users } = this.#context
    const identity = callers.identityOf(request)
    const user = await users.get(identity.sub)
    const isOwn = user !== undefined && callers.isSelf(request, user)
    return { identity: viewIdentity(identity), ...(isOwn && { user: viewUser(user) }) }
  }

  async changePassword(request: FastifyRequest, reply: FastifyReply, body: PasswordBody) {
    const { callers, notes, login, hasher, users, sessions } = this.#context
    if (login === undefined) throw loginDisabled()
    const user = await callers.accountOf(request)
    const deed = { action: 'user.password', resource: { type: 'user', id: user.id } }
    return notes.run(request, deed, async () => {
      const network = this.#networkOf(request)
      const outcome = await login.check({ login: user.username, password: body.old_password, network })
      if (outcome.kind === 'wait') throw throttled(outcome.seconds)
      if (outcome.kind === 'refused' || outcome.user.id !== user.id) throw passwordWrong()
      checkNewPassword(body.new_password, [user.username, user.email, user.name])
      const changed = await users.changePassword(outcome.user, await hasher.hash(body.new_password))
      // Another password counts since the old one was checked, e.g. that of an admin who shuts a thief out.
      if (changed === undefined) throw passwordWrong()
      const sent = callers.sentSession(request)
      if (sent.kind !== 'token') return { ok: true }
      const opened = await sessions.open({ ...this.#newSession(request, changed), replaces: sent.token })
      return { ok: true, ...(opened !== undefined && this.#give(request, reply, opened, sent.by)) }
    })
  }

  /** A page of another site must not sign somebody in as whom it likes, nor out. */
  #refuseForged({ raw }: FastifyRequest): void {
    const reason = crossSiteFault({ headers: raw.headers, site: this.#context.siteOf(raw) })
    if (reason !== undefined) throw loginForged({ reason })
  }

  #newSession(request: FastifyRequest, user: StoredUser) {
    const userAgent = request.headers['user-agent']
    return { user, authenticator: passwordName, ip: this.#context.clientIp(request), userAgent }
  }

  #give(
    { raw }: FastifyRequest,
    reply: FastifyReply,
    { token, session }: OpenedSession,
    by: 'cookie' | 'header',
  ): object {
    const { cookies, siteOf } = this.#context
    const view = viewSession(session, session.id)
    if (by === 'header') return { session: view, token }
    reply.header('set-cookie', cookies.issue(token, siteOf(raw)))
    return { session: view, csrf_token: csrfToken(token) }
  }

  async #noteLogin(request: FastifyRequest, user: StoredUser, { session }: OpenedSession): Promise<void> {
    const { users, notes, log } = this.#context
    const details = { method: 'password', username: user.username }
    const deed = { action: 'session.open', resource: { type: 'session', id: session.id }, details }
    notes.note(request, deed, 'success', {
      kind: 'user',
      id: user.id,
      name: user.username,
      tenant: user.tenant,
    })
    try {
      await users.noteLogin(user.id)
    } catch (error) {
      log.warn({ err: error, request_id: request.id }, 'it could not be noted that somebody has signed in')
    }
  }

  /** What was tried may be a password in the wrong field, so that little of it is kept. */
  #noteRefusal(request: FastifyRequest, username: string, reason: string): void {
    const details = {
      method: 'password',
      reason,
      username: username.slice(0, loginLimits.recordedCharactersMax),
    }
    this.#context.notes.note(
      request,
      { action: 'session.open', resource: { type: 'session' }, details },
      'failure',
    )
  }

  #networkOf(request: FastifyRequest): string {
    return clientNetwork(this.#context.clientIp(request))
  }
}

function throttled(seconds: number): Error {
  return loginThrottled({ seconds }, { retryAfterSeconds: seconds })
}
