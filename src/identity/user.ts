import { describeIdentity } from './described-identity.js'
import type { Identity } from './identity.js'
import type { Permission } from './permissions.js'

/** Somebody who has proved who they are, as the areas of the host and the handlers of plugins see them. */
export interface User {
  readonly id: string
  /** What logs call them. */
  readonly username: string
  /** `admin` for those who may do everything, else the first of their roles; `user` without any. */
  readonly role: string
  /** Whose data they may see; undefined for somebody who belongs to no tenant. */
  readonly tenant?: string | undefined
  /** Tells whether they may do something in the administration; false for a permission that there is not. */
  may(permission: string): boolean
  /** All that is known of them, as JSON in the form in which plugins see it. */
  readonly identity: string
}

/**
 * Gives the user that an identity is; undefined for nobody that is known. Only people are called by their names: whoever
 * makes a key chooses what it is called.
 */
export function toUser(identity: Identity): User | undefined {
  const { kind, sub, name, roles, tenant, permissions } = identity
  if (kind === 'anonymous') return undefined
  let text: string | undefined
  return {
    id: sub,
    username: kind === 'user' ? (name ?? sub) : sub,
    role: permissions.isAll ? 'admin' : (roles.find((role) => role !== 'admin') ?? 'user'),
    tenant,
    may: (permission) => permissions.has(permission as Permission),
    get identity() {
      text ??= JSON.stringify(describeIdentity(identity))
      return text
    },
  }
}
