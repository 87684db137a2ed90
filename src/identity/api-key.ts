import { createHash, randomBytes } from 'node:crypto'

/** What every API key begins with. */
export const apiKeyPrefix = 'mk_'

const shape = /^mk_([\w-]{12})_[\w-]{43}$/
const idBytes = 9
const secretBytes = 32

/** A key that was just made. */
export interface NewApiKey {
  /** What it is looked up by; no secret. */
  readonly id: string
  /** The whole key, for its holder and nobody else: `mk_<id>_<43 characters>`. */
  readonly secret: string
}

export function createApiKey(): NewApiKey {
  const id = randomBytes(idBytes).toString('base64url')
  return { id, secret: `${apiKeyPrefix}${id}_${randomBytes(secretBytes).toString('base64url')}` }
}

/** Gives the id of a key; undefined for a text that is none. */
export function apiKeyId(key: string): string | undefined {
  return shape.exec(key)?.[1]
}

/** Gives what is stored of a credential of 256 random bits; such need no slow hash. */
export function credentialDigest(credential: string): Buffer {
  return createHash('sha256').update(credential, 'utf8').digest()
}
