import { createHash, timingSafeEqual } from 'node:crypto'
import { identityLimits } from '../../base/limits/identity.js'
import { createIdentity, type Identity } from '../../identity/identity.js'
import { allPermissions } from '../../identity/permissions.js'
import { type Authenticator, noCredential } from '../authenticator.js'
import { bearerToken } from '../bearer-token.js'

/** Name of the authenticator that knows the admin token. */
export const adminTokenName = 'admin_token'

/**
 * Creates an authenticator that knows one token, sent as `Authorization: Bearer <token>`. It keeps only the token's
 * digest, and compares digests in constant time. Other bearer tokens may be those of others.
 *
 * @param identity Whom the token stands for.
 */
export function createTokenAuthenticator(name: string, token: string, identity: Identity): Authenticator {
  const isToken = createTokenCheck(token)
  const known = { kind: 'identity', identity } as const
  return {
    name,
    authenticate(request) {
      const sent = bearerToken(request)
      return sent !== undefined && isToken(sent) ? known : noCredential
    },
  }
}

/** Creates what tells one token from all others, in constant time, and keeps only its digest. */
export function createTokenCheck(token: string): (sent: string) => boolean {
  const expected = digest(token)
  return (sent) =>
    sent.length <= identityLimits.bearerTokenLengthMax && timingSafeEqual(digest(sent), expected)
}

/** Creates the authenticator of the admin token. */
export function createAdminTokenAuthenticator(token: string): Authenticator {
  const identity = createIdentity({
    kind: 'service',
    sub: 'admin',
    name: 'admin',
    roles: ['admin'],
    permissions: allPermissions,
    authenticator: adminTokenName,
  })
  return createTokenAuthenticator(adminTokenName, token, identity)
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest()
}
