import type { AccountSession, ApiKey, ApiKeyPage, IssuedApiKey } from './account-types.js'
import type {
  OwnAccount,
  OwnApiKeyFields,
  OwnApiKeyQuery,
  OwnSession,
  PasswordChange,
  SignIn,
  SignOut,
} from './own-account-types.js'
import { queryOf } from './query.js'
import type { Transport } from './transport.js'

/** What people do with their own account. All reject with `ClientError`. */
export interface OwnAccountClient {
  /**
   * Opens a session; everybody may try. Give its token as `session` to another client, which then is theirs. Rejects with
   * `LOGIN_REFUSED` for a wrong name or password, and with `LOGIN_THROTTLED` after too many.
   */
  signIn(username: string, password: string): Promise<SignIn>
  /** Ends the session of this client; without one it does nothing. */
  signOut(): Promise<SignOut>
  /** Who sends the requests of this client, and their account when they have one. */
  get(): Promise<OwnAccount>
  /** Who sends the requests of this client, their session and, when a browser sends it as cookie, its CSRF token. */
  session(): Promise<OwnSession>
  /** Ends all sessions, revokes all keys, and gives the session of this client anew. */
  changePassword(oldPassword: string, newPassword: string): Promise<PasswordChange>
  sessions(): Promise<readonly AccountSession[]>
  endSession(id: string): Promise<void>
  /** Ends all but the session of this client; gives how many. */
  endOtherSessions(): Promise<number>
  keys(query?: OwnApiKeyQuery): Promise<ApiKeyPage>
  /** The key never does more than its owner may at that moment. */
  createKey(fields: OwnApiKeyFields): Promise<IssuedApiKey>
  /** For good. */
  revokeKey(id: string): Promise<ApiKey>
}

const root = '/api/v1/auth'
const [sessionsPath, keysPath] = [`${root}/me/sessions`, `${root}/me/keys`]

/** Makes the operations of people on their own account. */
export function createOwnAccountClient(send: Transport): OwnAccountClient {
  const get = async <Answer>(path: string) => (await send({ method: 'GET', path })) as Answer
  const post = async <Answer>(path: string, body?: object) =>
    (await send({ method: 'POST', path, ...(body !== undefined && { body }) })) as Answer
  const remove = async <Answer>(path: string) => (await send({ method: 'DELETE', path })) as Answer
  return {
    signIn: (username, password) => post(`${root}/login`, { username, password, session: 'token' }),
    signOut: () => post(`${root}/logout`),
    get: () => get(`${root}/me`),
    session: () => get(`${root}/session`),
    changePassword: (oldPassword, newPassword) =>
      post(`${root}/password`, { old_password: oldPassword, new_password: newPassword }),
    sessions: async () => (await get<{ sessions: AccountSession[] }>(sessionsPath)).sessions,
    async endSession(id) {
      await remove(`${sessionsPath}/${encodeURIComponent(id)}`)
    },
    endOtherSessions: async () => (await remove<{ ended: number }>(sessionsPath)).ended,
    keys: ({ inForce, ...page } = {}) => get(`${keysPath}${queryOf({ ...page, in_force: inForce })}`),
    createKey: (fields) => post(keysPath, fields),
    revokeKey: (id) => remove(`${keysPath}/${encodeURIComponent(id)}`),
  }
}
