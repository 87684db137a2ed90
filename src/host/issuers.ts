import { createPublicKey } from 'node:crypto'
import type { Authenticator } from '../auth/authenticator.js'
import { JwtAuthenticator, type JwtKeys } from '../auth/authenticators/jwt.js'
import type { ClaimPaths } from '../auth/claims.js'
import { IssuerClient } from '../auth/issuers/issuer-client.js'
import { IssuerDocument } from '../auth/issuers/issuer-document.js'
import { PublishedKeys } from '../auth/issuers/published-keys.js'
import { parseDuration } from '../base/durations.js'
import type { Config } from '../config/schema.js'
import type { RoleLookup } from '../identity/account-identity.js'

/** Those elsewhere whose word on who somebody is counts here. */
export interface Issuers {
  /** Of their tokens. */
  readonly authenticators: readonly Authenticator[]
  /** Ends what they are asked at the moment. */
  close(): Promise<void>
}

type Settings = Config['auth']['authenticators'][string]

const defaultClaims: ClaimPaths = {
  roles: ['roles', 'realm_access.roles'],
  groups: ['groups'],
  tenant: 'tenant',
  name: 'name',
  email: 'email',
}

const defaultClockSkew = '60s'

/** Puts together what verifies tokens of others. Nobody is asked before a token comes. */
export function composeIssuers({ auth }: Config, roles: RoleLookup): Issuers {
  const client = new IssuerClient()
  const authenticators = Object.entries(auth.authenticators).flatMap(([name, settings]) =>
    settings.type === 'jwt' ? [createJwt(name, settings, client, roles)] : [],
  )
  return { authenticators, close: () => client.close() }
}

function createJwt(name: string, settings: Settings, client: IssuerClient, roles: RoleLookup): Authenticator {
  const { issuer, audience = [], algorithms = [], clockSkew = defaultClockSkew, claims = {} } = settings
  return new JwtAuthenticator({
    name,
    issuer,
    audiences: typeof audience === 'string' ? [audience] : audience,
    keys: keysOf(settings, client),
    algorithms,
    clockSkewMs: parseDuration(clockSkew),
    claims: { ...defaultClaims, ...claims } as ClaimPaths,
    permissionsOf: (names) => roles.permissionsOf(names),
  })
}

/** The configuration has made sure that there is at most one; without one the issuer is asked where its keys are. */
function keysOf({ issuer, jwksUri, secret, publicKey }: Settings, client: IssuerClient): JwtKeys {
  if (secret !== undefined) return { kind: 'secret', secret }
  if (publicKey !== undefined) return { kind: 'public', key: createPublicKey(publicKey) }
  if (jwksUri !== undefined) return { kind: 'jwks', keys: new PublishedKeys(() => jwksUri, client) }
  const document = new IssuerDocument(issuer, client)
  return { kind: 'jwks', keys: new PublishedKeys(async () => (await document.get()).jwks_uri, client) }
}
