import { identityLimits } from '../base/limits/identity.js'
import type { JsonValue } from '../identity/identity.js'

/** Where a token says what, as dotted paths, e.g. `realm_access.roles`. */
export interface ClaimPaths {
  /** The members of all of them together. */
  readonly roles: readonly string[]
  readonly groups: readonly string[]
  readonly tenant: string
  readonly name: string
  readonly email: string
}

/** What a token says of somebody, beside who it is. */
export interface ReadClaims {
  readonly roles: readonly string[]
  readonly groups: readonly string[]
  readonly tenant: string | undefined
  readonly name: string | undefined
  readonly email: string | undefined
}

type Claims = { readonly [name: string]: JsonValue }

/** Claims that say something of the token, and nothing of who has it. */
const tokenClaims: ReadonlySet<string> = new Set([
  'iss',
  'aud',
  'exp',
  'nbf',
  'iat',
  'jti',
  'nonce',
  'at_hash',
  'c_hash',
  's_hash',
  'azp',
  'sid',
  'typ',
  'acr',
])

/**
 * Reads what the claims of a verified token say at these paths.
 *
 * @throws Error for a value of another type: a token whose roles cannot be read is not one without roles.
 */
export function readClaims(claims: Claims, paths: ClaimPaths): ReadClaims {
  const verified = claims.email_verified !== false
  return {
    roles: paths.roles.flatMap((path) => readList(claims, path)),
    groups: paths.groups.flatMap((path) => readList(claims, path)),
    tenant: readText(claims, paths.tenant),
    name: readText(claims, paths.name),
    // An address that nobody has checked is not one that somebody else may be known by.
    email: verified ? readText(claims, paths.email) : undefined,
  }
}

/** Leaves out of claims what is about the token itself; the rest goes to plugins. */
export function personalClaims(claims: Claims): Claims {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => !tokenClaims.has(name)))
}

/** A name with dots, as some issuers use URLs, is looked for as a whole first. */
function find(claims: Claims, path: string): JsonValue | undefined {
  if (Object.hasOwn(claims, path)) return claims[path]
  let found: JsonValue | undefined = claims
  for (const name of path.split('.')) {
    if (typeof found !== 'object' || found === null || Array.isArray(found)) return undefined
    found = Object.hasOwn(found, name) ? (found as Claims)[name] : undefined
  }
  return found
}

function readList(claims: Claims, path: string): readonly string[] {
  const found = find(claims, path)
  if (found === undefined || found === null) return []
  // A text with spaces is how scopes are written.
  const members = typeof found === 'string' ? found.split(' ').filter((each) => each !== '') : found
  if (!Array.isArray(members) || !members.every((each) => typeof each === 'string')) {
    throw new Error(`the claim ${path} is no list of texts`)
  }
  if (members.length > identityLimits.groupsMax) throw new Error(`the claim ${path} has too many members`)
  return members as readonly string[]
}

function readText(claims: Claims, path: string): string | undefined {
  const found = find(claims, path)
  if (found === undefined || found === null || found === '') return undefined
  if (typeof found !== 'string') throw new Error(`the claim ${path} is no text`)
  return found
}
