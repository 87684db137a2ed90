import { PermissionSet } from './permissions.js'

/** What a role lets its holders do in the administration, as patterns of permissions. */
export type RolePermissions = ReadonlyMap<string, readonly string[]>

/** Roles that every host has, and nobody can change. */
export const builtInRoles: Readonly<Record<string, readonly string[]>> = {
  admin: ['*'],
  owner: ['*'],
  operator: ['plugins:*', 'migrations:*', 'gateway:*', 'kv:*', 'content:*', 'metrics:read', 'config:read'],
  auditor: ['*:read'],
  user: [],
}

/**
 * Gives what somebody with these roles may do. Roles that nobody has defined permit nothing: they may mean something to a
 * plugin.
 */
export function permissionsOf(roles: Iterable<string>, defined: RolePermissions): PermissionSet {
  const patterns: string[] = []
  for (const role of roles) patterns.push(...(builtInOf(role) ?? defined.get(role) ?? []))
  return PermissionSet.of(patterns)
}

/** Names come from tokens, and may be those of members that every object has. */
function builtInOf(role: string): readonly string[] | undefined {
  return Object.hasOwn(builtInRoles, role) ? builtInRoles[role] : undefined
}
