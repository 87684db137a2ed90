import { createSecretKey, type KeyObject } from 'node:crypto'
import {
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyResult,
  jwtVerify,
} from 'jose'
import { messageOf } from '../../base/errors.js'
import { authLimits } from '../../base/limits/auth.js'
import { createIdentity, type Identity, type JsonValue } from '../../identity/identity.js'
import type { PermissionSet } from '../../identity/permissions.js'
import {
  type Authenticator,
  type AuthOutcome,
  type AuthRequest,
  noCredential,
  refuseCredential,
} from '../authenticator.js'
import { bearerToken } from '../bearer-token.js'
import { type ClaimPaths, personalClaims, type ReadClaims, readClaims } from '../claims.js'
import { IssuerUnavailable } from '../issuers/fetched-value.js'
import type { PublishedKeys } from '../issuers/published-keys.js'

/** Algorithms by the kind of key: those of one kind are never taken with the key of another. */
export const secretAlgorithms = ['HS256', 'HS384', 'HS512'] as const
export const publicAlgorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
] as const

/** Where the keys of an issuer come from. */
export type JwtKeys =
  | { readonly kind: 'jwks'; readonly keys: Pick<PublishedKeys, 'find'> }
  /** Shared with the issuer. */
  | { readonly kind: 'secret'; readonly secret: string }
  | { readonly kind: 'public'; readonly key: KeyObject }

export interface JwtOptions {
  readonly name: string
  readonly issuer: string
  /** At least one of them has to be named by a token. */
  readonly audiences: readonly string[]
  readonly keys: JwtKeys
  /** Some of those that fit the keys; all of them when empty. */
  readonly algorithms: readonly string[]
  /** By how much clocks may differ. */
  readonly clockSkewMs: number
  readonly claims: ClaimPaths
  permissionsOf(roles: readonly string[]): PermissionSet | Promise<PermissionSet>
}

/** What tokens call themselves that let somebody in; an issuer signs others with the same keys, e.g. to log people out. */
const accessTokenTypes: ReadonlySet<string | undefined> = new Set([
  undefined,
  'jwt',
  'application/jwt',
  'at+jwt',
  'application/at+jwt',
])

const shape = /^[\w-]+\.[\w-]+\.[\w-]*$/

/** Verifies JSON Web Tokens of one issuer, sent as bearer tokens; those of other issuers are left to others. */
export class JwtAuthenticator implements Authenticator {
  readonly name: string
  readonly #options: JwtOptions
  readonly #keys: KeyObject | JWTVerifyGetKey
  readonly #algorithms: readonly string[]

  constructor(options: JwtOptions) {
    this.name = options.name
    this.#options = options
    const { keys, algorithms } = options
    const fitting: readonly string[] = keys.kind === 'secret' ? secretAlgorithms : publicAlgorithms
    this.#algorithms = algorithms.length === 0 ? fitting : fitting.filter((each) => algorithms.includes(each))
    this.#keys = openKeys(keys)
  }

  describe(): Readonly<Record<string, unknown>> {
    const { issuer, audiences, keys } = this.#options
    return { type: 'jwt', issuer, audiences, keys: keys.kind, algorithms: this.#algorithms }
  }

  authenticate(request: AuthRequest): AuthOutcome | Promise<AuthOutcome> {
    const token = bearerToken(request)
    if (token === undefined || !shape.test(token)) return noCredential
    if (token.length > authLimits.jwtCharactersMax)
      return refuseCredential('invalid', 'The token is too long.')
    return isIssuedBy(token, this.#options.issuer) ? this.#verify(token) : noCredential
  }

  async #verify(token: string): Promise<AuthOutcome> {
    const { issuer, audiences, clockSkewMs } = this.#options
    const rules = {
      algorithms: [...this.#algorithms],
      issuer,
      audience: [...audiences],
      clockTolerance: clockSkewMs / 1000,
      requiredClaims: ['exp', 'sub'],
    }
    let verified: JWTVerifyResult
    try {
      // The two ways in which keys are given are two signatures of one function.
      verified =
        typeof this.#keys === 'function'
          ? await jwtVerify(token, this.#keys, rules)
          : await jwtVerify(token, this.#keys, rules)
    } catch (error) {
      return this.#refuse(error)
    }
    const { payload, protectedHeader } = verified
    if (!accessTokenTypes.has(protectedHeader.typ?.toLowerCase())) {
      return refuseCredential('unsupported', 'The token is none that lets anybody in.')
    }
    return this.#vouch(payload)
  }

  /** What fails here fails in the database, where roles stand: then nobody can tell who this is. */
  async #vouch(payload: JWTPayload): Promise<AuthOutcome> {
    const claims = payload as { readonly [name: string]: JsonValue }
    let said: ReadClaims
    try {
      said = readClaims(claims, this.#options.claims)
    } catch (error) {
      return unusable(error)
    }
    const permissions = await this.#options.permissionsOf(said.roles)
    try {
      return { kind: 'identity', identity: this.#identityOf(payload, said, permissions) }
    } catch (error) {
      return unusable(error)
    }
  }

  #refuse(error: unknown): AuthOutcome {
    if (error instanceof errors.JWTExpired) return refuseCredential('expired', 'The token has expired.')
    if (error instanceof errors.JWTClaimValidationFailed) {
      return refuseCredential('invalid', `The token's claim "${error.claim}" is not accepted here.`)
    }
    if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported) {
      return refuseCredential('unsupported', 'The token is signed in a way that is not accepted here.')
    }
    if (error instanceof IssuerUnavailable) {
      return { kind: 'unavailable', reason: `the keys of ${this.#options.issuer}: ${error.message}` }
    }
    return refuseCredential('invalid', 'The token is not valid.')
  }

  #identityOf(payload: JWTPayload, said: ReadClaims, permissions: PermissionSet): Identity {
    return createIdentity({
      kind: 'user',
      sub: payload.sub as string,
      ...said,
      claims: personalClaims(payload as { readonly [name: string]: JsonValue }),
      permissions,
      authenticator: this.name,
    })
  }
}

function openKeys(keys: JwtKeys): KeyObject | JWTVerifyGetKey {
  switch (keys.kind) {
    case 'secret':
      return createSecretKey(Buffer.from(keys.secret, 'utf8'))
    case 'public':
      return keys.key
    default:
      return keys.keys.find
  }
}

/** Looks who a token claims to be from, to choose who verifies it. */
function isIssuedBy(token: string, issuer: string): boolean {
  try {
    decodeProtectedHeader(token)
    return decodeJwt(token).iss === issuer
  } catch {
    return false
  }
}

function unusable(error: unknown): AuthOutcome {
  return refuseCredential('invalid', `The token is verified, but ${messageOf(error)}.`)
}
