import type { Identity, IdentityKind } from './identity.js'
import type { Permission } from './permissions.js'

/** Who may use something; all that it names has to hold. It names at least one thing. */
export interface Requirement {
  /** One of them is enough. */
  readonly roles?: readonly string[]
  /** It takes all of them. */
  readonly permissions?: readonly Permission[]
  /** It takes somebody who belongs to a tenant, whichever it is. */
  readonly tenant?: true
  /** One of them has to vouch; written with `_`. */
  readonly authenticators?: readonly string[]
  /** What the sender has to be one of. */
  readonly types?: readonly Exclude<IdentityKind, 'anonymous'>[]
}

/** Says what of a requirement somebody lacks, for themselves to read; undefined when nothing. Nobody known lacks all. */
export function missingFor(requirement: Requirement, identity: Identity): string | undefined {
  const { roles, permissions, tenant, authenticators, types } = requirement
  const { kind, authenticator } = identity
  if (kind === 'anonymous') return 'a credential'
  if (types?.every((type) => type !== kind)) return oneOf('identity of the type', types)
  if (authenticators?.every((name) => name !== authenticator.replaceAll('-', '_'))) {
    return oneOf('credential of the authenticator', authenticators)
  }
  if (tenant && identity.tenant === undefined) return 'a tenant'
  if (roles?.every((role) => !identity.roles.includes(role))) return oneOf('role', roles)
  const permission = permissions?.find((each) => !identity.permissions.has(each))
  return permission === undefined ? undefined : `the permission ${permission}`
}

/** Says in a few words who may pass, e.g. `one of the roles analyst, editor; a tenant`. */
export function describeRequirement(requirement: Requirement): string {
  const { roles, permissions = [], tenant, authenticators, types } = requirement
  return [
    ...(types === undefined ? [] : [oneOf('identity of the type', types)]),
    ...(authenticators === undefined ? [] : [oneOf('credential of the authenticator', authenticators)]),
    ...(tenant ? ['a tenant'] : []),
    ...(roles === undefined ? [] : [oneOf('role', roles)]),
    ...permissions.map((permission) => `the permission ${permission}`),
  ].join('; ')
}

/** Writes a requirement so that equal ones are equal texts, whatever the order of their lists; empty for none. */
export function requirementText(requirement: Requirement | undefined): string {
  if (requirement === undefined) return ''
  const entries = Object.entries(requirement)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => [name, Array.isArray(value) ? [...value].sort() : value])
  return JSON.stringify(Object.fromEntries(entries))
}

/** Reads what `requirementText` wrote. */
export function requirementOf(text: string): Requirement | undefined {
  return text === '' ? undefined : (JSON.parse(text) as Requirement)
}

function oneOf(what: string, names: readonly string[]): string {
  const article = /^[aeiou]/.test(what) ? 'an' : 'a'
  if (names.length === 1) return what === 'role' ? `the role ${names[0]}` : `${article} ${what} ${names[0]}`
  return what === 'role' ? `one of the roles ${names.join(', ')}` : `${article} ${what} ${names.join(' or ')}`
}
