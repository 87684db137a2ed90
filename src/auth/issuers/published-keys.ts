import {
  createLocalJWKSet,
  errors,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWTHeaderParameters,
} from 'jose'
import { authLimits } from '../../base/limits/auth.js'
import { FetchedValue, IssuerUnavailable } from './fetched-value.js'
import type { IssuerClient } from './issuer-client.js'

type KeySet = ReturnType<typeof createLocalJWKSet>

/**
 * The keys that an issuer publishes. They are fetched again when they are old, and for a token that names a key which is
 * not among them, but no sooner than `authLimits.jwksPauseMs` after the last time: whoever makes up names of keys does
 * not make the host ask for them.
 */
export class PublishedKeys {
  readonly #keys: FetchedValue<KeySet>

  /**
   * @param address Gives the address of the keys.
   * @param clock Gives milliseconds that never go back; `performance.now` when missing.
   */
  constructor(
    address: () => string | Promise<string>,
    client: Pick<IssuerClient, 'fetchObject'>,
    clock?: () => number,
  ) {
    this.#keys = new FetchedValue({
      load: async () => readKeys(await client.fetchObject(await address())),
      ageMs: authLimits.jwksAgeMs,
      retryMs: authLimits.issuerRetryMs,
      ...(clock && { clock }),
    })
  }

  /**
   * Finds the key of a token, for `jwtVerify`. Nothing that the token says of where its key is counts but `kid`.
   *
   * @throws IssuerUnavailable when the keys cannot be had, an error of `jose` when the key is not among them.
   */
  readonly find = async (header: JWTHeaderParameters, token: FlattenedJWSInput) => {
    const keys = await this.#keys.get()
    try {
      return await keys(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
    }
    const renewed = await this.#keys.get(authLimits.jwksPauseMs)
    return renewed(header, token)
  }
}

function readKeys(document: Readonly<Record<string, unknown>>): KeySet {
  const { keys } = document
  if (Array.isArray(keys) && keys.length > authLimits.jwksKeysMax) {
    throw new IssuerUnavailable(`it publishes ${keys.length} keys; the limit is ${authLimits.jwksKeysMax}`)
  }
  return createLocalJWKSet(document as unknown as JSONWebKeySet)
}
