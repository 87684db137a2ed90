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
const ownNames = ['admin_token', 'session', 'api_key', 'password', 'test']

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
  const seen = new Set(ownNames)
  return Object.entries(given.value as Authenticators).flatMap(([name, authenticator]) => {
    const key = `auth.authenticators.${name}`
    const plain = name.replaceAll('-', '_')
    const taken = seen.has(plain)
    seen.add(plain)
    const rules = [
      ...(/^[a-z][a-z0-9_-]{0,63}$/.test(name) ? [] : ['is no name; use small letters, digits, "_" and "-"']),
      ...(taken ? ['has a name that is taken'] : []),
      ...faultsOf(authenticator),
    ]
    return rules.map((rule) => ({ key, rule, origin: given.origin }))
  })
}

function faultsOf({ jwksUri, secret, publicKey, clockSkew }: Authenticator): readonly string[] {
  const keys = [jwksUri, secret, publicKey].filter((each) => each !== undefined)
  return [
    ...(keys.length === 1 ? [] : ['takes exactly one of jwksUri, secret and publicKey']),
    ...(jwksUri === undefined || isKeyAddress(jwksUri)
      ? []
      : ['has a jwksUri that is no address with https (with http only at this machine)']),
    ...(publicKey === undefined || isPublicKey(publicKey)
      ? []
      : ['has a publicKey that is no public key as PEM']),
    ...(clockSkew === undefined || isClockSkew(clockSkew)
      ? []
      : ['has a clockSkew that is no duration up to 10m, e.g. "60s"']),
  ]
}

/** Keys that come unprotected are anybody's who stands in between. */
function isKeyAddress(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname } = new URL(text)
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
