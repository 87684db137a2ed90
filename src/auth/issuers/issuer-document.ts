import { authLimits } from '../../base/limits/auth.js'
import { FetchedValue, IssuerUnavailable } from './fetched-value.js'
import { isIssuerAddress } from './issuer-address.js'
import type { IssuerClient } from './issuer-client.js'

/** What an issuer says of itself, as far as it is looked at. */
export interface IssuerMetadata {
  readonly issuer: string
  readonly jwks_uri: string
  readonly [member: string]: unknown
}

/** Where the document of OpenID Connect Discovery is. */
const documentPath = '/.well-known/openid-configuration'

/** What an issuer says of itself, fetched when it is needed first. */
export class IssuerDocument {
  readonly #value: FetchedValue<IssuerMetadata>

  /** @param issuer As its tokens name it. */
  constructor(issuer: string, client: IssuerClient) {
    this.#value = new FetchedValue({
      load: async () => checkDocument(issuer, await client.fetchObject(documentAddress(issuer))),
      ageMs: authLimits.issuerDocumentAgeMs,
      retryMs: authLimits.issuerRetryMs,
    })
  }

  /** Gives the document. @throws IssuerUnavailable when there is none, or one of another issuer. */
  get(): Promise<IssuerMetadata> {
    return this.#value.get()
  }
}

function documentAddress(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}${documentPath}`
}

function checkDocument(issuer: string, document: Readonly<Record<string, unknown>>): IssuerMetadata {
  if (document.issuer !== issuer) {
    throw new IssuerUnavailable(`the document of ${issuer} is one of another issuer`)
  }
  const { jwks_uri: keys } = document
  if (typeof keys !== 'string' || !isIssuerAddress(keys)) {
    throw new IssuerUnavailable(`the document of ${issuer} names no address of keys that can be used`)
  }
  return { ...document, issuer, jwks_uri: keys }
}
