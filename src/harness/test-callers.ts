import { randomBytes } from 'node:crypto'
import { type Authenticator, noCredential } from '../auth/authenticator.js'
import { bearerToken } from '../auth/bearer-token.js'
import { messageOf } from '../base/errors.js'
import type { TestIdentity } from '../capabilities/auth/wire.js'
import { createIdentity, type Identity } from '../identity/identity.js'
import { permissionsOf } from '../identity/roles.js'
import { testMisuse } from './errors.js'

/** Those who send the requests of a test, by tokens that nobody else has. */
export class TestCallers {
  readonly #identities = new Map<string, Identity>()

  /** Knows them while their requests are served. */
  readonly authenticator: Authenticator = {
    name: 'test',
    authenticate: (request) => {
      const identity = this.#identities.get(bearerToken(request) ?? '')
      return identity === undefined ? noCredential : { kind: 'identity', identity }
    },
  }

  /**
   * Sends something as somebody.
   *
   * @param send Gets their token, which is worth nothing afterwards.
   * @throws `TEST_MISUSE` for somebody who cannot be.
   */
  async sendAs<Answer>(who: TestIdentity, send: (token: string) => Promise<Answer>): Promise<Answer> {
    const token = randomBytes(32).toString('hex')
    this.#identities.set(token, identityOfTest('test.request', who))
    try {
      return await send(token)
    } finally {
      this.#identities.delete(token)
    }
  }
}

/**
 * Makes somebody of a test. Roles of the host permit what they always do.
 *
 * @param title Of the function that names them, for errors.
 * @throws `TEST_MISUSE` for somebody who cannot be.
 */
export function identityOfTest(title: string, who: TestIdentity): Identity {
  try {
    return createIdentity({ ...who, permissions: permissionsOf(who.roles, new Map()) })
  } catch (error) {
    throw testMisuse({ reason: `${title}: identity cannot be used: ${messageOf(error)}` })
  }
}

/** Somebody who is signed in and may do nothing in the administration. */
export const viewer: TestIdentity = {
  kind: 'user',
  sub: 'viewer',
  name: 'viewer',
  roles: ['viewer'],
  groups: [],
  claims: {},
  authenticator: 'test',
}
