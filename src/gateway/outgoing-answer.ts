import { type Duplex, pipeline, type Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'

const cookieHeader = 'set-cookie'

/** An answer on its way out, as the stages see it. */
export class OutgoingAnswer {
  readonly #reply: FastifyReply
  #payload: unknown

  /** @param payload What Fastify is about to send: text, bytes, a stream or nothing. */
  constructor(reply: FastifyReply, payload: unknown) {
    this.#reply = reply
    this.#payload = payload
  }

  get status(): number {
    return this.#reply.statusCode
  }

  set status(status: number) {
    this.#reply.code(status)
  }

  /** A header by its name in lower case; several of one name are joined by commas. */
  header(name: string): string | undefined {
    const value = this.#reply.getHeader(name)
    return Array.isArray(value) ? value.join(', ') : value === undefined ? undefined : String(value)
  }

  /** Name and value of every header, set cookies one by one. */
  headers(): readonly (readonly [name: string, value: string])[] {
    return Object.entries(this.#reply.getHeaders()).flatMap(([name, value]) =>
      Array.isArray(value)
        ? value.map((each) => [name, String(each)] as const)
        : value === undefined
          ? []
          : [[name, String(value)] as const],
    )
  }

  /** Replaces what the answer had under this name. */
  setHeader(name: string, value: string): void {
    const reply = this.#reply
    // Stages set headers early and enforce them late; most of the time they are what they were.
    if (reply.getHeader(name) === value) return
    // Of this header alone Fastify keeps what there was.
    if (name.length === cookieHeader.length && name.toLowerCase() === cookieHeader) reply.removeHeader(name)
    reply.header(name, value)
  }

  removeHeader(name: string): void {
    // Most of what is taken out is not there, and each removal makes all headers slower to read.
    if (this.#reply.hasHeader(name)) this.#reply.removeHeader(name)
  }

  /** The body where it is in memory; undefined for a stream. An empty text when there is none. */
  get body(): string | Uint8Array | undefined {
    const payload = this.#payload
    if (payload === undefined || payload === null) return ''
    return typeof payload === 'string' || payload instanceof Uint8Array ? payload : undefined
  }

  /** What Fastify sends: the body as it came, or as a stage has replaced it. */
  get payload(): unknown {
    return this.#payload
  }

  /** Sends another body; the length follows. A stream that was to be sent is ended. */
  replaceBody(body: unknown): void {
    const before = this.#payload
    if (isStream(before) && before !== body) before.destroy()
    this.#payload = body
    this.#reply.removeHeader('content-length')
  }

  /**
   * Lets a body that is a stream pass through another one, which must not change its bytes: the length stays. When one
   * of the two fails or is ended early, so is the other.
   *
   * @returns False when the body is in memory, or of a kind that cannot be led elsewhere; nothing has changed then.
   */
  passThrough(stream: Duplex): boolean {
    const source = this.#payload
    if (!isStream(source)) return false
    // Who reads the answer learns of a failure by the stream that it has in hand.
    pipeline(source as unknown as Readable, stream, () => undefined)
    this.#payload = stream
    return true
  }
}

function isStream(payload: unknown): payload is { destroy(): void } {
  return typeof payload === 'object' && payload !== null && 'pipe' in payload && 'destroy' in payload
}
