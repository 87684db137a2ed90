import type {
  Account,
  AccountFields,
  AccountPage,
  AccountQuery,
  AccountRole,
  AccountSession,
  ApiKey,
  ApiKeyFields,
  ApiKeyPage,
  ApiKeyQuery,
  IssuedApiKey,
} from './account-types.js'
import { queryOf } from './query.js'
import type { Transport } from './transport.js'

/** Operations on users; `user` is an id, a name or an address. All reject with `ClientError`. */
export interface UserClient {
  list(query?: AccountQuery): Promise<AccountPage>
  get(user: string): Promise<Account>
  /** Without a password none lets them in. */
  create(
    username: string,
    fields?: AccountFields & { readonly password?: string; readonly external?: Account['external'] },
  ): Promise<Account>
  update(user: string, fields: AccountFields & { readonly username?: string }): Promise<Account>
  delete(user: string): Promise<void>
  /** Ends all sessions of the user and revokes all keys. Null lets no password in. */
  setPassword(user: string, password: string | null): Promise<void>
  sessions(user: string): Promise<readonly AccountSession[]>
  /** Ends one session, all without an id; gives how many. */
  endSessions(user: string, id?: string): Promise<number>
}

/** Operations on API keys. All reject with `ClientError`. */
export interface KeyClient {
  list(query?: ApiKeyQuery): Promise<ApiKeyPage>
  create(fields: ApiKeyFields): Promise<IssuedApiKey>
  /** For good. */
  revoke(id: string): Promise<ApiKey>
}

/** Operations on roles. All reject with `ClientError`. */
export interface RoleClient {
  list(): Promise<readonly AccountRole[]>
  get(name: string): Promise<AccountRole>
  /** Defines a role, or changes it. */
  put(name: string, permissions: readonly string[], description?: string): Promise<AccountRole>
  /** Rejects with `ROLE_IN_USE` while somebody has it. */
  delete(name: string): Promise<void>
}

const authPath = '/api/v1/auth'

/** Makes the operations on users. */
export function createUserClient(send: Transport): UserClient {
  const pathOf = (user: string, rest = '') => `${authPath}/users/${encodeURIComponent(user)}${rest}`
  return {
    list: async (query = {}) =>
      (await send({ method: 'GET', path: `${authPath}/users${queryOf(query)}` })) as AccountPage,
    get: async (user) => (await send({ method: 'GET', path: pathOf(user) })) as Account,
    create: async (username, fields = {}) =>
      (await send({ method: 'POST', path: `${authPath}/users`, body: { username, ...fields } })) as Account,
    update: async (user, body) => (await send({ method: 'PATCH', path: pathOf(user), body })) as Account,
    delete: async (user) => void (await send({ method: 'DELETE', path: pathOf(user) })),
    setPassword: async (user, password) =>
      void (await send({ method: 'PUT', path: pathOf(user, '/password'), body: { password } })),
    sessions: async (user) => {
      const answer = await send({ method: 'GET', path: pathOf(user, '/sessions') })
      return (answer as { sessions: AccountSession[] }).sessions
    },
    endSessions: async (user, id) => {
      const rest = id === undefined ? '/sessions' : `/sessions/${encodeURIComponent(id)}`
      const answer = await send({ method: 'DELETE', path: pathOf(user, rest) })
      return id === undefined ? (answer as { ended: number }).ended : 1
    },
  }
}

/** Makes the operations on API keys. */
export function createKeyClient(send: Transport): KeyClient {
  const path = `${authPath}/keys`
  return {
    list: async ({ inForce, ...query } = {}) =>
      (await send({
        method: 'GET',
        path: `${path}${queryOf({ ...query, in_force: inForce })}`,
      })) as ApiKeyPage,
    create: async (body) => (await send({ method: 'POST', path, body })) as IssuedApiKey,
    revoke: async (id) =>
      (await send({ method: 'DELETE', path: `${path}/${encodeURIComponent(id)}` })) as ApiKey,
  }
}

/** Makes the operations on roles. */
export function createRoleClient(send: Transport): RoleClient {
  const pathOf = (name: string) => `${authPath}/roles/${encodeURIComponent(name)}`
  return {
    list: async () =>
      ((await send({ method: 'GET', path: `${authPath}/roles` })) as { roles: AccountRole[] }).roles,
    get: async (name) => (await send({ method: 'GET', path: pathOf(name) })) as AccountRole,
    put: async (name, permissions, description) => {
      const body = { permissions, ...(description === undefined ? {} : { description }) }
      return (await send({ method: 'PUT', path: pathOf(name), body })) as AccountRole
    },
    delete: async (name) => void (await send({ method: 'DELETE', path: pathOf(name) })),
  }
}
