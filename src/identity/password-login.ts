import type { LoginThrottle } from './login-throttle.js'
import type { PasswordHasher } from './passwords.js'
import type { StoredUser } from './user-row.js'
import type { UserStore } from './user-store.js'

/** What checking a password needs. */
export interface PasswordLoginOptions {
  readonly users: Pick<UserStore, 'candidate' | 'renewPasswordHash'>
  readonly hasher: PasswordHasher
  readonly throttle: LoginThrottle
}

/** What somebody sends who wants in. */
export interface LoginRequest {
  /** User name or e-mail address, in any case. */
  readonly login: string
  readonly password: string
  /** What `clientNetwork` gave for the address of the client. */
  readonly network: string
}

/** Whether somebody is who they say. */
export type LoginOutcome =
  | { readonly kind: 'user'; readonly user: StoredUser }
  /** Nobody of this name, another password, or a user who is not let in: which of them is nobody's business. */
  | { readonly kind: 'refused' }
  /** Not looked at; whole seconds until it may be tried again. */
  | { readonly kind: 'wait'; readonly seconds: number }

/** Checks passwords of users, in the one order that tells strangers nothing. */
export class PasswordLogin {
  readonly #options: PasswordLoginOptions

  constructor(options: PasswordLoginOptions) {
    this.#options = options
  }

  /** @throws `PASSWORDS_BUSY`, or what the database throws; then the try does not count. */
  async check(request: LoginRequest): Promise<LoginOutcome> {
    const admission = this.#options.throttle.begin(request.login, request.network)
    if (admission.kind === 'wait') return admission
    try {
      const user = await this.#userOf(request)
      if (user === undefined) return { kind: 'refused' }
      admission.attempt.succeeded()
      return { kind: 'user', user }
    } catch (error) {
      admission.attempt.cancelled()
      throw error
    }
  }

  async #userOf({ login, password }: LoginRequest): Promise<StoredUser | undefined> {
    const { users, hasher } = this.#options
    const candidate = await users.candidate(login)
    // Hashes something for names that nobody has and for users who are disabled, too.
    const isRight = await hasher.verify(password, candidate?.passwordHash)
    if (candidate === undefined || !isRight || candidate.user.disabled) return undefined
    await this.#renewHash(candidate.user.id, password, candidate.passwordHash)
    return candidate.user
  }

  async #renewHash(id: string, password: string, stored: string | undefined): Promise<void> {
    const { users, hasher } = this.#options
    if (stored === undefined || !hasher.needsRehash(stored)) return
    try {
      await users.renewPasswordHash(id, stored, await hasher.hash(password))
    } catch {
      // The old hash is as right as it was; the next time renews it.
    }
  }
}
