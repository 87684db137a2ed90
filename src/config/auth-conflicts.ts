import { createPublicKey } from 'node:crypto'
import type { Static } from '@sinclair/typebox'
import { parseDuration } from '../base/durations.js'
import type { authSettings } from './auth-schema.js'
import type { Given } from './layers.js'
import type { ConfigProblem } from './problems.js'

type Authenticators = Static<typeof authSettings.authenticators>
type Authenticator = Authenticators[string]

const clockSkewMsMax = 10 * 60_000

/** Names that authenticators have without being configured. */
export const ownAuthenticatorNames: readonly string[] = [
  'admin_token',
  'session',
  'api_key',
  'password',
  'test',
]

/** Finds what does not go together in `auth`. */
export function findAuthConflicts(
  values: ReadonlyMap<string, Given>,
  wrong: ReadonlySet<string>,
): readonly ConfigProblem[] {
  return [
    ...starBesideOthers(values, wrong),
    ...oddAuthenticators(values, wrong),
    ...idleLongerThanAge(values, wrong),
  ]
}

function starBesideOthers(
  values: ReadonlyMap<string, Given>,
  wrong: ReadonlySet<string>,
): readonly ConfigProblem[] {
  const key = 'auth.http.authenticators'
  const given = values.get(key)
  if (given === undefined || wrong.has(key)) return []
  const names = given.value as readonly string[]
  if (!names.includes('*') || names.length === 1) return []
  return [{ key, rule: 'has "*" beside other names; it stands alone, or not at all', origin: given.origin }]
}

function idleLongerThanAge(
  values: ReadonlyMap<string, Given>,
  wrong: ReadonlySet<string>,
): readonly ConfigProblem[] {
  const [key, otherKey] = ['auth.session.ttl', 'auth.session.maxAge']
  const ttl = values.get(key)
  const maxAge = values.get(otherKey)
  if (ttl === undefined || maxAge === undefined || wrong.has(key) || wrong.has(otherKey)) return []
  if (parseDuration(String(ttl.value)) <= parseDuration(String(maxAge.value))) return []
  return [
    { key, rule: 'is longer than auth.session.maxAge, so that it is never reached', origin: ttl.origin },
  ]
}

function oddAuthenticators(
  values: ReadonlyMap<string, Given>,
  wrong: ReadonlySet<string>,
): readonly ConfigProblem[] {
  const given = values.get('auth.authenticators')
  if (given === undefined || [...wrong].some((key) => key.startsWith('auth.authenticators'))) return []
  const seen = new Map(ownAuthenticatorNames.map((name) => [name, 'one that every host has']))
  const issuers = new Set<string>()
  return Object.entries(given.value as Authenticators).flatMap(([name, authenticator]) => {
    const key = `auth.authenticators.${name}`
    const plain = name.replaceAll('-', '_')
    const owner = seen.get(plain)
    seen.set(plain, owner ?? `"${name}"`)
    const rules = [
      ...(/^[a-z][a-z0-9_-]{0,63}$/.test(name) ? [] : ['is no name; use small letters, digits, "_" and "-"']),
      ...(owner === undefined ? [] : [`has the name of ${owner}: "-" and "_" are the same in names`]),
      ...faultsOf(plain, authenticator),
      ...(authenticator.type === 'oidc' && issuers.has(authenticator.issuer)
        ? ['has the issuer of another of type oidc; one provider is one authenticator']
        : []),
    ]
    if (authenticator.type === 'oidc') issuers.add(authenticator.issuer)
    return rules.map((rule) => ({ key, rule, origin: given.origin }))
  })
}

/** Members that only one type takes; the others are for all. */
const ownMembers: Readonly<Record<Authenticator['type'], readonly (keyof Authenticator)[]>> = {
  jwt: ['audience', 'jwksUri', 'secret', 'publicKey'],
  oidc: [
    ...(['clientId', 'clientSecret', 'redirectUri', 'postLogoutRedirectUri', 'scopes'] as const),
    ...(['roles', 'roleMap', 'allowSignUp', 'tenant', 'displayName'] as const),
  ],
}

function faultsOf(plainName: string, authenticator: Authenticator): readonly string[] {
  const { type, clockSkew } = authenticator
  const others = Object.entries(ownMembers).flatMap(([owner, members]) => (owner === type ? [] : members))
  const foreign = others.filter((member) => authenticator[member] !== undefined)
  return [
    ...foreign.map((member) => `has a ${member}, which ${type} does not take`),
    ...(type === 'jwt' ? jwtFaults(authenticator) : oidcFaults(plainName, authenticator)),
    ...(clockSkew === undefined || isClockSkew(clockSkew)
      ? []
      : ['has a clockSkew that is no duration up to 10m, e.g. "60s"']),
  ]
}

function jwtFaults({ issuer, audience, jwksUri, secret, publicKey }: Authenticator): readonly string[] {
  const keys = [jwksUri, secret, publicKey].filter((each) => each !== undefined)
  return [
    ...(audience === undefined || audience.length === 0 ? ['has no audience'] : []),
    ...(keys.length > 1 ? ['takes only one of jwksUri, secret and publicKey'] : []),
    ...(keys.length === 0 && !isProtectedAddress(issuer)
      ? [
          'has none of jwksUri, secret and publicKey, and an issuer that cannot be asked for its keys: it is no address with https',
        ]
      : []),
    ...(jwksUri === undefined || isProtectedAddress(jwksUri)
      ? []
      : ['has a jwksUri that is no address with https (with http only at this machine)']),
    ...(publicKey === undefined || isPublicKey(publicKey)
      ? []
      : ['has a publicKey that is no public key as PEM']),
  ]
}

function oidcFaults(plainName: string, settings: Authenticator): readonly string[] {
  const {
    issuer,
    clientId,
    redirectUri,
    postLogoutRedirectUri,
    scopes,
    algorithms = [],
    claims,
    tenant,
  } = settings
  return [
    ...(isProtectedAddress(issuer)
      ? []
      : ['has an issuer that is no address with https (with http only at this machine)']),
    ...(clientId === undefined ? ['has no clientId'] : []),
    ...(redirectUri !== undefined && isCallback(plainName, redirectUri)
      ? []
      : [
          `needs a redirectUri with https (with http only at this machine) that ends with ${callbackPath(plainName)}`,
        ]),
    ...(postLogoutRedirectUri === undefined || isProtectedAddress(postLogoutRedirectUri)
      ? []
      : ['has a postLogoutRedirectUri that is no address with https (with http only at this machine)']),
    ...(scopes === undefined || (scopes.includes('openid') && scopes.every(isScope))
      ? []
      : ['has scopes without "openid", or with one that is none']),
    ...(algorithms.some((each) => each.startsWith('HS'))
      ? ['has algorithms with shared secrets; tokens of a provider are verified by its published keys']
      : []),
    ...(tenant !== undefined && claims?.tenant !== undefined ? ['has both tenant and claims.tenant'] : []),
  ]
}

function callbackPath(plainName: string): string {
  return `/api/v1/auth/oidc/${plainName}/callback`
}

function isCallback(plainName: string, text: string): boolean {
  if (!isProtectedAddress(text)) return false
  const { pathname, search } = new URL(text)
  return search === '' && pathname.replaceAll('-', '_').endsWith(callbackPath(plainName))
}

function isScope(text: string): boolean {
  return /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(text)
}

/** What comes unprotected is anybody's who stands in between, keys above all. */
function isProtectedAddress(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, hash } = new URL(text)
  if (username !== '' || hash !== '') return false
  return (
    protocol === 'https:' || (protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname))
  )
}

function isPublicKey(text: string): boolean {
  if (text.includes('PRIVATE KEY')) return false
  try {
    createPublicKey(text)
    return true
  } catch {
    return false
  }
}

function isClockSkew(text: string): boolean {
  try {
    return parseDuration(text) <= clockSkewMsMax
  } catch {
    return false
  }
}
