import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'

/**
 * Begins a stream of server-sent events: takes the answer over from Fastify and sends its head, with the headers that
 * were set on the reply. What follows is written to what this gives.
 */
export function openEventStream(reply: FastifyReply): ServerResponse {
  reply.hijack()
  const { raw } = reply
  raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    // Proxies that collect answers would hold events back.
    'x-accel-buffering': 'no',
  })
  // Clients wait for the head before they know that the stream is there.
  raw.flushHeaders()
  return raw
}
