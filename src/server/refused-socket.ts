import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { HostError } from '../base/errors.js'
import { serverLimits } from '../base/limits/server.js'

/**
 * Answers a connection on which no request is being answered with an error, and ends it. What the client still sends
 * is not looked at; it is read for a moment, as the answer would be lost otherwise.
 *
 * @param requestId Names the answer, as there may be no request that has a name.
 */
export function refuseSocket(socket: Socket, error: HostError, requestId: string): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const body = JSON.stringify({
    error: { code: error.code, message: error.message, request_id: requestId },
  })
  const headers = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    `X-Request-ID: ${requestId}`,
    ...(error.retryAfterSeconds === undefined ? [] : [`Retry-After: ${error.retryAfterSeconds}`]),
    'Connection: close',
  ]
  socket.end(`${headers.join('\r\n')}\r\n\r\n${body}`)
  linger(socket)
}

/** Lets a client read what it was sent, for a moment. */
function linger(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), serverLimits.refusalLingerMs)
  socket.once('end', () => socket.destroySoon())
  socket.once('close', () => clearTimeout(timer))
}
