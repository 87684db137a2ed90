import type { TestIdentity } from '../auth/wire.js'

/** Names under which the module `test` asks the host; each answers with the type that stands beside it. */
export const testTopics = {
  /** Payload: the names of the tests of the file. Answer: the one that is to run, or undefined. */
  begin: 'test.begin',
  /** Answered when the VM that asks may be given back. */
  hold: 'test.hold',
  request: 'test.request',
  fireHook: 'test.fire_hook',
  waitHooks: 'test.wait_hooks',
  /** Answer: the number of messages that are left. */
  waitMessages: 'test.wait_messages',
  mockRequest: 'test.mock_request',
  requests: 'test.requests',
  log: 'test.log',
  /** Payload: an `AskedAuthorizer`. Answer: a `ClaimedDecision`. */
  authorize: 'test.authorize',
  mockCheck: 'test.mock_check',
} as const

/** Who sends a request of a test. */
export const testRoles = ['admin', 'viewer', 'none'] as const

export type TestRole = (typeof testRoles)[number]

/** A request to the routes of the host. */
export interface TestRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array | undefined
  readonly role: TestRole
  /** Who sends it in the place of somebody with that role; nobody else when missing. */
  readonly identity?: TestIdentity
}

export interface TestResponse {
  readonly status: number
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** A hook event as a test fires it. Rows are JSON texts. */
export interface FiredHook {
  readonly event: string
  readonly table: string
  readonly data: string
  /** What the before-read hooks have left; undefined when the test gave none. */
  readonly state: string | undefined
}

/** What hooks said. Values are JSON texts; undefined where there is nothing. */
export interface HookOutcome {
  /** Why a before-hook refused. */
  readonly refusal?: string | undefined
  /** The row as before-hooks left it. */
  readonly row?: string | undefined
  /** What a read hook answers in place of the entry. */
  readonly response?: string | undefined
  readonly state?: string | undefined
  readonly headers?: string | undefined
}

/** An outbound call that is answered without the network. */
export interface RequestMock {
  /** Upper case. */
  readonly method: string
  /** Host and path, e.g. `api.example.com/v1/items`. */
  readonly target: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

/** An outbound call that the plugin has made. */
export interface SeenRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
  /** Whether a mock answered it. */
  readonly mocked: boolean
}

/** An authorizer that a test asks. */
export interface AskedAuthorizer {
  readonly name: string
  readonly identity: TestIdentity
  /** JSON of what is asked about. */
  readonly access: string
}

/** What `auth.check` answers in a test. */
export interface CheckMock {
  readonly action: string
  readonly resourceType: string
  readonly allows: boolean
  readonly reason: string
}

/** A line that the plugin has logged. */
export interface SeenLine {
  readonly level: string
  readonly message: string
  readonly fields: Readonly<Record<string, string>>
}
