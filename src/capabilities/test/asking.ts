import { parseJson } from '../../sandbox/json-parser.js'
import { jsonText } from '../../sandbox/json-text.js'
import { DecodedJson, LuaRaise, type LuaValue, Results } from '../../sandbox/lua-value.js'
import { readTestIdentity } from '../auth/outcome-reader.js'
import type { TestIdentity } from '../auth/wire.js'
import type { Call } from '../define.js'
import {
  type HookOutcome,
  type RequestMock,
  type SeenLine,
  type SeenRequest,
  type TestRequest,
  type TestResponse,
  type TestRole,
  testRoles,
  testTopics,
} from './topics.js'

type Fields = Readonly<Record<string, LuaValue>>

/** Sends a request through the routes of the host. */
export async function sendRequest(
  call: Call,
  method: LuaValue,
  path: LuaValue,
  options: LuaValue,
): Promise<LuaValue> {
  const given = fieldsOf('test.request', options)
  const headers = headersOf('test.request', given.headers)
  const { body } = given
  const hasType = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type')
  if (body !== undefined && !hasType) headers['content-type'] = 'application/json'
  const request: TestRequest = {
    method: textArgument('test.request', 'method', method).toUpperCase(),
    path: textArgument('test.request', 'path', path),
    headers,
    body: body === undefined ? undefined : bodyOf(body),
    role: roleOf(given.auth),
    ...(given.identity !== undefined && { identity: identityOf(given) }),
  }
  const response = (await call.ask(testTopics.request, request)) as TestResponse
  const json = decodeBody(response)
  return {
    status: response.status,
    headers: { ...response.headers },
    body: textOrBytes(response.body),
    ...(json === undefined ? {} : { json }),
  }
}

/** Fires a hook event and gives what the hooks said, in the order that suits the event. */
export async function fireHook(
  call: Call,
  event: LuaValue,
  table: LuaValue,
  data: LuaValue,
  state: LuaValue,
): Promise<Results> {
  const name = textArgument('test.fire_hook', 'event', event)
  const outcome = (await call.ask(testTopics.fireHook, {
    event: name,
    table: textArgument('test.fire_hook', 'table', table),
    data: jsonText(data ?? {}),
    state: state === undefined ? undefined : jsonText(state),
  })) as HookOutcome
  if (name === 'before_read') {
    return new Results(decoded(outcome.response), decoded(outcome.state), outcome.refusal)
  }
  if (name === 'after_read') return new Results(decoded(outcome.headers), outcome.refusal)
  return new Results(outcome.refusal, decoded(outcome.row))
}

/** Answers outbound requests of the plugin without the network. */
export async function mockRequest(
  call: Call,
  method: LuaValue,
  target: LuaValue,
  answer: LuaValue,
): Promise<undefined> {
  const given = fieldsOf('test.mock_request', answer)
  if (given.json !== undefined && given.body !== undefined) {
    throw new LuaRaise('test.mock_request: json and body are mutually exclusive')
  }
  const headers = headersOf('test.mock_request', given.headers)
  if (given.json !== undefined) headers['content-type'] ??= 'application/json'
  const mock: RequestMock = {
    method: textArgument('test.mock_request', 'method', method).toUpperCase(),
    target: textArgument('test.mock_request', 'target', target),
    status: statusOf(given.status),
    headers,
    body: given.json === undefined ? bodyOf(given.body ?? '') : jsonText(given.json),
  }
  await call.ask(testTopics.mockRequest, mock)
}

/** Lists the outbound requests of this test. */
export async function listRequests(call: Call): Promise<LuaValue> {
  const requests = (await call.ask(testTopics.requests, undefined)) as readonly SeenRequest[]
  return requests.map(({ method, url, headers, body, mocked }) => ({
    method,
    url,
    headers: { ...headers },
    body: typeof body === 'string' ? body : textOrBytes(body),
    mocked,
  }))
}

/** Lists what the plugin has logged during this test. */
export async function listLines(call: Call): Promise<LuaValue> {
  const lines = (await call.ask(testTopics.log, undefined)) as readonly SeenLine[]
  return lines.map(({ level, message, fields }) => ({ level, message, context: { ...fields } }))
}

function fieldsOf(name: string, options: LuaValue): Fields {
  if (options === undefined) return {}
  if (typeof options !== 'object' || options === null || ArrayBuffer.isView(options)) {
    throw new LuaRaise(`${name}: options must be a table`)
  }
  if (Array.isArray(options) && options.length > 0)
    throw new LuaRaise(`${name}: options must have names as keys`)
  return options as unknown as Fields
}

function headersOf(name: string, headers: LuaValue): Record<string, string> {
  const texts: Record<string, string> = Object.create(null)
  for (const [key, value] of Object.entries(fieldsOf(name, headers))) {
    if (typeof value !== 'string' && typeof value !== 'number') {
      throw new LuaRaise(`${name}: the header ${key} must be text`)
    }
    texts[key.toLowerCase()] = String(value)
  }
  return texts
}

/** A text is sent as it is, a table as JSON. */
function bodyOf(body: LuaValue): string | Uint8Array {
  if (typeof body === 'string' || body instanceof Uint8Array) return body
  return jsonText(body ?? null)
}

function roleOf(auth: LuaValue): TestRole {
  const role = testRoles.find((each) => each === (auth ?? 'admin'))
  if (role !== undefined) return role
  throw new LuaRaise(`test.request: auth must be one of ${testRoles.join(', ')}`)
}

function identityOf({ identity, auth }: Fields): TestIdentity {
  if (auth !== undefined) throw new LuaRaise('test.request: auth and identity are mutually exclusive')
  return readTestIdentity(identity, 'test.request: identity')
}

function statusOf(status: LuaValue): number {
  if (status === undefined) return 200
  if (typeof status === 'number' && Number.isInteger(status) && status >= 100 && status <= 599) return status
  throw new LuaRaise('test.mock_request: status must be a whole number from 100 to 599')
}

function textArgument(name: string, param: string, value: LuaValue): string {
  if (typeof value === 'string') return value
  throw new LuaRaise(`${name}: ${param} must be UTF-8 text`)
}

function decodeBody({ headers, body }: TestResponse): LuaValue {
  if (!/^application\/json\b/i.test(headers['content-type'] ?? '')) return undefined
  try {
    return new DecodedJson(parseJson(Buffer.from(body).toString('utf8')))
  } catch {
    return undefined
  }
}

function decoded(text: string | undefined): LuaValue {
  if (text === undefined) return undefined
  const value = parseJson(text)
  return value === null ? undefined : new DecodedJson(value)
}

function textOrBytes(body: Uint8Array): string | Uint8Array {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const text = bytes.toString('utf8')
  return Buffer.byteLength(text) === bytes.length && Buffer.from(text).equals(bytes) ? text : bytes
}
