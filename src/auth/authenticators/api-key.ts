import { identityOfKey, type RoleLookup } from '../../identity/account-identity.js'
import { apiKeyPrefix } from '../../identity/api-key.js'
import type { KeyStore } from '../../identity/key-store.js'
import {
  type Authenticator,
  type AuthOutcome,
  type AuthRequest,
  noCredential,
  refuseCredential,
} from '../authenticator.js'
import { bearerToken } from '../bearer-token.js'

/** Name of the authenticator that knows API keys. */
export const apiKeyName = 'api_key'

/** Name of the header that carries an API key. */
export const apiKeyHeader = 'x-api-key'

export interface ApiKeyAuthenticatorOptions {
  readonly keys: Pick<KeyStore, 'find'>
  readonly roles: RoleLookup
}

/**
 * Knows API keys, sent as `X-API-Key` or as bearer tokens. A text that does not begin as keys of this host do belongs to
 * somebody else, such as a server behind the proxy.
 */
export class ApiKeyAuthenticator implements Authenticator {
  readonly name = apiKeyName
  readonly #options: ApiKeyAuthenticatorOptions

  constructor(options: ApiKeyAuthenticatorOptions) {
    this.#options = options
  }

  describe(): Readonly<Record<string, unknown>> {
    return { type: 'api_key', header: apiKeyHeader, bearer: apiKeyPrefix }
  }

  authenticate(request: AuthRequest): AuthOutcome | Promise<AuthOutcome> {
    const text = sentKey(request)
    return text === undefined ? noCredential : this.#find(text)
  }

  async #find(text: string): Promise<AuthOutcome> {
    const { keys, roles } = this.#options
    const found = await keys.find(text)
    if (found.kind === 'revoked') return refuseCredential('revoked', 'This API key is revoked.')
    if (found.kind === 'expired') return refuseCredential('expired', 'The time of this API key is over.')
    if (found.kind === 'unknown') return refuseCredential('invalid', 'There is no such API key.')
    const identity = await identityOfKey(found.key, found.owner, this.name, roles)
    if (identity !== undefined) return { kind: 'identity', identity }
    return refuseCredential('revoked', 'The owner of this API key belongs to another tenant by now.')
  }
}

function sentKey(request: AuthRequest): string | undefined {
  const header = [request.headers[apiKeyHeader] ?? []].flat().join(', ')
  if (header.startsWith(apiKeyPrefix)) return header
  const bearer = bearerToken(request)
  return bearer?.startsWith(apiKeyPrefix) === true ? bearer : undefined
}
