/** What can be permitted in the administration: `<area>:<what>`. */
export const permissionNames = [
  'plugins:read',
  'plugins:admin',
  'migrations:read',
  'migrations:admin',
  'content:read',
  'content:write',
  'content:admin',
  'kv:read',
  'kv:write',
  'kv:queue',
  'kv:watch',
  'gateway:read',
  'gateway:admin',
  'metrics:read',
  'users:read',
  'users:admin',
  'keys:read',
  'keys:admin',
  'policies:read',
  'policies:admin',
  'config:read',
] as const

export type Permission = (typeof permissionNames)[number]

/** Permissions that somebody has; a value. */
export class PermissionSet {
  readonly #permissions: ReadonlySet<Permission>

  private constructor(permissions: ReadonlySet<Permission>) {
    this.#permissions = permissions
    Object.freeze(this)
  }

  /** @param patterns Permissions, `<area>:*`, `*:<what>` or `*`; each has to be one of `isPermissionPattern`. */
  static of(patterns: Iterable<string>): PermissionSet {
    const permissions = new Set<Permission>()
    for (const pattern of patterns) for (const name of matching(pattern)) permissions.add(name)
    return new PermissionSet(permissions)
  }

  has(permission: Permission): boolean {
    return this.#permissions.has(permission)
  }

  /** True when nothing is missing that another set has. */
  includes(other: PermissionSet): boolean {
    return other.list().every((permission) => this.has(permission))
  }

  /** True when nothing is missing at all. */
  get isAll(): boolean {
    return this.#permissions.size === permissionNames.length
  }

  /** Those that both sets have. */
  within(other: PermissionSet): PermissionSet {
    return new PermissionSet(new Set(this.list().filter((permission) => other.has(permission))))
  }

  /** In the order of `permissionNames`. */
  list(): readonly Permission[] {
    return permissionNames.filter((permission) => this.has(permission))
  }
}

export const noPermissions = PermissionSet.of([])
export const allPermissions = PermissionSet.of(['*'])

/** True for a text that stands for at least one permission. */
export function isPermissionPattern(text: string): boolean {
  return matching(text).length > 0
}

function matching(pattern: string): readonly Permission[] {
  if (pattern === '*') return permissionNames
  const [area, what, ...rest] = pattern.split(':')
  if (what === undefined || rest.length > 0) return []
  return permissionNames.filter((name) => {
    const [ownArea, ownWhat] = name.split(':')
    return (area === '*' || area === ownArea) && (what === '*' || what === ownWhat)
  })
}
