import type { FastifyReply, FastifyRequest } from 'fastify'
import { type CredentialFilter, usualCredentials } from '../identity/credentials.js'
import type { User } from '../identity/user.js'
import { looseReading, rawQuery, routedPath } from './request-path.js'

/** Answers a request in the place of the routes of the host, once all request stages have let it pass. */
export type Destination = (exchange: Exchange) => void

/** What an exchange asks of its pipeline. */
export interface ExchangeServices {
  clientIp(request: FastifyRequest): string
  /** Gives who sends a request, as the stage that finds it out has noted it. */
  userOf(request: FastifyRequest): User | undefined
  /** Knows the credentials of the host; those by their usual names when missing. */
  readonly credentials?: CredentialFilter
}

/** One request on its way through the pipeline and back. */
export class Exchange {
  /** Both are replaced when the request is routed anew. */
  request: FastifyRequest
  reply: FastifyReply
  /** Path and query as the client has sent them, whatever stages have made of them. */
  readonly sentUrl: string
  /** On the clock of `performance.now()`. */
  readonly startedMs = performance.now()
  /** Set by a stage that wants the request to go elsewhere, e.g. to another server. */
  destination: Destination | undefined
  /** True when a rate limit refused it. */
  isRateLimited = false
  /** True when a stage has changed the target, so that the route has to be looked up again. */
  isRewritten = false
  readonly #services: ExchangeServices
  #path: string | undefined
  #ip: string | undefined

  constructor(request: FastifyRequest, reply: FastifyReply, services: ExchangeServices) {
    this.request = request
    this.sentUrl = request.raw.url ?? '/'
    this.reply = reply
    this.#services = services
  }

  get method(): string {
    return this.request.raw.method ?? 'GET'
  }

  /** The path by which stages decide, as the router sees it: no spelling of a path gets past a rule. */
  get path(): string {
    this.#path ??= routedPath(this.request.raw.url ?? '/')
    return this.#path
  }

  /** The path as a server behind may read it, for rules that guard; see `looseReading`. */
  get loosePath(): string {
    return looseReading(this.path)
  }

  /** As it was sent, without the question mark. */
  get query(): string {
    return rawQuery(this.request.raw.url ?? '')
  }

  /** A header of the request by its name in lower case; several of one name are joined by commas. */
  header(name: string): string | undefined {
    const value = this.request.raw.headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  }

  /** Address of the client, behind trusted proxies the one that they name; `unknown` without a network. */
  get ip(): string {
    this.#ip ??= this.#services.clientIp(this.request)
    return this.#ip
  }

  /** Who has proved to send this; undefined for everybody else, and for stages in front of `authn`. */
  get user(): User | undefined {
    return this.#services.userOf(this.request)
  }

  /** Sets a header of the request for everything behind, or takes it out when the value is undefined. */
  setRequestHeader(name: string, value: string | undefined): void {
    const { raw } = this.request
    const { rawHeaders } = raw
    // Who has read the headers before keeps them as they were.
    const headers = { ...raw.headers }
    raw.headers = headers
    const key = name.toLowerCase()
    for (let at = rawHeaders.length - 2; at >= 0; at -= 2) {
      if (rawHeaders[at]?.toLowerCase() === key) rawHeaders.splice(at, 2)
    }
    delete headers[key]
    if (value === undefined) return
    headers[key] = value
    rawHeaders.push(name, value)
  }

  /** Leaves the credentials of the host out of what goes elsewhere. */
  get credentials(): CredentialFilter {
    return this.#services.credentials ?? usualCredentials
  }

  /**
   * Gives the request another path and query; its route is looked up again behind the last request stage.
   *
   * @param url Path in its encoded form, with or without a query.
   */
  rewrite(url: string): void {
    this.request.raw.url = url
    this.#path = undefined
    this.isRewritten = true
  }
}
