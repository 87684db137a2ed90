import type { Socket } from 'node:net'
import { Client } from 'undici'
import { outboundLimits } from '../base/limits/outbound.js'
import { AddressPolicy } from './address-policy.js'
import { Connector } from './connector.js'
import { failureOf, OutboundError } from './failures.js'
import type { OutboundRequest, OutboundResponse, OutboundResult, OutboundSender } from './outbound-sender.js'
import { authorityOf } from './outbound-url.js'
import { type AddressResolver, createAddressResolver } from './resolver.js'
import { decodeBody } from './response-body.js'
import { ResponseCollector } from './response-collector.js'

export interface OutboundClientOptions {
  /** Whether requests may go to 127.0.0.0/8 and ::1. */
  readonly allowLocal: boolean
  /** Bytes of the body of a response, before and after decoding. */
  readonly responseBytesMax: number
  /** Who finds the addresses of names; the name servers of the system when missing. */
  readonly resolve?: AddressResolver
  /** Certificates, in PEM, that TLS trusts; those of Node when missing. */
  readonly certificates?: string
}

/**
 * Sends requests to other servers. Each has a connection of its own: nothing that a server sends for one request can
 * be taken for the answer to another, and addresses are checked each time.
 *
 *   refused (busy) ◀─ send ─▶ look up ▶ check ▶ connect ▶ TLS ▶ request ▶ headers ▶ body ─▶ response
 *                                 one deadline over all of it; close() cancels
 */
export class OutboundClient implements OutboundSender {
  readonly #connector: Connector
  readonly #responseBytesMax: number
  /** Requests at this moment, by plugin. */
  readonly #inFlight = new Map<string, number>()
  #inFlightTotal = 0
  readonly #cancels = new Set<AbortController>()
  #isClosed = false

  constructor(options: OutboundClientOptions) {
    const { allowLocal, responseBytesMax, resolve = createAddressResolver(), certificates } = options
    this.#connector = new Connector({ policy: new AddressPolicy(allowLocal), resolve, certificates })
    this.#responseBytesMax = responseBytesMax
  }

  /** Requests at this moment. */
  get inFlight(): number {
    return this.#inFlightTotal
  }

  async send(request: OutboundRequest): Promise<OutboundResult> {
    const { host } = request.target
    const busy = this.#refuse(request.plugin)
    if (busy !== undefined) return { ok: false, failure: failureOf(busy, host) }
    this.#count(request.plugin, 1)
    const controller = new AbortController()
    this.#cancels.add(controller)
    const timer = setTimeout(() => controller.abort(timedOut(request)), request.timeoutMs)
    try {
      return { ok: true, response: await this.#exchange(request, controller.signal) }
    } catch (error) {
      const cause = controller.signal.aborted ? controller.signal.reason : error
      return { ok: false, failure: failureOf(cause, host) }
    } finally {
      clearTimeout(timer)
      this.#cancels.delete(controller)
      this.#count(request.plugin, -1)
    }
  }

  /** Cancels what is being sent and refuses what comes later. */
  close(): void {
    this.#isClosed = true
    for (const controller of this.#cancels) {
      controller.abort(new OutboundError('canceled', 'the request was canceled: the host is shutting down'))
    }
  }

  #refuse(plugin: string): OutboundError | undefined {
    if (this.#isClosed) {
      return new OutboundError('canceled', 'the request was canceled: the host is shutting down')
    }
    const { concurrentPerPluginMax, concurrentMax } = outboundLimits
    if ((this.#inFlight.get(plugin) ?? 0) >= concurrentPerPluginMax) {
      return new OutboundError(
        'busy',
        `too many requests at once: a plugin may have ${concurrentPerPluginMax}`,
      )
    }
    if (this.#inFlightTotal < concurrentMax) return undefined
    return new OutboundError('busy', `too many requests at once: all plugins may have ${concurrentMax}`)
  }

  #count(plugin: string, change: 1 | -1): void {
    const count = (this.#inFlight.get(plugin) ?? 0) + change
    if (count === 0) this.#inFlight.delete(plugin)
    else this.#inFlight.set(plugin, count)
    this.#inFlightTotal += change
  }

  async #exchange(request: OutboundRequest, signal: AbortSignal): Promise<OutboundResponse> {
    const socket = await untilAborted(this.#connector.connect(request.target, signal), signal)
    try {
      return await this.#converse(request, socket, signal)
    } finally {
      socket.destroy()
    }
  }

  async #converse(request: OutboundRequest, socket: Socket, signal: AbortSignal): Promise<OutboundResponse> {
    const { method, target } = request
    const { host, path } = target
    const bytesMax = this.#responseBytesMax
    const client = new Client(`${target.scheme}://${authorityOf(target)}`, {
      connect: onceConnected(socket),
      maxHeaderSize: outboundLimits.responseHeaderBytesMax,
      // The signal ends the request, at whatever step it stands.
      headersTimeout: 0,
      bodyTimeout: 0,
    })
    const collector = new ResponseCollector({ host, isBodiless: method === 'HEAD', bytesMax, signal })
    const headers = [...request.headers.entries.flat(), 'accept-encoding', 'identity']
    try {
      client.dispatch({ method, path, headers, body: request.body ?? null, reset: true }, collector)
      const { status, headers: fields, body: bytes } = await collector.response
      const body = await decodeBody({ host, bytes, encoding: fields['content-encoding'], bytesMax })
      return { status, headers: fields, body }
    } finally {
      // Its socket is all that it has, and that is destroyed by whoever opened it.
      client.destroy().catch(() => undefined)
    }
  }
}

function timedOut({ timeoutMs }: OutboundRequest): OutboundError {
  return new OutboundError('timeout', `request timed out after ${Math.ceil(timeoutMs / 100) / 10}s`)
}

/** Rejects with the reason of the signal; a socket that comes too late is closed. */
async function untilAborted(connecting: Promise<Socket>, signal: AbortSignal): Promise<Socket> {
  const aborted = new Promise<never>((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  try {
    return await Promise.race([connecting, aborted])
  } catch (error) {
    connecting.then(
      (socket) => socket.destroy(),
      () => undefined,
    )
    throw error
  }
}

/** Hands out a connection once: undici must never make another, whose address nobody has checked. */
function onceConnected(socket: Socket): ConnectorFunction {
  let isTaken = false
  return (_options, callback) => {
    const isFirst = !isTaken
    isTaken = true
    // Not at once: undici hears nothing while it still asks.
    setImmediate(() => {
      if (isFirst) callback(null, socket)
      else callback(new Error('the connection has been used'), null)
    })
  }
}

type ConnectorFunction = Extract<
  NonNullable<NonNullable<ConstructorParameters<typeof Client>[1]>['connect']>,
  (...args: never[]) => unknown
>
