import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { serverKey } from './tls-certificates.js'

/** A server on a free port of this machine that is closed with its test. */
export interface WebServer {
  readonly port: number
  /** e.g. `http://127.0.0.1:4000`. */
  readonly url: string
  /** Connections that were made so far. */
  readonly connections: () => number
}

export type Listener = (request: IncomingMessage, response: ServerResponse) => void

/** Starts a server that answers each request with a function. */
export function startWebServer(test: TestContext, listener: Listener): Promise<WebServer> {
  return listen(test, createServer(listener as RequestListener), 'http')
}

/** The same over TLS, with a certificate for `serverKey`. */
export function startTlsServer(
  test: TestContext,
  certificate: string,
  listener: Listener,
): Promise<WebServer> {
  return listen(
    test,
    createTlsServer({ key: serverKey, cert: certificate }, listener as RequestListener),
    'https',
  )
}

/** Starts a server that speaks bytes: the function gets each connection once something has arrived. */
export function startRawServer(
  test: TestContext,
  speak: (socket: Socket, received: string) => void,
): Promise<WebServer> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (bytes) => speak(socket, bytes.toString('latin1')))
  })
  return listen(test, server, 'http')
}

async function listen(test: TestContext, server: Server, scheme: string): Promise<WebServer> {
  const sockets = new Set<Socket>()
  let connections = 0
  server.on('connection', (socket: Socket) => {
    connections += 1
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  test.after(async () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const { port } = server.address() as AddressInfo
  return { port, url: `${scheme}://127.0.0.1:${port}`, connections: () => connections }
}

/** Reads the whole body of a request. */
export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
