import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import type { Exchange } from '../exchange.js'
import type { GatewayLog } from '../pipeline.js'
import { tunnelsFull } from './errors.js'
import { type HostWords, requestHeaders } from './forwarded-headers.js'
import type { ActiveRule } from './rule-reader.js'
import { Tunnel } from './tunnel.js'

export interface TunnelsOptions {
  readonly connectMs: number
  readonly headersMs: number
  readonly bodyIdleMs: number
  readonly tunnelIdleMs: number
  readonly tunnelsMax: number
  readonly lookup: LookupFunction
  readonly words: HostWords
  readonly log: GatewayLog
}

/** The WebSocket tunnels that are open or being opened. */
export class Tunnels {
  readonly #options: TunnelsOptions
  readonly #open = new Set<Tunnel>()

  constructor(options: TunnelsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#open.size
  }

  /**
   * Opens a tunnel to the target of a rule. A target that does not want one answers the client like any request.
   *
   * @param path What to ask the target for, with its query.
   * @throws `PROXY_TUNNELS_FULL`.
   */
  open(exchange: Exchange, active: ActiveRule, path: string): void {
    if (this.#open.size >= this.#options.tunnelsMax) throw tunnelsFull({}, { retryAfterSeconds: 1 })
    const tunnel = new Tunnel(exchange, active.rule.id, this.#options)
    this.#open.add(tunnel)
    tunnel.onEnd(() => this.#open.delete(tunnel))
    tunnel.connect(ask(exchange, active, path, this.#options))
  }

  /** Cuts all of them off. */
  close(): void {
    for (const tunnel of this.#open) tunnel.destroy()
  }
}

function ask(
  exchange: Exchange,
  active: ActiveRule,
  path: string,
  { lookup, words }: TunnelsOptions,
): ReturnType<typeof requestHttp> {
  const { hostname, port, isTls } = active.target
  const { 'content-length': _, ...headers } = requestHeaders(exchange, active, words)
  const options = {
    hostname,
    port,
    path,
    headers: { ...headers, connection: 'Upgrade', upgrade: 'websocket' },
    // A tunnel takes its connection with it.
    agent: false as const,
    lookup,
  }
  if (!isTls) return requestHttp(options)
  // The name of the certificate is that of the target, whatever the Host header says.
  const servername = isIP(hostname) === 0 ? hostname : ''
  return requestHttps({ ...options, servername, rejectUnauthorized: active.rule.secure })
}
