import type { FastifyReply } from 'fastify'
import type { HostError } from '../../base/errors.js'
import { failureAnswer, sendAnswer } from '../pipeline.js'
import { upstreamFailed, upstreamLate } from './errors.js'

const lateCodes: ReadonlySet<string> = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
])

/** What a client is told of a failed target: that it failed, or that it was late. */
export function failureOf(error: unknown): HostError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return lateCodes.has(code) ? upstreamLate() : upstreamFailed()
}

/** Answers with a failure, and with nothing that the target has said. */
export function sendFailure(reply: FastifyReply, failure: HostError): void {
  for (const name of ['content-length', 'content-encoding', 'etag', 'set-cookie']) reply.removeHeader(name)
  sendAnswer(reply, failureAnswer(failure))
}
