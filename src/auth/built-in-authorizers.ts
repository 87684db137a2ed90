import type { Permission } from '../identity/permissions.js'
import { type Authorizer, allowed, deny } from './authorizer.js'

/** Roles that `admin_only` lets pass. */
const adminRoles: readonly string[] = ['admin', 'owner']

const none: Authorizer = { name: 'none', authorize: () => allowed }

const adminOnly: Authorizer = {
  name: 'admin_only',
  authorize: ({ identity }) =>
    identity.roles.some((role) => adminRoles.includes(role))
      ? allowed
      : deny('it takes the role admin or owner'),
}

const tenantScope: Authorizer = {
  name: 'tenant_scope',
  authorize: ({ identity: { tenant }, attributes: { tenantId } }) => {
    if (tenant === undefined) return deny('it takes somebody who belongs to a tenant')
    return tenantId === undefined || tenantId === tenant ? allowed : deny('it belongs to another tenant')
  },
}

/** Those that every host has, by the names that rules use. */
export const builtInAuthorizers: ReadonlyMap<string, Authorizer> = new Map(
  [none, adminOnly, tenantScope].map((authorizer) => [authorizer.name, authorizer]),
)

/** Creates the authorizer of a rule that names roles: one of them is enough. */
export function createRolesAuthorizer(roles: readonly string[]): Authorizer {
  return {
    name: 'roles',
    authorize: ({ identity }) =>
      identity.roles.some((role) => roles.includes(role))
        ? allowed
        : deny(`it takes one of the roles ${roles.join(', ')}`),
  }
}

/** Creates the authorizer of a rule that names permissions: it takes all of them. */
export function createPermissionsAuthorizer(permissions: readonly Permission[]): Authorizer {
  return {
    name: 'permissions',
    authorize: ({ identity }) => {
      const missing = permissions.find((permission) => !identity.permissions.has(permission))
      return missing === undefined ? allowed : deny(`it takes the permission ${missing}`)
    },
  }
}
