import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { failureAnswer } from '../pipeline.js'
import { upgradeRefused } from './errors.js'

/** The connection of a request that wants to become a WebSocket. */
export interface Upgrade {
  readonly socket: Socket
  /** What came behind the request in the same read. */
  readonly head: Buffer
}

const upgradeKey = Symbol('upgrade')

type WithUpgrade = IncomingMessage & { [upgradeKey]?: Upgrade }

/** The upgrade that a request asks for; undefined for a plain request. */
export function upgradeOf(request: IncomingMessage): Upgrade | undefined {
  return (request as WithUpgrade)[upgradeKey]
}

/**
 * Takes the upgrades of a server through its application, so that hooks and stages see them as they see any request.
 * For upgrades to anything but WebSockets the request is answered as if it had asked for none. A connection that is
 * not turned into a tunnel ends with its answer: what follows on it is never read as a request.
 */
export function attachUpgrades(app: FastifyInstance): void {
  app.server.on('upgrade', (request: WithUpgrade, stream: Duplex, head: Buffer) => {
    const socket = stream as Socket
    // Whoever uses the socket hears of its end by "close".
    socket.on('error', () => socket.destroy())
    // Sent behind requests that are not answered yet: there is no place for its answer, and no client does that.
    if (isAnswering(socket)) {
      socket.destroy()
      return
    }
    const response = createResponse(request, socket)
    // The body of such a request has not been read, and nobody knows where it ends.
    if (hasBody(request)) refuse(response)
    else {
      if (isWebSocket(request)) request[upgradeKey] = { socket, head }
      app.routing(request, response)
    }
  })
}

/** Node keeps the answer that is being made with the socket, and throws where there would be two. */
function isAnswering(socket: Socket): boolean {
  return ((socket as { _httpMessage?: ServerResponse | null })._httpMessage ?? null) !== null
}

function createResponse(request: IncomingMessage, socket: Socket): ServerResponse {
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(socket)
  response.once('finish', () => {
    response.detachSocket(socket)
    socket.resume()
    socket.destroySoon()
    response.emit('close')
  })
  return response
}

function isWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.trim().toLowerCase() === 'websocket'
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0
}

function refuse(response: ServerResponse): void {
  const { status, headers, body } = failureAnswer(upgradeRefused())
  response.writeHead(status, [...headers])
  response.end(body)
}
