import { isDeepStrictEqual } from 'node:util'
import { grantExceeded, userBeyondReach } from './errors.js'
import type { Identity } from './identity.js'
import { PermissionSet } from './permissions.js'
import { builtInPatterns, permissionsOf, type RolePermissions } from './roles.js'

/** What somebody is to be given, or has; what is missing is nothing. */
export interface Grant {
  readonly roles?: readonly string[] | undefined
  /** Patterns of permissions that come without a role. */
  readonly permissions?: readonly string[] | undefined
  readonly groups?: readonly string[] | undefined
  /** Null or undefined for what belongs to no tenant. */
  readonly tenant?: string | null | undefined
  readonly claims?: Identity['claims'] | undefined
}

/** The part of an identity that decides what it may give. */
export type Giver = Pick<Identity, 'roles' | 'groups' | 'tenant' | 'claims' | 'permissions'>

/**
 * Checks that somebody gives nothing that they do not have, to a user, a key or a role that they make or change. Who has
 * every permission may give anything. Others give permissions that they have, and roles that are defined and permit no
 * more than that; of what rules and plugins read in their own way, which are undefined roles, groups and claims, only
 * what they have themselves; and their own tenant when they belong to one.
 *
 * @param defined What the roles of the grant permit, from `RoleStore.definitions`.
 * @throws `GRANT_EXCEEDED` that names what is missing.
 */
export function checkGrant(giver: Giver, grant: Grant, defined: RolePermissions): void {
  const missing = missingFor(giver, grant, defined)
  if (missing.length > 0) throw grantExceeded({ missing: describe(missing) })
}

/**
 * Checks that somebody may change, delete or set the password of a user: only of one who has nothing that they do not
 * have, as they could become that user.
 *
 * @param user What the user has, before the change.
 * @param defined What the roles of the user permit.
 * @throws `USER_BEYOND_REACH` that names what is missing.
 */
export function checkReach(giver: Giver, user: Grant, defined: RolePermissions): void {
  const missing = missingFor(giver, user, defined)
  if (missing.length > 0) throw userBeyondReach({ missing: describe(missing) })
}

function missingFor(giver: Giver, grant: Grant, defined: RolePermissions): readonly string[] {
  if (giver.permissions.isAll) return []
  const { roles = [], permissions = [], groups = [], tenant, claims = {} } = grant
  const own = new Set(giver.roles)
  const isUndefined = (role: string) => builtInPatterns(role) === undefined && !defined.has(role)
  return [
    ...lacking(giver.permissions, PermissionSet.of(permissions)),
    ...lacking(giver.permissions, permissionsOf(roles, defined)),
    ...roles.filter((role) => isUndefined(role) && !own.has(role)).map((role) => `the role ${role}`),
    ...groups.filter((group) => !giver.groups.includes(group)).map((group) => `the group ${group}`),
    ...(giver.tenant !== undefined && giver.tenant !== tenant ? [`anything outside of ${giver.tenant}`] : []),
    ...Object.keys(claims)
      .filter((name) => !isDeepStrictEqual(giver.claims[name], claims[name]))
      .map((name) => `the claim ${name}`),
  ]
}

function lacking(own: PermissionSet, wanted: PermissionSet): readonly string[] {
  return wanted.list().filter((permission) => !own.has(permission))
}

const describedMax = 5

function describe(missing: readonly string[]): string {
  const all = [...new Set(missing)]
  const shown = all.slice(0, describedMax).join(', ')
  return all.length > describedMax ? `${shown} and ${all.length - describedMax} more` : shown
}
