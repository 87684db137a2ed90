import type { Identity } from './identity.js'
import type { Permission } from './permissions.js'

/** Somebody who has proved who they are, as the areas of the host and the handlers of plugins see them. */
export interface User {
  readonly id: string
  /** What logs call them. */
  readonly username: string
  /** `admin` for those who may do everything, else the first of their roles; `user` without any. */
  readonly role: string
  /** Tells whether they may do something in the administration; false for a permission that there is not. */
  may(permission: string): boolean
}

/** Gives the user that an identity is; undefined for nobody that is known. */
export function toUser({ kind, sub, name, roles, permissions }: Identity): User | undefined {
  if (kind === 'anonymous') return undefined
  return {
    id: sub,
    username: name ?? sub,
    role: permissions.isAll ? 'admin' : (roles.find((role) => role !== 'admin') ?? 'user'),
    may: (permission) => permissions.has(permission as Permission),
  }
}
