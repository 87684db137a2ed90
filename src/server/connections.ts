import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { serverLimits } from '../base/limits/server.js'

/** A request that has not been answered to its end. */
interface UnderWay {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

interface Connection {
  readonly socket: Socket
  /** What is being answered. */
  current: UnderWay | undefined
  /** What came behind it. */
  readonly waiting: UnderWay[]
  /** Whether nothing more is read until what waits is answered. */
  isHeld: boolean
  /** Requests that have come. */
  taken: number
  /** Time that the client gets for the rest of a request which came too slowly while others were answered. */
  graceMs: number | undefined
}

export interface ConnectionsOptions {
  /** Answers a request. */
  readonly serve: RequestListener
  /** Is told of a client that sends more requests on one connection than are kept; the connection is ended. */
  flooded(socket: Socket): void
  /** Is told of a client that has not sent the rest of a request in the time that it was given. */
  late(socket: Socket): void
}

/**
 * The connections of a server with what is under way on each. Requests of one connection are answered one after the
 * other, as their answers go out in this order: a client that sends many and reads nothing makes no more work than
 * one that sends one. Node ends connections that wait for a further request, but takes those that have never sent one
 * for busy.
 */
export class Connections {
  readonly #options: ConnectionsOptions
  readonly #bySocket = new Map<Socket, Connection>()

  constructor(options: ConnectionsOptions) {
    this.#options = options
  }

  /** The sockets that are open. */
  get sockets(): IterableIterator<Socket> {
    return this.#bySocket.keys()
  }

  /** Takes a new connection in, once Node's parser has it: whoever hears of `resume` last decides. */
  add(socket: Socket): void {
    const connection: Connection = {
      socket,
      current: undefined,
      waiting: [],
      isHeld: false,
      taken: 0,
      graceMs: undefined,
    }
    this.#bySocket.set(socket, connection)
    socket.once('close', () => this.#bySocket.delete(socket))
    // Node reads on when a part of an answer has left.
    socket.on('resume', () => {
      if (connection.isHeld) socket.pause()
    })
  }

  /** Answers a request now, or when those before it on its connection are answered. */
  take(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#bySocket.get(request.socket)
    if (connection === undefined) {
      this.#options.serve(request, response)
      return
    }
    connection.taken += 1
    if (connection.current === undefined) this.#begin(connection, { request, response })
    else this.#wait(connection, { request, response })
  }

  /** Whether a whole request of this connection has come that is not answered yet. */
  isAnswering(socket: Socket): boolean {
    return this.#bySocket.get(socket)?.current?.request.complete === true
  }

  /** What is being answered on a connection; undefined when nothing is. */
  answerOf(socket: Socket): ServerResponse | undefined {
    return this.#bySocket.get(socket)?.current?.response
  }

  /**
   * Gives a client time for the rest of a request, from when those before it are answered: until then it may be us who
   * do not read.
   */
  allowRest(socket: Socket, graceMs: number): void {
    const connection = this.#bySocket.get(socket)
    if (connection !== undefined) connection.graceMs = graceMs
  }

  /** Ends connections on which no request is under way: its head has not come entirely, or none was sent. */
  endIdle(): void {
    for (const { socket, current } of this.#bySocket.values()) {
      if (current === undefined) socket.destroySoon()
    }
  }

  /** Ends connections on which only the client has something left to do: to send a body, or to take an answer. */
  endStalled(): void {
    for (const { socket, current } of this.#bySocket.values()) {
      if (current === undefined || waitsForClient(current)) socket.destroy()
    }
  }

  #begin(connection: Connection, exchange: UnderWay): void {
    connection.current = exchange
    exchange.response.once('close', () => this.#next(connection))
    this.#options.serve(exchange.request, exchange.response)
  }

  #wait(connection: Connection, exchange: UnderWay): void {
    const { socket, waiting } = connection
    if (waiting.length >= serverLimits.pipelinedHardMax) {
      waiting.length = 0
      this.#options.flooded(socket)
      socket.destroy()
      return
    }
    waiting.push(exchange)
    if (connection.isHeld || waiting.length < serverLimits.pipelinedMax) return
    connection.isHeld = true
    socket.pause()
  }

  #next(connection: Connection): void {
    const { socket, waiting } = connection
    connection.current = undefined
    const following = waiting.shift()
    if (connection.graceMs !== undefined) this.#waitForRest(connection, connection.graceMs, following)
    if (following === undefined) return
    if (!socket.writable) {
      // The answer before was the last one of this connection.
      waiting.length = 0
      return
    }
    if (connection.isHeld && waiting.length === 0) {
      connection.isHeld = false
      socket.resume()
    }
    this.#begin(connection, following)
  }

  #waitForRest(connection: Connection, graceMs: number, following: UnderWay | undefined): void {
    if (following?.request.complete) return
    connection.graceMs = undefined
    const { socket, taken } = connection
    const timer = setTimeout(() => {
      const hasCome = following?.request.complete ?? connection.taken > taken
      if (!hasCome) this.#options.late(socket)
    }, graceMs)
    socket.once('close', () => clearTimeout(timer))
  }
}

function waitsForClient({ request, response }: UnderWay): boolean {
  return !request.complete || response.writableEnded
}
