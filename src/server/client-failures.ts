import type { Socket } from 'node:net'
import type { HostError } from '../base/errors.js'
import { serverLimits } from '../base/limits/server.js'
import type { Connections } from './connections.js'
import { headersTooLarge, requestLate, requestMalformed, urlTooLong } from './errors.js'
import type { RefusalReason, Refusals } from './refusals.js'
import { refuseSocket } from './refused-socket.js'

export interface ClientFailuresOptions {
  readonly connections: Connections
  readonly refusals: Refusals
  readonly maxHeaderSize: number
  readonly maxUrlLength: number
  readonly headersTimeoutMs: number
  /** Names an answer that belongs to no request. */
  nextId(): string
}

/** What Node tells of a connection that it cannot read from any more. */
interface ClientError extends Error {
  readonly code?: string
  readonly rawPacket?: Buffer
}

const lateCode = 'ERR_HTTP_REQUEST_TIMEOUT'

interface Failure {
  readonly reason: RefusalReason
  readonly error: HostError
}

/** Ends connections from which no request can be read, with an answer where there is a place for one. */
export class ClientFailures {
  readonly #options: ClientFailuresOptions
  readonly #ended = new WeakSet<Socket>()

  constructor(options: ClientFailuresOptions) {
    this.#options = options
  }

  /** To be called for each `clientError` of a server. */
  take(thrown: ClientError, socket: Socket): void {
    // The parser goes on to complain about what comes while the answer is on its way.
    if (this.#ended.has(socket)) return
    const { connections, headersTimeoutMs } = this.#options
    if (thrown.code === lateCode && connections.isAnswering(socket)) {
      connections.allowRest(socket, headersTimeoutMs)
    } else this.#end(socket, this.#failureOf(thrown, socket))
  }

  /** To be called when the rest of a request has not come in the time that was given for it. */
  late(socket: Socket): void {
    if (!this.#ended.has(socket)) this.#end(socket, this.#failureOf({ code: lateCode }, socket))
  }

  #end(socket: Socket, failure: Failure | undefined): void {
    this.#ended.add(socket)
    if (failure === undefined || socket.destroyed) {
      socket.destroy()
      return
    }
    const { connections, refusals, nextId } = this.#options
    refusals.note(failure.reason, socket.remoteAddress)
    const answer = connections.answerOf(socket)
    if (connections.isAnswering(socket)) {
      // What cannot be read stands behind a request that can: that one has its answer first, and there is no other.
      answer?.once('close', () => socket.destroySoon())
      if (answer?.headersSent === false) answer.shouldKeepAlive = false
    } else if (answer?.headersSent) socket.destroy()
    else refuseSocket(socket, failure.error, nextId())
  }

  #failureOf({ code = '', rawPacket }: Partial<ClientError>, socket: Socket): Failure | undefined {
    const { maxHeaderSize, maxUrlLength } = this.#options
    if (code === lateCode) {
      const isHead = this.#options.connections.answerOf(socket) === undefined
      return { reason: isHead ? 'headers_timeout' : 'request_timeout', error: requestLate() }
    }
    if (code === 'HPE_HEADER_OVERFLOW') {
      return isUrl(rawPacket)
        ? { reason: 'url_too_long', error: urlTooLong({ max: maxUrlLength }) }
        : {
            reason: 'headers_too_large',
            error: headersTooLarge({ bytes: maxHeaderSize, count: serverLimits.headersMax }),
          }
    }
    // Anything else is a failure of the connection, which carries no answer.
    return code.startsWith('HPE_') ? { reason: 'malformed', error: requestMalformed() } : undefined
  }
}

/** Whether a packet is the beginning of a request whose first line has no end in it. */
function isUrl(packet: Buffer | undefined): boolean {
  return packet !== undefined && /^[A-Z-]{3,20} \S+$/.test(packet.toString('latin1'))
}
