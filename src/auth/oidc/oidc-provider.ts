import { errors, jwtVerify } from 'jose'
import * as oidc from 'openid-client'
import { messageOf } from '../../base/errors.js'
import { authLimits } from '../../base/limits/auth.js'
import type { JsonValue } from '../../identity/identity.js'
import { publicAlgorithms } from '../authenticators/jwt.js'
import { IssuerUnavailable } from '../issuers/fetched-value.js'
import type { IssuerClient } from '../issuers/issuer-client.js'
import { IssuerDocument, type IssuerMetadata } from '../issuers/issuer-document.js'
import { PublishedKeys } from '../issuers/published-keys.js'
import type { BegunSignIn } from './begun-sign-in.js'

/** What is known of a provider without asking it. */
export interface OidcProviderOptions {
  /** What rules, sessions and addresses call it. */
  readonly name: string
  /** What people call it. */
  readonly displayName: string
  readonly issuer: string
  readonly clientId: string
  /** Undefined for a public client. */
  readonly clientSecret: string | undefined
  /** Where the provider sends browsers back to; never taken from a request. */
  readonly redirectUri: string
  readonly postLogoutRedirectUri: string | undefined
  readonly scopes: readonly string[]
  /** Algorithms of ID tokens that are accepted; all with published keys when empty. */
  readonly algorithms: readonly string[]
  readonly clockSkewMs: number
}

/** What a provider vouches for. */
export interface VouchedClaims {
  readonly subject: string
  readonly claims: { readonly [name: string]: JsonValue }
}

/** The provider has not confirmed who somebody is, or not in a way that counts. */
export class SignInRefused extends Error {
  /** A sentence for the person. */
  readonly reason: string

  /** @param message For the log. */
  constructor(reason: string, message: string) {
    super(message)
    this.name = 'SignInRefused'
    this.reason = reason
  }
}

/** What ID tokens call themselves; an issuer signs others with the same keys, e.g. to log people out. */
const idTokenTypes: ReadonlySet<string | undefined> = new Set([undefined, 'jwt', 'application/jwt'])

/** What the claims of an access token are looked at for: the roles of Keycloak, which it puts there alone. */
const accessClaims = ['realm_access', 'resource_access'] as const

type Claims = { readonly [name: string]: JsonValue }

/** A provider of OpenID Connect at which people sign in by the code flow. It is asked for nothing before somebody does. */
export class OidcProvider {
  readonly #options: OidcProviderOptions
  readonly #client: IssuerClient
  readonly #document: IssuerDocument
  readonly #keys: PublishedKeys
  readonly #algorithms: readonly string[]
  #exchanges = 0

  constructor(options: OidcProviderOptions, client: IssuerClient) {
    this.#options = options
    this.#client = client
    this.#document = new IssuerDocument(options.issuer, client)
    this.#keys = new PublishedKeys(async () => (await this.#document.get()).jwks_uri, client)
    const { algorithms } = options
    this.#algorithms = publicAlgorithms.filter((each) => algorithms.length === 0 || algorithms.includes(each))
  }

  get name(): string {
    return this.#options.name
  }

  get displayName(): string {
    return this.#options.displayName
  }

  get issuer(): string {
    return this.#options.issuer
  }

  /**
   * Gives the address to which the browser of a sign-in is sent.
   *
   * @throws IssuerUnavailable
   */
  async address({ state, nonce, verifier }: BegunSignIn): Promise<URL> {
    const { redirectUri, scopes } = this.#options
    const configuration = await this.#configure()
    return oidc.buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri,
      scope: scopes.join(' '),
      response_type: 'code',
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
    })
  }

  /**
   * Redeems what came back with the browser.
   *
   * @param query Of the request to the redirect URI, without the question mark.
   * @throws SignInRefused, IssuerUnavailable
   */
  async redeem(query: string, begun: BegunSignIn): Promise<VouchedClaims> {
    if (this.#exchanges >= authLimits.oidcExchangesMax) {
      throw new IssuerUnavailable(`${authLimits.oidcExchangesMax} sign-ins are being finished already`)
    }
    this.#exchanges += 1
    try {
      return await this.#redeem(query, begun)
    } catch (error) {
      throw asFailure(error)
    } finally {
      this.#exchanges -= 1
    }
  }

  /** Gives the address at which somebody signs out at the provider; undefined when it has none. @throws IssuerUnavailable */
  async endSessionAddress(): Promise<string | undefined> {
    const { postLogoutRedirectUri } = this.#options
    const configuration = await this.#configure()
    if (configuration.serverMetadata().end_session_endpoint === undefined) return undefined
    const back =
      postLogoutRedirectUri === undefined ? {} : { post_logout_redirect_uri: postLogoutRedirectUri }
    return oidc.buildEndSessionUrl(configuration, back).href
  }

  async #redeem(query: string, { state, nonce, verifier }: BegunSignIn): Promise<VouchedClaims> {
    const configuration = await this.#configure()
    const address = new URL(this.#options.redirectUri)
    address.search = query
    const tokens = await oidc.authorizationCodeGrant(configuration, address, {
      expectedState: state,
      expectedNonce: nonce,
      pkceCodeVerifier: verifier,
      idTokenExpected: true,
    })
    // The library takes the connection to the provider for proof enough.
    const said = await this.#verify(tokens.id_token ?? '')
    const { sub: subject } = said
    if (typeof subject !== 'string') throw refused('the ID token has no subject')
    const more = await this.#userInfo(configuration, tokens.access_token, subject)
    const access = await this.#accessClaims(tokens.access_token, subject)
    return { subject, claims: { ...access, ...more, ...said } }
  }

  async #verify(token: string): Promise<Claims> {
    const { issuer, clientId, clockSkewMs } = this.#options
    const { payload, protectedHeader } = await jwtVerify(token, this.#keys.find, {
      algorithms: [...this.#algorithms],
      issuer,
      audience: clientId,
      clockTolerance: clockSkewMs / 1000,
      requiredClaims: ['exp', 'iat', 'sub'],
    })
    if (!idTokenTypes.has(protectedHeader.typ?.toLowerCase())) throw refused('the token is no ID token')
    if (payload.azp !== undefined && payload.azp !== clientId)
      throw refused('the ID token is for another client')
    return payload as Claims
  }

  /** Many providers say names and addresses only here. */
  async #userInfo(configuration: oidc.Configuration, accessToken: string, subject: string): Promise<Claims> {
    if (configuration.serverMetadata().userinfo_endpoint === undefined) return {}
    const said: unknown = await oidc.fetchUserInfo(configuration, accessToken, subject)
    return said as Claims
  }

  /**
   * Reads from an access token what Keycloak says nowhere else as it comes. Tokens of other makes, of other issuers and
   * for other clients say nothing.
   */
  async #accessClaims(token: string, subject: string): Promise<Claims> {
    const { issuer, clientId, clockSkewMs } = this.#options
    try {
      const { payload } = await jwtVerify(token, this.#keys.find, {
        algorithms: [...this.#algorithms],
        issuer,
        clockTolerance: clockSkewMs / 1000,
      })
      if (payload.sub !== subject || payload.azp !== clientId) return {}
      const found = accessClaims.filter((name) => payload[name] !== undefined)
      return Object.fromEntries(found.map((name) => [name, payload[name] as JsonValue]))
    } catch (error) {
      if (error instanceof errors.JOSEError) return {}
      throw error
    }
  }

  async #configure(): Promise<oidc.Configuration> {
    const metadata = await this.#document.get()
    checkMetadata(metadata)
    const { clientId, clientSecret, clockSkewMs } = this.#options
    const configuration = new oidc.Configuration(
      metadata as oidc.ServerMetadata,
      clientId,
      { [oidc.clockTolerance]: clockSkewMs / 1000 },
      clientAuth(clientSecret, metadata),
    )
    configuration[oidc.customFetch] = (address, { method, headers, body }) =>
      this.#client.send(address, {
        method: method === 'POST' ? 'POST' : 'GET',
        headers,
        ...(body === null || body === undefined ? {} : { body: String(body) }),
      })
    // The client looks at the addresses itself: without https it asks this machine alone.
    oidc.allowInsecureRequests(configuration)
    return configuration
  }
}

/** @throws IssuerUnavailable for a provider with which sign-ins would not be safe. */
function checkMetadata({
  issuer,
  code_challenge_methods_supported: methods,
  authorization_endpoint: authorization,
  token_endpoint: token,
}: IssuerMetadata): void {
  if (typeof authorization !== 'string' || typeof token !== 'string') {
    throw new IssuerUnavailable(`${issuer} names no addresses for the code flow`)
  }
  if (Array.isArray(methods) && !methods.includes('S256')) {
    throw new IssuerUnavailable(`${issuer} does not take PKCE with S256`)
  }
}

function clientAuth(secret: string | undefined, metadata: IssuerMetadata): oidc.ClientAuth {
  if (secret === undefined) return oidc.None()
  const methods = metadata.token_endpoint_auth_methods_supported
  const takesBasic = !Array.isArray(methods) || methods.includes('client_secret_basic')
  return takesBasic ? oidc.ClientSecretBasic(secret) : oidc.ClientSecretPost(secret)
}

function refused(message: string, reason = 'Its answer is not one that counts here.'): SignInRefused {
  return new SignInRefused(reason, message)
}

/** Tells what is the provider's failure from what is none of its word. */
function asFailure(error: unknown): Error {
  if (error instanceof SignInRefused || error instanceof IssuerUnavailable) return error
  const { cause } = error as { readonly cause?: unknown }
  if (cause instanceof IssuerUnavailable) return cause
  if (error instanceof oidc.AuthorizationResponseError) {
    const code = /^[a-z_]{1,40}$/.test(error.error) ? error.error : 'an odd error'
    return refused(`the provider answers ${code}`, `The provider says ${code}.`)
  }
  if (error instanceof oidc.ResponseBodyError && error.error !== 'invalid_grant') {
    return new IssuerUnavailable(`the provider answers ${error.status} ${error.error.slice(0, 40)}`, error)
  }
  return refused(messageOf(error))
}
