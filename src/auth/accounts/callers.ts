import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Identity } from '../../identity/identity.js'
import type { Permission } from '../../identity/permissions.js'
import type { StoredUser } from '../../identity/user-row.js'
import { passwordName } from '../authenticators/password.js'
import { sessionName } from '../authenticators/session.js'
import { identityOf } from '../request-identity.js'
import type { SentSession } from '../session-cookie.js'
import { accountRequired, forbidden, unauthorized } from './errors.js'
import type { AccountsApiOptions } from './options.js'

/** Who may call an operation: anybody, anybody that is known, a user of this host, or who has a permission. */
export type Access = 'anybody' | 'known' | 'account' | Permission

/** What routes say of themselves. */
export interface RouteAccess {
  readonly access: Access
}

/** Finds out who calls, and lets those pass who may. */
export class Callers {
  readonly #options: AccountsApiOptions

  constructor(options: AccountsApiOptions) {
    this.#options = options
  }

  /** An `onRequest` hook: refuses before anything of a body is read. Paths that there are not take somebody known. */
  readonly check = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { access = 'known' } = request.routeOptions.config as Partial<RouteAccess>
    if (access === 'anybody') return
    const identity = identityOf(request.raw)
    if (identity.kind === 'anonymous') {
      reply.header('www-authenticate', 'Bearer')
      if (this.sentSession(request).kind !== 'none') this.clearCookies(request, reply)
      throw unauthorized()
    }
    if (access === 'known') return
    if (access === 'account') {
      if (!isAccount(identity)) throw accountRequired({ user: nameOf(identity) })
      return
    }
    if (!identity.permissions.has(access)) throw forbidden({ user: nameOf(identity), permission: access })
  }

  identityOf({ raw }: FastifyRequest): Identity {
    return identityOf(raw)
  }

  /** Gives the user who calls an operation that takes an account. */
  async accountOf(request: FastifyRequest): Promise<StoredUser> {
    const user = await this.#options.users.get(identityOf(request.raw).sub)
    if (user === undefined) throw unauthorized()
    return user
  }

  /** True for the user who calls. */
  isSelf(request: FastifyRequest, { id }: Pick<StoredUser, 'id'>): boolean {
    const identity = identityOf(request.raw)
    return isAccount(identity) && identity.sub === id
  }

  /** What a request says of its session, whether it lives or not. */
  sentSession({ raw }: FastifyRequest): SentSession {
    const { cookies, siteOf } = this.#options
    return cookies.read({ headers: raw.headers, site: siteOf(raw) })
  }

  /** Takes the session from the browser that asks. */
  clearCookies({ raw }: FastifyRequest, reply: FastifyReply): void {
    const { cookies, siteOf } = this.#options
    for (const cookie of cookies.clear(siteOf(raw))) reply.header('set-cookie', cookie)
  }
}

/** What logs and errors call somebody. */
export function nameOf({ kind, sub, name }: Identity): string {
  return kind === 'user' ? (name ?? sub) : sub
}

/** True for users of the database; those whom others vouch for may have the same ids. */
function isAccount({ kind, authenticator }: Identity): boolean {
  return kind === 'user' && (authenticator === sessionName || authenticator === passwordName)
}
