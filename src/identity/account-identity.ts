import { createIdentity, type Identity } from './identity.js'
import type { StoredKey } from './key-row.js'
import { PermissionSet } from './permissions.js'
import type { RoleStore } from './role-store.js'
import type { StoredUser } from './user-row.js'

/** Gives the permissions of roles at this moment. */
export type RoleLookup = Pick<RoleStore, 'permissionsOf'>

/**
 * Makes the identity of a user in the database. Its name is the user name: it is unique, and nobody chooses one that
 * another has.
 *
 * @param authenticator Name of the authenticator that vouches for them.
 */
export async function identityOfUser(
  user: StoredUser,
  authenticator: string,
  roles: RoleLookup,
): Promise<Identity> {
  return createIdentity({
    kind: 'user',
    sub: user.id,
    name: user.username,
    email: user.email,
    roles: user.roles,
    groups: user.groups,
    tenant: user.tenant,
    claims: user.claims,
    authenticator,
    permissions: await roles.permissionsOf(user.roles),
  })
}

/**
 * Makes the identity of an API key. What its owner has lost since it was made, it has lost too: permissions, roles, and
 * the tenant when theirs is another by now.
 *
 * @param owner Undefined for a key that belongs to nobody.
 * @returns Undefined when the owner belongs to another tenant than the key: it would see what neither may.
 */
export async function identityOfKey(
  key: StoredKey,
  owner: StoredUser | undefined,
  authenticator: string,
  roles: RoleLookup,
): Promise<Identity | undefined> {
  if (owner?.tenant !== undefined && owner.tenant !== key.tenant) return undefined
  const permissions = PermissionSet.of([...key.permissions, ...(await roles.permissionsOf(key.roles)).list()])
  const ofOwner = owner && (await roles.permissionsOf(owner.roles))
  const isFree = ofOwner === undefined || ofOwner.isAll
  return createIdentity({
    kind: key.kind,
    sub: `key:${key.id}`,
    name: key.name,
    roles: isFree ? key.roles : key.roles.filter((role) => owner?.roles.includes(role)),
    tenant: key.tenant,
    authenticator,
    permissions: ofOwner === undefined ? permissions : permissions.within(ofOwner),
  })
}
