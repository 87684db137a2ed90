import type { Dispatcher } from 'undici'
import { Deferred } from '../base/deferred.js'
import { outboundLimits } from '../base/limits/outbound.js'
import { outboundError } from './failures.js'
import { tooLarge } from './response-body.js'

/** A response as it came over the wire. */
export interface RawResponse {
  readonly status: number
  /** The first value of each header by its name in lower case; without a prototype. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

export interface CollectorOptions {
  readonly host: string
  /** True for HEAD, whose headers speak of a body that does not come. */
  readonly isBodiless: boolean
  readonly bytesMax: number
  /** Ends the exchange with its reason. */
  readonly signal: AbortSignal
}

/** Takes in one response, up to its limits; what is beyond them ends the connection. */
export class ResponseCollector implements Dispatcher.DispatchHandler {
  readonly #options: CollectorOptions
  readonly #response = new Deferred<RawResponse>()
  readonly #pieces: Buffer[] = []
  #length = 0
  #status = 0
  #headers: Readonly<Record<string, string>> = Object.create(null)
  #isOver = false

  constructor(options: CollectorOptions) {
    this.#options = options
  }

  /** Rejects with an OutboundError, the reason of the signal, or the error of the connection. */
  get response(): Promise<RawResponse> {
    return this.#response.promise
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    const { signal } = this.#options
    const abort = (): void => this.#end(controller, signal.reason as Error)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    const { host, isBodiless, bytesMax } = this.#options
    this.#status = status
    this.#headers = firstValues(controller.rawHeaders as readonly Buffer[])
    if (!isBodiless && Number(this.#headers['content-length'] ?? 0) > bytesMax) {
      this.#end(controller, tooLarge(host, bytesMax))
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, piece: Buffer): void {
    if (this.#isOver) return
    const { host, bytesMax } = this.#options
    this.#length += piece.length
    this.#pieces.push(piece)
    if (this.#length > bytesMax) this.#end(controller, tooLarge(host, bytesMax))
    // Each piece costs time of the HTTP thread, however few bytes it has.
    else if (this.#pieces.length > outboundLimits.responsePiecesMax) {
      this.#end(controller, outboundError('response_unreadable', host, ': its body comes in too many pieces'))
    }
  }

  onResponseEnd(): void {
    this.#isOver = true
    // Memory of its own: what shares a pool would drag the pool along to other threads.
    const body = new Uint8Array(this.#length)
    let at = 0
    for (const piece of this.#pieces) {
      body.set(piece, at)
      at += piece.length
    }
    this.#response.resolve({ status: this.#status, headers: this.#headers, body })
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#isOver = true
    this.#response.reject(error)
  }

  #end(controller: Dispatcher.DispatchController, reason: Error): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#response.reject(reason)
    controller.abort(reason)
  }
}

/** First value of each header by its name in lower case. */
function firstValues(pairs: readonly Buffer[]): Record<string, string> {
  // Without a prototype, so that a header like __proto__ stays a header.
  const fields: Record<string, string> = Object.create(null)
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    fields[String(pairs[at]).toLowerCase()] ??= String(pairs[at + 1])
  }
  return fields
}
