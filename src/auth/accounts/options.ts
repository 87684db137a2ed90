import type { FastifyRequest } from 'fastify'
import type { FailureLog } from '../../areas/area.js'
import type { FindClientSite } from '../../gateway/client-site.js'
import type { KeyStore } from '../../identity/key-store.js'
import type { PasswordLogin } from '../../identity/password-login.js'
import type { PasswordHasher } from '../../identity/passwords.js'
import type { RecordAction } from '../../identity/recorded-action.js'
import type { RoleStore } from '../../identity/role-store.js'
import type { SessionStore } from '../../identity/session-store.js'
import type { UserStore } from '../../identity/user-store.js'
import type { SessionCookies } from '../session-cookie.js'

/** Where actions and failures are written. */
export interface AccountsLog extends FailureLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** What the area is made of. */
export interface AccountsApiOptions {
  readonly users: UserStore
  readonly roles: RoleStore
  readonly keys: KeyStore
  readonly sessions: SessionStore
  readonly hasher: PasswordHasher
  /** Undefined where nobody signs in with a password. */
  readonly login: PasswordLogin | undefined
  readonly cookies: SessionCookies
  /** Tells how the sender of a request reaches the host. */
  readonly siteOf: FindClientSite
  /** Address of the client, behind trusted proxies the one that they name. */
  clientIp(request: FastifyRequest): string
  /** Gives the address at which somebody signs out at the provider that let them in; undefined when there is none. */
  endSessionAddress(authenticator: string): Promise<string | undefined>
  readonly record: RecordAction
  readonly log: AccountsLog
}
