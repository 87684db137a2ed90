import { ClientError } from './client-error.js'

/** Where and how requests are sent. */
export interface TransportOptions {
  /** Origin of the server, e.g. `http://127.0.0.1:8080`; a path prefix is kept. */
  readonly url: string
  /** Sent as `Authorization: Bearer`; without it only public paths answer. */
  readonly token?: string | undefined
  /** The platform's `fetch` when missing. */
  readonly fetch?: typeof fetch | undefined
  /** Time for a whole request in milliseconds; 30,000 when missing. */
  readonly timeoutMs?: number | undefined
}

/** One request; `acceptedStatuses` are error statuses whose body is an answer all the same. */
export interface TransportRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: unknown
  readonly acceptedStatuses?: readonly number[]
}

/** Sends one request and resolves to the decoded JSON body; rejects with `ClientError`. */
export type Transport = (request: TransportRequest) => Promise<unknown>

const defaultTimeoutMs = 30_000

/** Creates the one function through which every call of the client goes. */
export function createTransport(options: TransportOptions): Transport {
  const base = parseBase(options.url)
  assertToken(options.token)
  const send = options.fetch ?? fetch
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs

  return async function request({ method, path, body, acceptedStatuses = [] }) {
    const init: RequestInit = {
      method,
      headers: headersOf(options.token, body !== undefined),
      // A redirect could carry the token to another server.
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }
    const { status, text } = await exchange(send, base, path, init, timeoutMs)
    if (status >= 200 && status < 300) return parseAnswer(text, status, base)
    if (acceptedStatuses.includes(status)) return parseAnswer(text, status, base)
    throw toClientError(status, text, base)
  }
}

function parseBase(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || !['http:', 'https:'].includes(parsed.protocol)) {
    throw new ClientError({
      status: 0,
      code: 'INVALID_URL',
      message: `"${url}" is not a server address; give one like http://127.0.0.1:8080`,
    })
  }
  return `${parsed.origin}${parsed.pathname}`.replace(/\/+$/, '')
}

/** What cannot be in a header would fail in `fetch` with a message that shows the token. */
function assertToken(token: string | undefined): void {
  if (token === undefined || /^[\x21-\x7e]+$/.test(token)) return
  throw new ClientError({
    status: 0,
    code: 'INVALID_TOKEN',
    message:
      'the token is empty, or has characters that no token has; give the one line of the admin-token file',
  })
}

function headersOf(token: string | undefined, hasBody: boolean): Record<string, string> {
  return {
    accept: 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(hasBody ? { 'content-type': 'application/json' } : {}),
  }
}

interface Exchange {
  readonly status: number
  readonly text: string
}

async function exchange(
  send: typeof fetch,
  base: string,
  path: string,
  init: RequestInit,
  timeoutMs: number,
): Promise<Exchange> {
  try {
    const response = await send(`${base}${path}`, init)
    return { status: response.status, text: await response.text() }
  } catch (thrown) {
    throw toTransportError(thrown, base, timeoutMs)
  }
}

function toTransportError(thrown: unknown, base: string, timeoutMs: number): ClientError {
  if (thrown instanceof Error && thrown.name === 'TimeoutError') {
    return new ClientError({
      status: 0,
      code: 'REQUEST_TIMEOUT',
      message: `the server at ${base} did not answer within ${timeoutMs} ms; its log tells whether the request is still running`,
      cause: thrown,
    })
  }
  return new ClientError({
    status: 0,
    code: 'SERVER_UNREACHABLE',
    message: `no server answers at ${base} (${reasonOf(thrown)}); start one with \`modulacms serve\`, or name the right address`,
    cause: thrown,
  })
}

/** `fetch` hides the reason of a refused connection in the cause of its error. */
function reasonOf(thrown: unknown): string {
  const cause = thrown instanceof Error ? (thrown.cause ?? thrown) : thrown
  if (typeof cause === 'object' && cause !== null && 'code' in cause && cause.code === 'ECONNREFUSED') {
    return 'the connection was refused'
  }
  return cause instanceof Error ? cause.message : String(cause)
}

function parseAnswer(text: string, status: number, base: string): unknown {
  try {
    return JSON.parse(text)
  } catch (thrown) {
    throw new ClientError({
      status,
      code: 'INVALID_RESPONSE',
      message: `${base} answered with status ${status} and something that is not JSON; is it a modulacms server?`,
      cause: thrown,
    })
  }
}

interface ErrorBody {
  readonly error?: { readonly code?: unknown; readonly message?: unknown; readonly request_id?: unknown }
  readonly errors?: unknown
}

function toClientError(status: number, text: string, base: string): ClientError {
  const { error, errors } = parseErrorBody(text)
  if (error === undefined) {
    return new ClientError({
      status,
      code: 'INVALID_RESPONSE',
      message: `${base} answered with status ${status} and no error code; is it a modulacms server?`,
    })
  }
  return new ClientError({
    status,
    code: textOr(error.code, 'UNKNOWN'),
    message: textOr(error.message, `the server answered with status ${status}`),
    requestId: typeof error.request_id === 'string' ? error.request_id : undefined,
    problems: Array.isArray(errors) ? errors.filter((problem) => typeof problem === 'string') : [],
  })
}

function parseErrorBody(text: string): ErrorBody {
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body !== 'object' || body === null) return {}
    const { error, errors } = body as ErrorBody
    return typeof error === 'object' && error !== null ? { error, errors } : {}
  } catch {
    return {}
  }
}

function textOr(value: unknown, fallback: string): string {
  return typeof value === 'string' && value !== '' ? value : fallback
}
