import { errorOfAnswer, notJson } from './answers.js'
import { ClientError } from './client-error.js'

/** Where and how requests are sent. */
export interface TransportOptions {
  /** Origin of the server, e.g. `http://127.0.0.1:8080`; a path prefix is kept. */
  readonly url: string
  /** The admin token, an API key or another bearer token, sent as `Authorization: Bearer`. */
  readonly token?: string | undefined
  /** Token of a session, as `me.signIn` gives it; sent as the header `sessionHeader`. */
  readonly session?: string | undefined
  /** `auth.session.header` of the server's configuration; `x-session-id` when missing. */
  readonly sessionHeader?: string | undefined
  /** In a browser that has a session, its `csrf_token`, as `me.session` gives it; sent with all that may change something. */
  readonly csrfToken?: string | undefined
  /** The platform's `fetch` when missing. */
  readonly fetch?: typeof fetch | undefined
  /** Time for a whole request in milliseconds; 30,000 when missing. */
  readonly timeoutMs?: number | undefined
}

/** One request; `acceptedStatuses` are error statuses whose body is an answer all the same. */
export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly body?: unknown
  readonly acceptedStatuses?: readonly number[]
  /** Gives the request up; what it rejects with is then the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** A request whose answer is read while it comes in. */
export interface StreamRequest {
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  /** Ends the answer, too. */
  readonly signal: AbortSignal
}

/** Sends requests of one client; everything rejects with `ClientError`. */
export interface Transport {
  /** Resolves to the decoded JSON body. */
  (request: TransportRequest): Promise<unknown>
  /** Resolves to the body as it is. */
  text(request: TransportRequest): Promise<string>
  /** Resolves to a body of server-sent events as soon as it begins; the time limit ends there. */
  stream(request: StreamRequest): Promise<ReadableStream<Uint8Array>>
}

const defaultTimeoutMs = 30_000
const defaultSessionHeader = 'x-session-id'

/** Creates the one function through which every call of a client goes. */
export function createTransport(options: TransportOptions): Transport {
  const base = parseBase(options.url)
  assertSendable(options)
  const connection = new Connection(base, options)

  const request = async (sent: TransportRequest) => parseAnswer(await connection.exchange(sent), base)
  return Object.assign(request, {
    text: async (sent: TransportRequest) => (await connection.exchange(sent)).text,
    stream: (sent: StreamRequest) => connection.stream(sent),
  })
}

interface Exchange {
  readonly status: number
  readonly text: string
}

class Connection {
  readonly #base: string
  readonly #credentials: Readonly<Record<string, string>>
  readonly #csrfToken: string | undefined
  readonly #fetch: typeof fetch
  readonly #timeoutMs: number

  constructor(base: string, options: TransportOptions) {
    this.#base = base
    const { token, session, sessionHeader = defaultSessionHeader } = options
    this.#credentials = {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(session !== undefined && { [sessionHeader]: session }),
    }
    this.#csrfToken = options.csrfToken
    // Browsers call their own fetch as a method of the window only.
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init))
    this.#timeoutMs = options.timeoutMs ?? defaultTimeoutMs
  }

  /** @returns The answer when its status tells of success, or is one of the accepted ones. */
  async exchange({ method, path, body, acceptedStatuses = [], signal }: TransportRequest): Promise<Exchange> {
    const { status, text } = await this.#timed(signal, async (timed) => {
      const response = await this.#send(path, {
        method,
        headers: {
          ...this.#headers('application/json', body !== undefined),
          ...(method !== 'GET' && this.#csrfToken !== undefined && { 'x-csrf-token': this.#csrfToken }),
        },
        signal: timed,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return { status: response.status, text: await response.text() }
    })
    if ((status >= 200 && status < 300) || acceptedStatuses.includes(status)) return { status, text }
    throw errorOfAnswer(status, text, this.#base)
  }

  async stream({ path, headers = {}, signal }: StreamRequest): Promise<ReadableStream<Uint8Array>> {
    const ended = new AbortController()
    const end = () => ended.abort(signal.reason)
    signal.addEventListener('abort', end, { once: true })
    try {
      if (signal.aborted) end()
      const response = await this.#timed(signal, (timed) => {
        // The time limit is for the beginning of the answer, so its signal must not stay with the body.
        timed.addEventListener('abort', () => ended.abort(timed.reason), { once: true })
        const given = { ...this.#headers('text/event-stream', false), ...headers }
        return this.#send(path, { method: 'GET', headers: given, signal: ended.signal })
      })
      if (!response.ok) throw errorOfAnswer(response.status, await response.text(), this.#base)
      if (!isEventStream(response)) throw notAStream(response.status, this.#base)
      return response.body
    } catch (thrown) {
      signal.removeEventListener('abort', end)
      ended.abort()
      throw thrown
    }
  }

  #send(path: string, init: RequestInit): Promise<Response> {
    // A redirect could carry the token to another server.
    return this.#fetch(`${this.#base}${path}`, { ...init, redirect: 'error' })
  }

  #headers(accept: string, hasBody: boolean): Record<string, string> {
    return {
      accept,
      ...this.#credentials,
      ...(hasBody ? { 'content-type': 'application/json' } : {}),
    }
  }

  /** Runs a request that the caller's signal or the time limit ends. */
  async #timed<T>(signal: AbortSignal | undefined, work: (timed: AbortSignal) => Promise<T>): Promise<T> {
    const timed = new AbortController()
    const timer = setTimeout(() => timed.abort(timedOut), this.#timeoutMs)
    const give = () => timed.abort(signal?.reason)
    signal?.addEventListener('abort', give, { once: true })
    try {
      if (signal?.aborted) give()
      return await work(timed.signal)
    } catch (thrown) {
      if (signal?.aborted) throw signal.reason
      if (timed.signal.reason === timedOut) throw timeoutError(this.#base, this.#timeoutMs, thrown)
      throw thrown instanceof ClientError ? thrown : unreachableError(this.#base, thrown)
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', give)
    }
  }
}

const timedOut: unique symbol = Symbol('timed out')

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

/** What cannot be in a header would fail in `fetch` with a message that shows the secret. */
function assertSendable({
  token,
  session,
  sessionHeader = defaultSessionHeader,
  csrfToken,
}: TransportOptions): void {
  const refuse = (code: string, problem: string): never => {
    throw new ClientError({ status: 0, code, message: problem })
  }
  const isSendable = (secret: string | undefined) => secret === undefined || /^[\x21-\x7e]+$/.test(secret)
  if (!isSendable(token)) {
    refuse(
      'INVALID_TOKEN',
      'the token is empty, or has characters that no token has; give the one line of the admin-token file, or an API key',
    )
  }
  if (!isSendable(session) || !isSendable(csrfToken) || !/^[a-z0-9-]+$/i.test(sessionHeader)) {
    refuse(
      'INVALID_SESSION',
      'session, sessionHeader or csrfToken is empty, or has characters that it cannot have; give what the server has given',
    )
  }
}

function timeoutError(base: string, timeoutMs: number, cause: unknown): ClientError {
  return new ClientError({
    status: 0,
    code: 'REQUEST_TIMEOUT',
    message: `the server at ${base} did not answer within ${timeoutMs} ms; its log tells whether the request is still running`,
    cause,
  })
}

function unreachableError(base: string, thrown: unknown): ClientError {
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

function parseAnswer({ status, text }: Exchange, base: string): unknown {
  try {
    return JSON.parse(text)
  } catch (thrown) {
    throw notJson(status, base, thrown)
  }
}

function isEventStream(response: Response): response is Response & { body: ReadableStream<Uint8Array> } {
  return response.body !== null && /^text\/event-stream\b/.test(response.headers.get('content-type') ?? '')
}

function notAStream(status: number, base: string): ClientError {
  return new ClientError({
    status,
    code: 'INVALID_RESPONSE',
    message: `${base} answered with status ${status} and something that is no stream of events; is it a modulacms server?`,
  })
}
