import type { User } from '../../src/identity/user.js'

/** Makes a user; an `admin` may do everything, all others nothing. */
export function userWithRole(role: string, username = 'test', id = '1'): User {
  const identity = JSON.stringify({ type: 'user', id, name: username, roles: [role] })
  return { id, username, role, identity, may: () => role === 'admin' }
}
