import type { FastifyReply } from 'fastify'
import { sandboxHeaders } from '../capabilities/http/page-sandbox.js'
import type { WireResponse } from '../capabilities/http/wire.js'
import { asIs } from './dispatch-failures.js'

/** Sets the headers that every answer below the prefix has; a plugin cannot change them. */
export function setSecurityHeaders(reply: FastifyReply): void {
  reply
    .header('x-content-type-options', 'nosniff')
    .header('x-frame-options', 'DENY')
    .header('cache-control', 'no-store')
}

/**
 * Sends the response of a plugin.
 *
 * @throws Error when Node refuses a header; nothing has been sent then, and the headers are taken back.
 */
export function sendResponse(reply: FastifyReply, response: WireResponse): void {
  const { status } = response
  const more = sandboxHeaders(response.headers)
  const headers = more.length === 0 ? response.headers : [...response.headers, ...more]
  if (reply.statusCode !== status) reply.code(status)
  for (let index = 0; index + 1 < headers.length; index += 2) {
    reply.header(headers[index] ?? '', headers[index + 1])
  }
  try {
    sendBody(reply, response)
  } catch (error) {
    for (let index = 0; index < headers.length; index += 2) reply.removeHeader(headers[index] ?? '')
    throw error
  }
}

function sendBody(reply: FastifyReply, { status, body }: WireResponse): void {
  if (status === 204 || status === 304) {
    reply.removeHeader('content-type').send()
  } else if (body.length === 0) {
    // Sent as nothing, because Fastify gives an empty text a content type.
    reply.header('content-length', '0').send()
  } else if (typeof body === 'string') {
    reply.serializer(asIs).send(body)
  } else {
    reply.send(Buffer.from(body.buffer, body.byteOffset, body.byteLength))
  }
}
