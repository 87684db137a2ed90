import { accountsPrefix } from '../auth/accounts/accounts-api.js'
import type { Authenticator } from '../auth/authenticator.js'
import { ApiKeyAuthenticator } from '../auth/authenticators/api-key.js'
import { PasswordAuthenticator, passwordName } from '../auth/authenticators/password.js'
import { SessionAuthenticator } from '../auth/authenticators/session.js'
import { SessionCookies } from '../auth/session-cookie.js'
import { parseDuration } from '../base/durations.js'
import { credentialLimits } from '../base/limits/identity.js'
import type { Config } from '../config/schema.js'
import type { CoreDatabase } from '../database/database.js'
import type { CredentialNames } from '../identity/credentials.js'
import { KeyStore } from '../identity/key-store.js'
import { LoginThrottle } from '../identity/login-throttle.js'
import { PasswordLogin } from '../identity/password-login.js'
import { createPasswordHasher, type PasswordHasher } from '../identity/passwords.js'
import { RoleStore } from '../identity/role-store.js'
import { SessionStore } from '../identity/session-store.js'
import { UserStore } from '../identity/user-store.js'
import type { Logger } from '../telemetry/logger.js'

/** What the accounts of a host are made of. */
export interface AccountsMaterial {
  readonly config: Config
  readonly database: CoreDatabase
  readonly log: Logger
}

/** Users, roles, keys and sessions of one host, and how people sign in. */
export interface HostAccounts {
  readonly users: UserStore
  readonly roles: RoleStore
  readonly keys: KeyStore
  readonly sessions: SessionStore
  /** The one that bounds what hashing passwords costs. */
  readonly hasher: PasswordHasher
  /** Undefined where nobody signs in with a password. */
  readonly login: PasswordLogin | undefined
  readonly cookies: SessionCookies
  /** Begins to delete sessions that have ended, now and then. */
  start(): void
  /** To be called when no request is served any more, and before the database is closed. */
  close(): Promise<void>
}

/** Puts the accounts of a host together. Nothing is asked of the database yet. */
export function composeAccounts({ config, database, log }: AccountsMaterial): HostAccounts {
  const { session, login, roles: configured } = config.auth
  const onFailure = (error: unknown) =>
    log.warn({ err: error }, 'it could not be noted that credentials were used')
  const [ttlMs, maxAgeMs] = [parseDuration(session.ttl), parseDuration(session.maxAge)]
  const users = new UserStore(database)
  const keys = new KeyStore(database, { onFailure })
  const sessions = new SessionStore(database, { ttlMs, maxAgeMs, onFailure })
  const hasher = createPasswordHasher()
  const throttle = new LoginThrottle({
    attempts: login.attempts,
    windowMs: parseDuration(login.window),
    perNetwork: login.perAddress,
  })
  // Sessions would let nobody in where nobody asks who sends a request.
  const isLoginOpen = login.enabled && config.auth.enabled
  const sweeper = new Sweeper(sessions, log)
  return {
    users,
    roles: new RoleStore(database, new Map(Object.entries(configured))),
    keys,
    sessions,
    hasher,
    login: isLoginOpen ? new PasswordLogin({ users, hasher, throttle }) : undefined,
    cookies: new SessionCookies({ ...session, maxAgeMs }),
    start: () => sweeper.start(),
    close: async () => {
      await sweeper.close()
      await Promise.all([sessions.close(), keys.close()])
    },
  }
}

/** By which names requests carry credentials, as the configuration says. */
export function credentialNames({ auth }: Config): CredentialNames {
  const lists = [auth.http.authenticators, ...auth.http.rules.map(({ authenticators }) => authenticators)]
  const takesBasic = lists.some((names) => names.includes(passwordName))
  return { cookie: auth.session.cookie, header: auth.session.header, takesBasic }
}

/** What knows the accounts by what they send. */
export function createAccountAuthenticators({ sessions, roles, keys, cookies, login }: HostAccounts): {
  readonly session: Authenticator
  readonly apiKey: Authenticator
  readonly password: Authenticator
} {
  const loginPath = `${accountsPrefix}/login`
  return {
    session: new SessionAuthenticator({ sessions, roles, cookies, isLogin: (path) => path === loginPath }),
    apiKey: new ApiKeyAuthenticator({ keys, roles }),
    password: new PasswordAuthenticator({ login, roles }),
  }
}

/** Deletes sessions that have ended, one sweep at a time. */
class Sweeper {
  readonly #sessions: SessionStore
  readonly #log: Logger
  #timer: NodeJS.Timeout | undefined
  #sweeping: Promise<void> | undefined

  constructor(sessions: SessionStore, log: Logger) {
    this.#sessions = sessions
    this.#log = log
  }

  start(): void {
    // A process with nothing else to do may end.
    this.#timer ??= setInterval(() => this.#sweep(), credentialLimits.sweepEveryMs).unref()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#sweeping
  }

  #sweep(): void {
    this.#sweeping ??= this.#sessions
      .sweep()
      .then(
        (swept) => this.#log.debug({ swept }, 'sessions that had ended were deleted'),
        (error: unknown) => this.#log.warn({ err: error }, 'sessions that have ended could not be deleted'),
      )
      .finally(() => {
        this.#sweeping = undefined
      })
  }
}
