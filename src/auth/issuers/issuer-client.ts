import { Agent, request } from 'undici'
import { messageOf } from '../../base/errors.js'
import { authLimits } from '../../base/limits/auth.js'
import { IssuerUnavailable } from './fetched-value.js'
import { isIssuerAddress } from './issuer-address.js'

/** What one request to an issuer sends beside its address. */
export interface IssuerRequest {
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/**
 * Sends requests to the issuers of the configuration, within a time and a size. Their addresses are the operator's
 * choice and may be private ones; redirects are not followed, and nothing is sent unprotected to another machine.
 */
export class IssuerClient {
  readonly #timeoutMs: number
  readonly #agent: Agent

  /** @param timeoutMs Time of one request; `authLimits.issuerTimeoutMs` when missing. */
  constructor(timeoutMs: number = authLimits.issuerTimeoutMs) {
    this.#timeoutMs = timeoutMs
    this.#agent = new Agent({
      connections: authLimits.issuerConnectionsMax,
      connect: { timeout: timeoutMs },
    })
  }

  /**
   * Sends a request and takes in the answer.
   *
   * @throws IssuerUnavailable when there is none, or one that tells of a failure of the issuer.
   */
  async send(address: string, { method = 'GET', headers = {}, body }: IssuerRequest = {}): Promise<Response> {
    if (!isIssuerAddress(address))
      throw new IssuerUnavailable('it has an address that is not protected by https')
    const { host, pathname } = new URL(address)
    try {
      const answer = await request(address, {
        method,
        headers: { ...headers, 'accept-encoding': 'identity' },
        body: body ?? null,
        dispatcher: this.#agent,
        signal: AbortSignal.timeout(this.#timeoutMs),
      })
      const bytes = await readBounded(answer.body)
      const { statusCode: status } = answer
      // What is too much for it, or is not there, says nothing of what was asked.
      if (status >= 500 || status === 429) throw new Error(`it answers ${status}`)
      const type = answer.headers['content-type']
      return new Response(status === 204 ? null : bytes, {
        status,
        headers: typeof type === 'string' ? { 'content-type': type } : {},
      })
    } catch (error) {
      throw new IssuerUnavailable(`${host}${pathname}: ${messageOf(error)}`, error)
    }
  }

  /**
   * Fetches a JSON object.
   *
   * @throws IssuerUnavailable as `send`, and for anything else.
   */
  async fetchObject(address: string): Promise<Readonly<Record<string, unknown>>> {
    const response = await this.send(address, { headers: { accept: 'application/json' } })
    const { host, pathname } = new URL(address)
    if (response.status !== 200) {
      throw new IssuerUnavailable(`${host}${pathname}: it answers ${response.status}`)
    }
    const value: unknown = await response.json().catch(() => undefined)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Readonly<Record<string, unknown>>
    }
    throw new IssuerUnavailable(`${host}${pathname}: it answers what is no object of JSON`)
  }

  /** Ends what is being sent. */
  close(): Promise<void> {
    return this.#agent.destroy()
  }
}

async function readBounded(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  // Leaving the loop early closes the connection.
  for await (const chunk of body) {
    length += chunk.length
    if (length > authLimits.issuerBytesMax) {
      throw new Error(`it answers with more than ${authLimits.issuerBytesMax} bytes`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
