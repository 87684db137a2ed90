import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { HostError } from '../../base/errors.js'
import { kvHttpLimits } from '../../base/limits/kv.js'
import { EventStream } from './event-stream.js'
import { failureBody, kvAnswers } from './routes-failures.js'
import type { KvRoutesOptions } from './routes-options.js'

/** Writes into a stream until there is nothing more to tell. */
export type Tell = (stream: EventStream) => Promise<void>

/** Opens streams for one application, and closes them with it. */
export class Streams {
  readonly #options: KvRoutesOptions
  readonly #open = new Set<EventStream>()
  #isClosing = false

  constructor(app: FastifyInstance, options: KvRoutesOptions) {
    this.#options = options
    // A server waits for its answers to end before it is closed, and these would never end by themselves.
    app.addHook('preClose', (done) => {
      this.#isClosing = true
      for (const stream of this.#open) stream.close()
      done()
    })
  }

  /**
   * Answers a request with a stream, for as long as there is something to tell and the client is there.
   *
   * @param begin Gives what tells; what it throws is answered as any failure, before the stream begins. The signal is
   *   aborted when the client has left, or the stream is closed.
   * @throws `KV_STREAMS_EXHAUSTED`, before the stream begins.
   */
  async open(
    request: FastifyRequest,
    reply: FastifyReply,
    begin: (signal: AbortSignal) => Tell | Promise<Tell>,
  ): Promise<FastifyReply> {
    const giveBack = this.#options.streams.take(this.#options.clientOf(request))
    const left = new AbortController()
    let tell: Tell
    try {
      tell = await begin(left.signal)
    } catch (error) {
      giveBack()
      throw error
    }
    const stream = new EventStream(reply, left, this.#options.heartbeatMs ?? kvHttpLimits.heartbeatMs)
    this.#open.add(stream)
    if (this.#isClosing) stream.close()
    void this.#tell(request, stream, tell).finally(() => {
      stream.close()
      this.#open.delete(stream)
      giveBack()
    })
    return reply
  }

  async #tell(request: FastifyRequest, stream: EventStream, tell: Tell): Promise<void> {
    try {
      await tell(stream)
    } catch (error) {
      if (!stream.isOpen) return
      if (!(error instanceof HostError)) {
        const { url, id } = request
        this.#options.log.error({ request_id: id, url, err: error }, 'kv stream failed')
      }
      const status = error instanceof HostError ? error.status : 500
      await stream.send({
        event: 'failure',
        data: JSON.stringify({ ...failureBody(kvAnswers.tell(error)), status }),
      })
    }
  }
}
