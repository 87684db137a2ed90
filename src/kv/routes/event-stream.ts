import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import { openEventStream } from '../../areas/event-stream.js'
import { kvHttpLimits } from '../../base/limits/kv.js'

/** One event of a stream. */
export interface StreamEvent {
  /** Its name; missing where there is nothing to tell but a place to go on from. */
  readonly event?: string
  /** What the client sends as `Last-Event-ID` to go on behind it; what it had stays when missing. */
  readonly id?: string
  /** Text without line breaks, such as JSON. */
  readonly data?: string
}

/** How the event has left: not at all, with its beginning perhaps, or as far as the system knows entirely. */
export type Sent = 'not sent' | 'interrupted' | 'sent'

/**
 * An answer of server-sent events. It holds no queue: `send` ends when the socket has taken the event, and whoever
 * sends waits for that before it looks for the next one. So a reader that is slow has at most one event in memory.
 */
export class EventStream {
  readonly #response: ServerResponse
  readonly #left: AbortController
  readonly #heartbeat: NodeJS.Timeout

  /**
   * Takes the answer over from the framework and sends its head.
   *
   * @param left Is aborted when the client has left or the stream is closed.
   */
  constructor(reply: FastifyReply, left: AbortController, heartbeatMs: number) {
    this.#left = left
    this.#response = openEventStream(reply)
    this.#response.once('close', () => this.#end())
    // An answer that cannot be written ends with "close" as well.
    this.#response.on('error', () => this.#end())
    this.#heartbeat = setInterval(() => this.#beat(), heartbeatMs)
    this.#response.write(`retry: ${kvHttpLimits.retryMs}\n\n`)
    if (this.#response.destroyed) this.#end()
  }

  get isOpen(): boolean {
    return !this.#left.signal.aborted
  }

  /** Sends an event and waits until the socket has room again. */
  async send(event: StreamEvent): Promise<Sent> {
    if (!this.isOpen) return 'not sent'
    if (this.#response.write(textOf(event))) return 'sent'
    return (await this.#drained()) ? 'sent' : 'interrupted'
  }

  /** Ends the stream from this side; what has been sent still arrives. */
  close(): void {
    this.#end()
    this.#response.end()
    // A client that does not read would keep the connection, and with it a host that closes.
    if (this.#response.writableNeedDrain) this.#response.destroy()
  }

  #drained(): Promise<boolean> {
    const response = this.#response
    const { signal } = this.#left
    return new Promise((resolve) => {
      const settle = (isDrained: boolean) => () => {
        response.off('drain', drained)
        signal.removeEventListener('abort', aborted)
        resolve(isDrained)
      }
      const drained = settle(true)
      const aborted = settle(false)
      response.once('drain', drained)
      signal.addEventListener('abort', aborted, { once: true })
    })
  }

  /** A socket that has not taken the last event yet needs no sign of life. */
  #beat(): void {
    if (this.isOpen && !this.#response.writableNeedDrain) {
      this.#response.write(': still here\nevent: ping\ndata:\n\n')
    }
  }

  #end(): void {
    clearInterval(this.#heartbeat)
    this.#left.abort()
  }
}

function textOf({ event, id, data }: StreamEvent): string {
  const lines = [
    ...(id === undefined ? [] : [`id: ${id}`]),
    ...(event === undefined ? [] : [`event: ${event}`]),
    ...(data === undefined ? [] : [`data: ${data}`]),
  ]
  return `${lines.join('\n')}\n\n`
}
