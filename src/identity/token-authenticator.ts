import { createHash, timingSafeEqual } from 'node:crypto'
import { identityLimits } from '../base/limits/identity.js'
import type { Authenticator, CredentialSource, User } from './authenticator.js'

/** The one user that the admin token stands for. */
export const adminUser: User = Object.freeze({ id: 'admin', username: 'admin', role: 'admin' })

/**
 * Creates the authenticator that knows the admin token, sent as `Authorization: Bearer <token>`. It keeps only the
 * token's digest, and compares digests in constant time.
 */
export function createTokenAuthenticator(token: string): Authenticator {
  const expected = digest(token)
  return {
    authenticate(request: CredentialSource): User | undefined {
      const sent = bearerToken(request.headers.authorization)
      if (sent === undefined) return undefined
      return timingSafeEqual(digest(sent), expected) ? adminUser : undefined
    },
  }
}

const bearer = /^bearer +([^\s]+)$/i
const headerLengthMax = identityLimits.bearerTokenLengthMax + 'Bearer '.length

function bearerToken(header: string | string[] | undefined): string | undefined {
  if (typeof header !== 'string' || header.length > headerLengthMax) return undefined
  return bearer.exec(header)?.[1]
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest()
}
