import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { openHost, type TestHost, type TestHostOptions } from './create-host.js'
import type { Answer } from './http-client.js'

export const password = 'four random words here'

/** A user of a test, signed in. */
export interface SignedIn {
  readonly id: string
  /** As a browser sends it: cookie and CSRF token. */
  readonly browser: Readonly<Record<string, string>>
  /** The cookie alone. */
  readonly cookie: string
  readonly csrf: string
  readonly sessionId: string
}

/** A host with users. */
export interface AccountHost extends Pick<TestHost, 'url' | 'credentials' | 'lines' | 'send'> {
  /** A request to `/api/v1/auth` + path. */
  auth(
    method: string,
    path: string,
    json?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>
  /** The same as an admin, with the admin token; asserts the status. */
  asAdmin<T = Record<string, unknown>>(
    method: string,
    path: string,
    json?: unknown,
    status?: number,
  ): Promise<T>
  /** Creates a user who has `password`; gives their id. */
  addUser(username: string, fields?: Readonly<Record<string, unknown>>): Promise<string>
  signIn(username: string, text?: string, headers?: Readonly<Record<string, string>>): Promise<SignedIn>
  /** Makes a key with the admin token; gives the whole key. */
  addKey(fields: Readonly<Record<string, unknown>>): Promise<string>
}

/** One host for all tests of a suite. */
export function useAccountHost(options: Partial<TestHostOptions> = {}): () => AccountHost {
  let server: (TestHost & { dispose(): Promise<void> }) | undefined
  before(async () => {
    server = await openHost({ plugins: {}, ...options })
  })
  after(() => server?.dispose())
  return () => {
    assert.ok(server, 'the host is up only while tests run')
    return withAccounts(server)
  }
}

/** The value of a cookie that an answer sets, with its name; undefined when it sets none of this name. */
export function setCookie(answer: Answer, name = 'modulacms_session'): string | undefined {
  const cookies = answer.headers['set-cookie'] ?? []
  return cookies.find((cookie) => cookie.startsWith(`${name}=`))
}

/** The code of a failure, in the form of the gateway or in that of the area. */
export function codeOf(answer: Answer): string | undefined {
  return answer.code ?? answer.json<{ code?: string }>().code
}

/** What tests do with the users of a host that they have started themselves. */
export function withAccounts(server: TestHost): AccountHost {
  const auth: AccountHost['auth'] = (method, path, json, headers = {}) =>
    server.send(method, `/api/v1/auth${path}`, { headers, ...(json !== undefined && { json }) })
  const asAdmin = async <T>(method: string, path: string, json?: unknown, status = 200): Promise<T> => {
    const answer = await auth(method, path, json, server.credentials)
    assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`)
    return answer.json<T & Record<string, unknown>>()
  }
  const addUser: AccountHost['addUser'] = async (username, fields = {}) => {
    const user = await asAdmin<{ id: string }>('POST', '/users', { username, password, ...fields }, 201)
    return user.id
  }
  const signIn: AccountHost['signIn'] = async (username, text = password, headers = {}) => {
    const answer = await auth('POST', '/login', { username, password: text }, headers)
    assert.equal(answer.status, 200, answer.text)
    const cookie =
      (setCookie(answer) ?? setCookie(answer, '__Host-modulacms_session') ?? '').split(';')[0] ?? ''
    const body = answer.json<{ user: { id: string }; csrf_token: string; session: { id: string } }>()
    return {
      id: body.user.id,
      cookie,
      csrf: body.csrf_token,
      browser: { cookie, 'x-csrf-token': body.csrf_token },
      sessionId: body.session.id,
    }
  }
  const addKey: AccountHost['addKey'] = async (fields) =>
    (await asAdmin<{ key: string }>('POST', '/keys', { name: 'test', ...fields }, 201)).key
  return {
    url: server.url,
    credentials: server.credentials,
    lines: server.lines,
    send: (method, path, sending) => server.send(method, path, sending),
    auth,
    asAdmin,
    addUser,
    signIn,
    addKey,
  }
}
