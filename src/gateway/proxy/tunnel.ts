import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { messageOf } from '../../base/errors.js'
import { proxyLimits } from '../../base/limits/gateway.js'
import type { Exchange } from '../exchange.js'
import type { GatewayLog } from '../pipeline.js'
import { upstreamFailed, upstreamLate } from './errors.js'
import { failureOf, sendFailure } from './failed-upstream.js'
import { type Upgrade, upgradeOf } from './upgrade.js'
import { answerHeaders, openingHeaders } from './upstream-answer.js'

export interface TunnelOptions {
  readonly connectMs: number
  readonly headersMs: number
  readonly bodyIdleMs: number
  readonly tunnelIdleMs: number
  readonly log: GatewayLog
}

/** One client and one target that exchange bytes, once the target has agreed. */
export class Tunnel {
  readonly #exchange: Exchange
  readonly #ruleId: string
  readonly #options: TunnelOptions
  readonly #client: Socket
  #early: Buffer[]
  #earlyBytes: number
  #asked: ClientRequest | undefined
  #upstream: Socket | undefined
  #timer: NodeJS.Timeout | undefined
  #isSettled = false

  /** @param exchange Of a request with an upgrade. */
  constructor(exchange: Exchange, ruleId: string, options: TunnelOptions) {
    const { socket, head } = upgradeOf(exchange.request.raw) as Upgrade
    this.#exchange = exchange
    this.#ruleId = ruleId
    this.#options = options
    this.#client = socket
    this.#early = [head]
    this.#earlyBytes = head.length
  }

  /** Calls back once when the client has gone, or has been answered otherwise. */
  onEnd(told: () => void): void {
    this.#client.once('close', told)
  }

  /** Waits for what the target says to the request. */
  connect(asked: ClientRequest): void {
    const { connectMs, headersMs } = this.#options
    this.#asked = asked
    this.#client.on('data', this.#keepEarly)
    this.#client.once('end', this.#leave)
    this.#client.once('close', this.#leave)
    this.#waitFor(connectMs)
    asked.once('socket', (socket) => {
      const ready = 'encrypted' in socket ? 'secureConnect' : 'connect'
      socket.once(ready, () => this.#waitFor(headersMs))
    })
    asked.once('upgrade', (answer, socket: Socket, head) => this.#open(answer, socket, head))
    asked.once('response', (answer) => this.#relay(answer))
    asked.on('error', (error) => this.#fail(error))
    asked.end()
  }

  /** Ends both connections at once. */
  destroy(): void {
    clearTimeout(this.#timer)
    this.#asked?.destroy()
    this.#upstream?.destroy()
    this.#client.destroy()
  }

  readonly #keepEarly = (chunk: Buffer): void => {
    this.#early.push(chunk)
    this.#earlyBytes += chunk.length
    if (this.#earlyBytes > proxyLimits.tunnelEarlyBytesMax) this.#client.pause()
  }

  readonly #leave = (): void => {
    this.#isSettled = true
    this.destroy()
  }

  #waitFor(ms: number): void {
    clearTimeout(this.#timer)
    if (!this.#isSettled) this.#timer = setTimeout(() => this.#late(), ms)
  }

  #late(): void {
    this.#refuse(upstreamLate())
    this.#asked?.destroy()
  }

  /** The first that happens decides; false for everything later. */
  #settle(): boolean {
    if (this.#isSettled) return false
    this.#isSettled = true
    clearTimeout(this.#timer)
    this.#client.off('data', this.#keepEarly)
    this.#client.off('end', this.#leave)
    return true
  }

  #fail(error: unknown): void {
    if (this.#isSettled) return
    const { request } = this.#exchange
    this.#options.log.warn(
      { rule: this.#ruleId, request_id: request.id, error: messageOf(error) },
      'the target of a rule of the proxy failed',
    )
    this.#refuse(failureOf(error))
  }

  #refuse(failure: Parameters<typeof sendFailure>[1]): void {
    if (this.#settle()) sendFailure(this.#exchange.reply, failure)
  }

  #relay(answer: IncomingMessage): void {
    const headers = answerHeaders(answer.statusCode ?? 0, answer.headers, this.#exchange.credentials)
    if (headers === undefined) {
      this.#fail(new Error('its answer cannot be passed on'))
      answer.destroy()
      return
    }
    if (!this.#settle()) return
    const { reply } = this.#exchange
    reply.code(answer.statusCode ?? 0).headers(headers)
    answer.setTimeout(this.#options.bodyIdleMs, () => answer.destroy())
    reply.send(answer)
  }

  #open(answer: IncomingMessage, upstream: Socket, head: Buffer): void {
    this.#upstream = upstream
    upstream.on('error', () => upstream.destroy())
    const headers = openingHeaders(answer, this.#exchange.credentials)
    if (headers === undefined) {
      this.#refuse(upstreamFailed())
      upstream.destroy()
      return
    }
    if (!this.#settle()) {
      upstream.destroy()
      return
    }
    const { reply } = this.#exchange
    const set = reply.getHeaders()
    reply.hijack()
    // Node takes lists and numbers as values; its type for a whole head knows fewer than the one for each header.
    reply.raw.writeHead(101, { ...set, ...headers, connection: 'Upgrade', upgrade: 'websocket' } as never)
    reply.raw.flushHeaders()
    this.#join(upstream, head)
  }

  #join(upstream: Socket, head: Buffer): void {
    const client = this.#client
    // Bytes in either direction count for both.
    client.setTimeout(this.#options.tunnelIdleMs, () => this.destroy())
    upstream.setTimeout(0)
    client.setNoDelay(true)
    upstream.setNoDelay(true)
    client.once('close', () => upstream.destroy())
    upstream.once('close', () => client.destroySoon())
    if (head.length > 0) client.write(head)
    for (const chunk of this.#early.splice(0)) upstream.write(chunk)
    client.pipe(upstream)
    upstream.pipe(client)
  }
}
