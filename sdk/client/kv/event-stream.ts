import { errorOfAnswer } from '../answers.js'
import type { ClientError } from '../client-error.js'

/** One server-sent event. */
export interface ServerEvent {
  /** `message` when the server named none. */
  readonly type: string
  readonly data: string
  /** Of this event; undefined when it has none. */
  readonly id: string | undefined
}

/** The server writes something three times as often. */
const silenceMaxMs = 60_000

/**
 * Reads the events of a stream one by one: the next is read when it is asked for, so that a slow reader slows the
 * server down. Ends with the stream; the stream is closed when the reader leaves.
 *
 * @param signal Ends it as well. The stream is told here, because a request that nobody holds any more may be collected, and
 *   its body then never hears of the signal that it was sent with.
 * @throws ClientError what the server gives up with.
 * @throws Error when nothing at all has come for a minute, as on a connection that is dead without telling.
 */
export async function* readEvents(
  stream: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<ServerEvent> {
  const reader = stream.getReader()
  // A stream that has failed refuses to be cancelled; it is over all the same.
  const close = () => reader.cancel().catch(() => {})
  signal.addEventListener('abort', close, { once: true })
  if (signal.aborted) await close()
  const lines = new LineSplitter()
  const event = new EventBuilder()
  try {
    for (;;) {
      const { done, value } = await withinSilence(reader.read())
      if (done) return
      for (const line of lines.take(value)) {
        const complete = event.add(line)
        if (complete?.type === 'failure') throw failureOf(complete.data)
        if (complete !== undefined) yield complete
      }
    }
  } finally {
    signal.removeEventListener('abort', close)
    await close()
  }
}

/** What the server says before it ends a stream that cannot go on. */
function failureOf(data: string): ClientError {
  const { status } = Object(parse(data)) as { readonly status?: unknown }
  return errorOfAnswer(typeof status === 'number' ? status : 500, data, 'the server')
}

function parse(data: string): unknown {
  try {
    return JSON.parse(data)
  } catch {
    return undefined
  }
}

async function withinSilence<T>(read: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const silence = new Promise<never>((_resolve, reject) => {
    const fail = () => reject(new Error(`the server has sent nothing for ${silenceMaxMs} ms`))
    timer = setTimeout(fail, silenceMaxMs)
  })
  try {
    return await Promise.race([read, silence])
  } finally {
    clearTimeout(timer)
  }
}

/** Cuts text that comes in pieces into lines, which end with CR, LF or both. */
class LineSplitter {
  readonly #decoder = new TextDecoder()
  #pieces: string[] = []
  #endedWithReturn = false

  /** @returns The lines that are complete with this piece. */
  take(bytes: Uint8Array): string[] {
    let text = this.#decoder.decode(bytes, { stream: true })
    if (text === '') return []
    // A line feed that belongs to the carriage return of the piece before ends no line of its own.
    if (this.#endedWithReturn && text.startsWith('\n')) text = text.slice(1)
    this.#endedWithReturn = text.endsWith('\r')
    const [first = '', ...others] = text.split(/\r\n|\n|\r/)
    this.#pieces.push(first)
    if (others.length === 0) return []
    const lines = [this.#pieces.join(''), ...others]
    this.#pieces = [lines.pop() ?? '']
    return lines
  }
}

/** Puts the lines of events together. */
class EventBuilder {
  #type = ''
  #data: string[] = []
  #id: string | undefined

  /** @returns The event that ends with this line; undefined while there is none. */
  add(line: string): ServerEvent | undefined {
    if (line === '') return this.#complete()
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') this.#type = value
    else if (field === 'data') this.#data.push(value)
    else if (field === 'id' && !value.includes('\0')) this.#id = value
    return undefined
  }

  #complete(): ServerEvent | undefined {
    const event = { type: this.#type || 'message', data: this.#data.join('\n'), id: this.#id }
    const isEmpty = this.#data.length === 0 && this.#id === undefined
    this.#type = ''
    this.#data = []
    this.#id = undefined
    return isEmpty ? undefined : event
  }
}
