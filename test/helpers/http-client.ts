import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http'

/** What one request sends beside its method and path. */
export interface Sending {
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly body?: string | Buffer
  /** Sent as JSON with its content type, in the place of `body`. */
  readonly json?: unknown
}

/** One answer, with its bytes. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
  readonly text: string
  /** The decoded body; throws when it is no JSON. */
  json<T = Record<string, unknown>>(): T
  /** The `code` of an error envelope; undefined when the body is none. */
  readonly code: string | undefined
}

/** Sends requests over real sockets, each path exactly as it is given. */
export interface HttpClient {
  send(method: string, path: string, sending?: Sending): Promise<Answer>
  close(): void
}

/** Creates a client of a server; `url` has no path. */
export function createHttpClient(url: string): HttpClient {
  const { hostname, port } = new URL(url)
  const agent = new Agent({ keepAlive: true, maxSockets: 200 })
  return {
    close: () => agent.destroy(),
    send(method, path, { headers = {}, body, json } = {}) {
      const payload = json === undefined ? body : JSON.stringify(json)
      const type = json === undefined ? {} : { 'content-type': 'application/json' }
      // Node frames the bodies of methods that rarely have one only when it is told to.
      const length =
        payload === undefined || headers['transfer-encoding'] !== undefined
          ? {}
          : { 'content-length': String(Buffer.byteLength(payload)) }
      return new Promise((resolve, reject) => {
        const sent = httpRequest(
          { agent, hostname, port, method, path, headers: { ...type, ...length, ...headers } },
          (response) => {
            const chunks: Buffer[] = []
            response.on('data', (chunk: Buffer) => chunks.push(chunk))
            response.on('error', reject)
            response.on('end', () =>
              resolve(answerOf(response.statusCode ?? 0, response.headers, Buffer.concat(chunks))),
            )
          },
        )
        sent.on('error', reject)
        sent.end(payload)
      })
    },
  }
}

function answerOf(status: number, headers: IncomingHttpHeaders, bytes: Buffer): Answer {
  const text = bytes.toString('utf8')
  return {
    status,
    headers,
    bytes,
    text,
    json: <T>() => JSON.parse(text) as T,
    get code() {
      try {
        return (JSON.parse(text) as { error?: { code?: string } }).error?.code
      } catch {
        return undefined
      }
    },
  }
}
