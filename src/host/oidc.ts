import type { ClaimPaths } from '../auth/claims.js'
import { IssuerClient } from '../auth/issuers/issuer-client.js'
import { ExternalUsers } from '../auth/oidc/external-users.js'
import { OidcProvider } from '../auth/oidc/oidc-provider.js'
import type { SignInProvider } from '../auth/oidc/oidc-routes.js'
import { parseDuration } from '../base/durations.js'
import { messageOf } from '../base/errors.js'
import type { Config } from '../config/schema.js'
import type { UserStore } from '../identity/user-store.js'
import type { Logger } from '../telemetry/logger.js'

/** The providers at which people sign in to one host. */
export interface HostOidc {
  readonly providers: readonly SignInProvider[]
  /**
   * Gives the address at which somebody signs out at their provider as well.
   *
   * @param authenticator What let them in.
   * @returns Undefined where it was no provider, or one that has no such address or cannot be asked.
   */
  endSessionAddress(authenticator: string): Promise<string | undefined>
  /** Ends what they are asked at the moment. */
  close(): Promise<void>
}

type Settings = Config['auth']['authenticators'][string]

/** What providers put the roles into is said by `roles`, so that none of another client is taken unawares. */
const defaultClaims: ClaimPaths = {
  roles: ['roles'],
  groups: ['groups'],
  tenant: 'tenant',
  name: 'name',
  email: 'email',
}

const defaultScopes = ['openid', 'profile', 'email']
const defaultClockSkew = '60s'

/** Puts the providers together. None is asked before somebody signs in. */
export function composeOidc({ auth }: Config, users: UserStore, log: Logger): HostOidc {
  const client = new IssuerClient()
  // Sessions would let nobody in where nobody asks who sends a request.
  const configured = auth.enabled ? Object.entries(auth.authenticators) : []
  const providers = configured.flatMap(([name, settings]) =>
    settings.type === 'oidc' ? [composeProvider(name, settings, client, users)] : [],
  )
  return {
    providers,
    async endSessionAddress(authenticator) {
      const found = providers.find(({ provider }) => provider.name === authenticator)
      try {
        return await found?.provider.endSessionAddress()
      } catch (error) {
        log.warn({ provider: authenticator, reason: messageOf(error) }, 'a provider cannot be asked')
        return undefined
      }
    },
    close: () => client.close(),
  }
}

/** The configuration has made sure that what is needed is there. */
function composeProvider(
  name: string,
  settings: Settings,
  client: IssuerClient,
  users: UserStore,
): SignInProvider {
  const { issuer, clientId = '', redirectUri = '', roles = {}, roleMap = {}, claims = {} } = settings
  const provider = new OidcProvider(
    {
      name,
      displayName: settings.displayName ?? name,
      issuer,
      clientId,
      clientSecret: settings.clientSecret,
      redirectUri,
      postLogoutRedirectUri: settings.postLogoutRedirectUri,
      scopes: settings.scopes ?? defaultScopes,
      algorithms: settings.algorithms ?? [],
      clockSkewMs: parseDuration(settings.clockSkew ?? defaultClockSkew),
    },
    client,
  )
  const external = new ExternalUsers(users, {
    issuer,
    claims: { ...defaultClaims, ...claims } as ClaimPaths,
    roles: {
      realm: roles.realm === true,
      clients: roles.clients ?? [],
      map: new Map(Object.entries(roleMap)),
    },
    tenant: settings.tenant,
    allowSignUp: settings.allowSignUp === true,
  })
  return { provider, users: external }
}
