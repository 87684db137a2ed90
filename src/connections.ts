import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** A request that has not been answered to its end. */
interface UnderWay {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/**
 * The connections of a server with what is under way on each. Node ends connections that wait for a further request,
 * but takes those that have never sent one for busy.
 */
export class Connections {
  readonly #bySocket = new Map<Socket, Set<UnderWay>>()

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.#bySocket.set(socket, new Set())
      socket.once('close', () => this.#bySocket.delete(socket))
    })
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const exchange = { request, response }
      const exchanges = this.#bySocket.get(request.socket)
      exchanges?.add(exchange)
      response.once('close', () => exchanges?.delete(exchange))
    })
  }

  /** Ends connections on which no request is under way: its head has not come entirely, or none was sent. */
  endIdle(): void {
    for (const [socket, exchanges] of this.#bySocket) {
      if (exchanges.size === 0) socket.destroySoon()
    }
  }

  /** Ends connections on which only the client has something left to do: to send a body, or to take an answer. */
  endStalled(): void {
    for (const [socket, exchanges] of this.#bySocket) {
      if ([...exchanges].every(waitsForClient)) socket.destroy()
    }
  }
}

function waitsForClient({ request, response }: UnderWay): boolean {
  return !request.complete || response.writableEnded
}
