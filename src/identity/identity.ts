import { identityLimits } from '../base/limits/identity.js'
import { noPermissions, type PermissionSet } from './permissions.js'

/** What claims are made of. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue }

/**
 * What somebody is: a person, an API key, another service, a worker whose token a plugin has checked, or nobody that is
 * known.
 */
export const identityKinds = ['user', 'key', 'service', 'worker', 'anonymous'] as const

export type IdentityKind = (typeof identityKinds)[number]

/** Somebody, as an authenticator has found out. Only `createIdentity` makes one. */
export interface Identity {
  readonly kind: IdentityKind
  /** Unique among those of one kind and one authenticator, e.g. the id of a user. */
  readonly sub: string
  readonly name: string | undefined
  readonly email: string | undefined
  readonly roles: readonly string[]
  readonly groups: readonly string[]
  /** Whose data it may see, where tenants share a host; undefined for those who belong to none. */
  readonly tenant: string | undefined
  /** What else is known, e.g. the claims of a token. */
  readonly claims: { readonly [name: string]: JsonValue }
  /** Name of the authenticator that vouches for it. */
  readonly authenticator: string
  /** What it may do in the administration. */
  readonly permissions: PermissionSet
}

/** What an identity is made of; what is missing is empty. */
export type IdentityFields = Pick<Identity, 'kind' | 'sub' | 'authenticator'> & Partial<Identity>

/** Nobody that is known. */
export const anonymous: Identity = Object.freeze({
  kind: 'anonymous',
  sub: 'anonymous',
  name: undefined,
  email: undefined,
  roles: Object.freeze([]),
  groups: Object.freeze([]),
  tenant: undefined,
  claims: Object.freeze({}),
  authenticator: 'none',
  permissions: noPermissions,
})

/**
 * Makes an identity that nobody can change afterwards.
 *
 * @throws Error that says what is too long or malformed. Nothing is cut: a shortened name could be another's.
 */
export function createIdentity(fields: IdentityFields): Identity {
  const { kind, sub, name, email, roles = [], groups = [], tenant, claims = {} } = fields
  const { nameCharactersMax, rolesMax, groupsMax } = identityLimits
  checkText('sub', sub, nameCharactersMax)
  if (name !== undefined) checkText('name', name, nameCharactersMax)
  if (email !== undefined) checkText('email', email, nameCharactersMax)
  if (tenant !== undefined) checkText('tenant', tenant, identityLimits.labelCharactersMax)
  return Object.freeze({
    kind,
    sub,
    name,
    email,
    roles: checkLabels('roles', roles, rolesMax),
    groups: checkLabels('groups', groups, groupsMax),
    tenant,
    claims: freeze(checkClaims(claims)) as Identity['claims'],
    authenticator: fields.authenticator,
    permissions: fields.permissions ?? noPermissions,
  })
}

/**
 * Checks one text of an identity; such texts end up in headers, logs and terminals.
 *
 * @param field Named in the error.
 * @throws Error for one that is no text, empty, too long, no valid Unicode, or has characters that turn lines or their direction.
 */
export function checkText(field: string, text: string, charactersMax: number): void {
  // Claims of a token come as whatever its issuer has put into it.
  if (typeof text !== 'string') throw new Error(`${field} is no text`)
  if (text === '') throw new Error(`${field} is empty`)
  if (text.length > charactersMax) {
    throw new Error(`${field} has ${text.length} characters; the limit is ${charactersMax}`)
  }
  if (/[\p{Cc}\p{Surrogate}\u2028-\u202e\u2066-\u2069]/u.test(text))
    throw new Error(`${field} has a control character`)
}

/**
 * Checks roles or groups.
 *
 * @returns Each once, in their order.
 * @throws Error as `checkText`, and for more than `max`.
 */
export function checkLabels(field: string, labels: readonly string[], max: number): readonly string[] {
  if (labels.length > max) throw new Error(`${field} has ${labels.length} members; the limit is ${max}`)
  for (const label of labels) checkText(`a member of ${field}`, label, identityLimits.labelCharactersMax)
  return Object.freeze([...new Set(labels)])
}

/**
 * Checks claims.
 *
 * @returns A copy that nobody else has.
 * @throws Error for claims that are too long or too deep.
 */
export function checkClaims(claims: Identity['claims']): Identity['claims'] {
  const { claimsBytesMax, claimsDepthMax } = identityLimits
  const text = JSON.stringify(claims)
  const bytes = Buffer.byteLength(text)
  if (bytes > claimsBytesMax) throw new Error(`claims have ${bytes} bytes; the limit is ${claimsBytesMax}`)
  const copy = JSON.parse(text) as Identity['claims']
  checkDepth(copy, claimsDepthMax)
  return copy
}

function checkDepth(value: JsonValue, depthLeft: number): void {
  if (typeof value !== 'object' || value === null) return
  if (depthLeft === 0)
    throw new Error(`claims are nested deeper than ${identityLimits.claimsDepthMax} levels`)
  for (const member of Object.values(value)) checkDepth(member, depthLeft - 1)
}

function freeze(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null) return value
  for (const member of Object.values(value)) freeze(member)
  return Object.freeze(value)
}
