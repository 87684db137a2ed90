import { request as httpRequest, type IncomingMessage } from 'node:http'

/** One block of a stream of server-sent events. */
export interface ReceivedEvent {
  /** `message` when a block with data names none; the empty text for other blocks. */
  readonly event: string
  /** Undefined when the block has none. */
  readonly id: string | undefined
  /** Lines of data, with line breaks between them; undefined when the block has none. */
  readonly data: string | undefined
  readonly retry: string | undefined
}

/** A stream over a socket of its own. */
export interface ReceivedStream {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  /** Blocks so far, pings and blocks without data included. */
  readonly events: readonly ReceivedEvent[]
  /** Bytes that have been taken from the socket. */
  readonly bytes: number
  /** True once the server has ended the answer or the connection. */
  readonly isOver: boolean
  /** Waits for the next block of one of these events, passing over others; undefined at the end of the stream. */
  next(...events: readonly string[]): Promise<ReceivedEvent | undefined>
  /** Reads no more from the socket until `resume`. */
  pause(): void
  resume(): void
  /** Leaves. */
  close(): void
}

/**
 * Opens a stream.
 *
 * @param options `isPaused` reads nothing of the body until `resume` is called.
 */
export function openStream(
  url: string,
  headers: Readonly<Record<string, string>>,
  options: { readonly isPaused?: boolean } = {},
): Promise<ReceivedStream> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, { headers, agent: false }, (response) => {
      resolve(new SocketStream(response, options.isPaused === true))
    })
    sent.on('error', reject)
    sent.end()
  })
}

class SocketStream implements ReceivedStream {
  readonly events: ReceivedEvent[] = []
  readonly #response: IncomingMessage
  #bytes = 0
  #rest = ''
  #isOver = false
  #at = 0
  #waiting: (() => void)[] = []

  constructor(response: IncomingMessage, isPaused: boolean) {
    this.#response = response
    response.setEncoding('utf8')
    response.on('error', () => this.#end())
    response.on('close', () => this.#end())
    if (isPaused) response.pause()
    else this.resume()
  }

  get status(): number {
    return this.#response.statusCode ?? 0
  }

  get headers(): IncomingMessage['headers'] {
    return this.#response.headers
  }

  get bytes(): number {
    return this.#bytes
  }

  get isOver(): boolean {
    return this.#isOver
  }

  async next(...events: readonly string[]): Promise<ReceivedEvent | undefined> {
    for (;;) {
      while (this.#at < this.events.length) {
        const event = this.events[this.#at++]
        if (event !== undefined && events.includes(event.event)) return event
      }
      if (this.#isOver) return undefined
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  pause(): void {
    this.#response.pause()
  }

  resume(): void {
    if (this.#response.listenerCount('data') === 0) {
      this.#response.on('data', (text: string) => this.#take(text))
    }
    this.#response.resume()
  }

  close(): void {
    this.#response.destroy()
  }

  #take(text: string): void {
    this.#bytes += Buffer.byteLength(text)
    const blocks = (this.#rest + text).split('\n\n')
    this.#rest = blocks.pop() ?? ''
    for (const block of blocks) this.events.push(readBlock(block))
    if (blocks.length > 0) this.#wake()
  }

  #end(): void {
    this.#isOver = true
    this.#wake()
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}

function readBlock(block: string): ReceivedEvent {
  const fields = new Map<string, string[]>()
  for (const line of block.split('\n')) {
    if (line.startsWith(':')) continue
    const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? []
    fields.set(name, [...(fields.get(name) ?? []), value])
  }
  const unnamed = fields.has('data') ? 'message' : ''
  return {
    event: fields.get('event')?.at(-1) ?? unnamed,
    id: fields.get('id')?.at(-1),
    data: fields.get('data')?.join('\n'),
    retry: fields.get('retry')?.at(-1),
  }
}
