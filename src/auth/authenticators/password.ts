import { clientNetwork } from '../../base/ip-address.js'
import { passwordLimits } from '../../base/limits/identity.js'
import { identityOfUser, type RoleLookup } from '../../identity/account-identity.js'
import type { PasswordLogin } from '../../identity/password-login.js'
import {
  type Authenticator,
  type AuthOutcome,
  type AuthRequest,
  noCredential,
  refuseCredential,
} from '../authenticator.js'
import { crossSiteFault, isSafe } from '../csrf.js'

/** Name of the authenticator that knows users by name and password. */
export const passwordName = 'password'

export interface PasswordAuthenticatorOptions {
  /** Undefined where nobody signs in with a password. */
  readonly login: Pick<PasswordLogin, 'check'> | undefined
  readonly roles: RoleLookup
}

/** Base64 of a name, a colon and a password, each character of which may take four bytes. */
const sentCharactersMax = passwordLimits.codeUnitsMax * 6

/**
 * Knows users by name and password, sent as HTTP Basic with each request. Each costs a hash, and tries are counted with
 * those of signing in.
 */
export class PasswordAuthenticator implements Authenticator {
  readonly name = passwordName
  readonly #options: PasswordAuthenticatorOptions

  constructor(options: PasswordAuthenticatorOptions) {
    this.#options = options
  }

  describe(): Readonly<Record<string, unknown>> {
    return { type: 'password' }
  }

  authenticate(request: AuthRequest): AuthOutcome | Promise<AuthOutcome> {
    const { authorization } = request.headers
    if (typeof authorization !== 'string' || !/^basic(?: |$)/i.test(authorization)) return noCredential
    const sent = readBasic(authorization.slice('basic'.length).trim())
    if (sent === undefined) return refuseCredential('invalid', 'The Basic credentials cannot be read.')
    // Browsers remember Basic credentials, and send them for whoever makes them send a request.
    const fault = isSafe(request.method) ? undefined : crossSiteFault(request)
    if (fault !== undefined) return refuseCredential('csrf', fault)
    const { login } = this.#options
    if (login === undefined) return refuseCredential('unsupported', 'Nobody signs in with a password here.')
    return this.#check(login, sent, clientNetwork(request.ip))
  }

  async #check(login: Pick<PasswordLogin, 'check'>, sent: Basic, network: string): Promise<AuthOutcome> {
    const outcome = await login.check({ ...sent, network })
    switch (outcome.kind) {
      case 'user':
        return {
          kind: 'identity',
          identity: await identityOfUser(outcome.user, this.name, this.#options.roles),
        }
      case 'refused':
        return refuseCredential('invalid', 'The name or the password is wrong.')
      case 'wait':
        return {
          ...refuseCredential('throttled', 'Too many tries to sign in have failed.'),
          retryAfterSeconds: outcome.seconds,
        }
    }
  }
}

interface Basic {
  readonly login: string
  readonly password: string
}

function readBasic(text: string): Basic | undefined {
  if (text.length > sentCharactersMax || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined
  let pair: string
  try {
    pair = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(text, 'base64'))
  } catch {
    return undefined
  }
  const at = pair.indexOf(':')
  return at <= 0 ? undefined : { login: pair.slice(0, at), password: pair.slice(at + 1) }
}
