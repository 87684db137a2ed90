import { connect, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { listen, portOf } from './proxy-world.js'

/** One message as it stood on the wire. */
export interface RawMessage {
  /** Request line or status line. */
  readonly line: string
  /** Names as they were spelled. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

/** What came on one connection; texts are a character a byte. */
export interface RawReply {
  readonly text: string
  readonly answers: readonly RawMessage[]
  /** Status of each answer. */
  readonly statuses: readonly number[]
  /** False when the server held the connection open until nobody wanted to wait any more. */
  readonly isClosed: boolean
}

/** Values of a header, by its name in lower case. */
export function valuesOf({ headers }: RawMessage, name: string): readonly string[] {
  return headers.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value)
}

/** Puts a request together; what is given is sent as it is, byte by byte. */
export function rawRequest(line: string, headers: readonly string[] = [], body = ''): string {
  return `${[`${line} HTTP/1.1`, ...headers].join('\r\n')}\r\n\r\n${body}`
}

const openMs = 1500

/** Sends bytes, a character each, and reads until the server closes, or nothing comes for a while. */
export function sendRaw(
  port: number,
  text: string,
  { from = '127.0.0.1', to = '127.0.0.1', isHead = false } = {},
): Promise<RawReply> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: to, ...(to === '127.0.0.1' && { localAddress: from }) })
    const chunks: Buffer[] = []
    const end = (isClosed: boolean): void => {
      socket.destroy()
      const all = Buffer.concat(chunks).toString('latin1')
      const answers = readMessages(all, isHead).messages
      resolve({
        text: all,
        answers,
        isClosed,
        statuses: answers.map(({ line }) => Number(line.split(' ')[1])),
      })
    }
    socket.setTimeout(openMs, () => end(false))
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error)
    })
    socket.on('close', () => end(true))
    socket.write(Buffer.from(text, 'latin1'))
  })
}

/** Reads complete messages one after the other; `rest` is what is left. A message without a length has no body. */
export function readMessages(
  text: string,
  isBodiless = false,
): { readonly messages: readonly RawMessage[]; readonly rest: string } {
  const messages: RawMessage[] = []
  let rest = text
  for (;;) {
    const end = rest.indexOf('\r\n\r\n')
    if (end === -1) return { messages, rest }
    const [line = '', ...lines] = rest.slice(0, end).split('\r\n')
    const headers = lines.map((each) => {
      const colon = each.indexOf(':')
      return [each.slice(0, colon), each.slice(colon + 1).trim()] as const
    })
    const head = { line, headers, body: '' }
    const body = isBodiless ? { body: '', length: 0 } : readBody(head, rest.slice(end + 4))
    if (body === undefined) return { messages, rest }
    messages.push({ ...head, body: body.body })
    rest = rest.slice(end + 4 + body.length)
  }
}

/** Undefined when it has not come entirely. */
function readBody(
  head: RawMessage,
  rest: string,
): { readonly body: string; readonly length: number } | undefined {
  if (valuesOf(head, 'transfer-encoding').length === 0) {
    const length = Number(valuesOf(head, 'content-length')[0] ?? 0)
    return rest.length < length ? undefined : { body: rest.slice(0, length), length }
  }
  let body = ''
  for (let at = 0; ; ) {
    const end = rest.indexOf('\r\n', at)
    if (end === -1) return undefined
    const size = Number.parseInt(rest.slice(at, end), 16)
    if (rest.length < end + 4 + size) return undefined
    body += rest.slice(end + 2, end + 2 + size)
    at = end + 4 + size
    if (size === 0) return { body, length: at }
  }
}

/** A server that takes everything and keeps what came. */
export interface RawUpstream {
  readonly url: string
  /** All requests, in the order in which they came, on whatever connection. */
  readonly requests: RawMessage[]
  /** Everything that came, with what was no request. */
  text(): string
  /** Those with this text in their first line. */
  asked(part: string): readonly RawMessage[]
  /** Lets the path that has this text in it be answered so: with bytes, or by a function. */
  answer(part: string, answer: string | ((socket: Socket, request: RawMessage) => void)): void
}

/** Starts one; without another answer it says what it was asked, as JSON that may be kept by caches. */
export async function startRawUpstream(test: TestContext): Promise<RawUpstream> {
  const requests: RawMessage[] = []
  const heard: string[] = []
  const answers = new Map<string, string | ((socket: Socket, request: RawMessage) => void)>()
  const server = createServer((socket) => {
    let waiting = ''
    socket.on('data', (chunk: Buffer) => {
      const text = chunk.toString('latin1')
      heard.push(text)
      const { messages, rest } = readMessages(waiting + text)
      waiting = rest
      for (const request of messages) {
        requests.push(request)
        const [, found] = [...answers].find(([part]) => request.line.includes(part)) ?? []
        if (typeof found === 'function') found(socket, request)
        else socket.write(Buffer.from(found ?? echo(request), 'latin1'))
      }
    })
  })
  await listen(test, server)
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    requests,
    text: () => heard.join(''),
    asked: (part) => requests.filter(({ line }) => line.includes(part)),
    answer: (part, answer) => void answers.set(part, answer),
  }
}

function echo(request: RawMessage): string {
  const body = JSON.stringify(request)
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}
