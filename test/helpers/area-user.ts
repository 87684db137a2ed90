import type { User } from '../../src/identity/user.js'

/** Makes a user; an `admin` may do everything, all others nothing. */
export function userWithRole(role: string, username = 'test', id = '1'): User {
  return { id, username, role, may: () => role === 'admin' }
}
