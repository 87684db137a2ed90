import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import { openEventStream } from '../../areas/event-stream.js'
import { messageOf } from '../../base/errors.js'
import { monitorLimits } from '../../base/limits/gateway.js'
import { streamsExhausted } from './errors.js'

/** Where failures of snapshots are written; pino's loggers fit. */
export interface SnapshotLog {
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

export interface SnapshotStreamsOptions {
  /** Gives what each event has as its data; anything that JSON can hold. */
  snapshot(): unknown
  readonly log: SnapshotLog
  /** Milliseconds between two snapshots; `monitorLimits.snapshotMs` when missing. */
  readonly everyMs?: number
  /** Streams that may be open at once; `monitorLimits.streamsMax` when missing. */
  readonly streamsMax?: number
}

interface SnapshotStream {
  readonly response: ServerResponse
  /** Snapshots in a row for which the socket had no room. */
  skipped: number
}

/**
 * Streams of server-sent events with a snapshot a second. One snapshot is made for all of them, and none while nobody
 * listens. Nothing is queued: a reader that has no room for a snapshot gets a later one, and one that has had none for
 * `monitorLimits.skippedMax` in a row is gone as far as we are concerned.
 */
export class SnapshotStreams {
  readonly #options: SnapshotStreamsOptions
  readonly #streams = new Set<SnapshotStream>()
  #timer: NodeJS.Timeout | undefined
  /** The last snapshot as an event; undefined while nobody listens. */
  #event: string | undefined
  #isMaking = false
  #isClosed = false

  constructor(options: SnapshotStreamsOptions) {
    this.#options = options
  }

  /** Streams that are open. */
  get size(): number {
    return this.#streams.size
  }

  /**
   * Answers a request with a stream: the newest snapshot at once, and then each one that is made, until the client
   * leaves or `close` is called.
   *
   * @throws `GATEWAY_STREAMS_EXHAUSTED` (503), before the answer begins.
   */
  open(reply: FastifyReply): FastifyReply {
    const { streamsMax = monitorLimits.streamsMax, everyMs = monitorLimits.snapshotMs } = this.#options
    if (this.#streams.size >= streamsMax) {
      throw streamsExhausted({ max: streamsMax }, { retryAfterSeconds: monitorLimits.streamsRetrySeconds })
    }
    const stream = { response: openEventStream(reply), skipped: 0 }
    this.#streams.add(stream)
    const leave = () => this.#remove(stream)
    stream.response.once('close', leave)
    // An answer that cannot be written ends with "close" as well.
    stream.response.on('error', leave)
    if (this.#isClosed) end(stream)
    else if (stream.response.destroyed) leave()
    else {
      this.#timer ??= setInterval(() => void this.#make(), everyMs)
      if (this.#event === undefined) void this.#make()
      else stream.response.write(this.#event)
    }
    return reply
  }

  /** Ends all streams; those that are opened later end at once. */
  close(): void {
    this.#isClosed = true
    for (const stream of [...this.#streams]) end(stream)
  }

  /** Makes a snapshot and sends it to all; one that takes longer than the interval is not made twice. */
  async #make(): Promise<void> {
    if (this.#isMaking) return
    this.#isMaking = true
    try {
      const event = `data: ${JSON.stringify(await this.#options.snapshot())}\n\n`
      if (this.#streams.size === 0) return
      this.#event = event
      for (const stream of [...this.#streams]) send(stream, event)
    } catch (error) {
      this.#options.log.error({ error: messageOf(error) }, 'a snapshot of live figures could not be made')
    } finally {
      this.#isMaking = false
    }
  }

  #remove(stream: SnapshotStream): void {
    this.#streams.delete(stream)
    if (this.#streams.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#event = undefined
  }
}

function send(stream: SnapshotStream, event: string): void {
  const { response } = stream
  if (!response.writableNeedDrain) {
    stream.skipped = 0
    if (!response.writableEnded) response.write(event)
    return
  }
  stream.skipped += 1
  if (stream.skipped > monitorLimits.skippedMax) response.destroy()
}

function end({ response }: SnapshotStream): void {
  response.end()
  // A client that does not read would keep the connection, and with it a host that closes.
  if (response.writableNeedDrain) response.destroy()
}
