import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify'
import { defineError, HostError } from '../../base/errors.js'
import { kvHttpLimits } from '../../base/limits.js'

/** No credential, or one that is not valid. The same text for both, so that it tells nothing. */
export const credentialMissing = defineError(
  'UNAUTHORIZED',
  401,
  'The key-value store needs the admin token as "Authorization: Bearer <token>".',
)

/** A valid credential of a user who may not do this. */
export const permissionMissing = defineError(
  'FORBIDDEN',
  403,
  'User "{user}" has the role "{role}", which does not have the permission "{permission}" that this needs.',
)

/** More requests of one client than keyval.rate_limit allows. */
export const requestsLimited = defineError(
  'RATE_LIMITED',
  429,
  'Too many requests from this address. Wait as long as Retry-After says, or put several operations into one request: /keys/batch and /atomic take many.',
)

/** A stream more than one client may have. */
export const streamsOfClientExhausted = defineError(
  'KV_STREAMS_EXHAUSTED',
  429,
  'This address has {max} streams open, and no more are allowed. Close one, or watch several keys with one stream.',
)

/** A stream more than all clients together may have. */
export const streamsExhausted = defineError(
  'KV_STREAMS_EXHAUSTED',
  503,
  'All clients together have {max} streams open, and no more are allowed. Use the polls, /watch/poll and /queue/poll.',
)

/** A request that does not have its form; the text names the place. */
export const requestInvalid = defineError('KV_REQUEST_INVALID', 400, '{problem}')

/** A body above `kvHttpLimits.bodyBytesMax`. */
export const bodyTooLarge = defineError(
  'KV_BODY_TOO_LARGE',
  413,
  'The request body is larger than the limit of {limit} bytes. Split it over several requests.',
)

/** A body that is not JSON by its content type. */
export const bodyNotJson = defineError(
  'KV_REQUEST_INVALID',
  415,
  'The request body is not JSON by its content type. Send it as application/json, or send no body where none is needed.',
)

/** An answer above a limit of `kvHttpLimits`. */
export const answerTooLarge = defineError(
  'KV_ANSWER_TOO_LARGE',
  413,
  'The answer would be larger than {limit} bytes. {remedy}',
)

/** A key without an entry. */
export const keyNotFound = defineError('KV_KEY_NOT_FOUND', 404, 'Key not found')

/** An id that no dead letter of this namespace has. */
export const deadLetterNotFound = defineError('KV_DEAD_LETTER_NOT_FOUND', 404, 'Message not found in DLQ')

/** A path or method that the key-value store does not have. */
export const pathUnknown = defineError(
  'NOT_FOUND',
  404,
  'The key-value store has no {method} {path}; /api/v1/openapi.json lists what it has.',
)

/** Fixed text of every failure of the server that has no text of its own for callers. */
const serverFailureText = 'The server failed to do this. The log line of this request tells why.'

/** Codes of 5xx errors whose text the host writes by itself. */
const plainServerErrors = /^(?:KV_|DATABASE_BUSY$|DATABASE_CLOSED$)/

/** Where failures are written that callers must not read; pino's loggers fit. */
export interface FailureLog {
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** Answers every failure of an application with `{error, code}`; the cause goes to the log only. */
export function installFailures(app: FastifyInstance, log: FailureLog): void {
  app.setErrorHandler((thrown: FastifyError | HostError, request, reply) => {
    const error = thrown instanceof HostError ? thrown : fromFramework(thrown)
    // 507 is about what the caller has stored, and 503 about the load; neither is a fault to look into.
    if (error.status === 500) {
      const { method, url, id } = request
      log.error({ request_id: id, method, url, code: error.code, err: thrown }, 'kv request failed')
    }
    sendFailure(reply, error)
  })
  app.setNotFoundHandler((request, reply) => {
    const path = (request.url.split('?')[0] ?? '').slice(0, kvHttpLimits.previewCharacters * 4)
    sendFailure(reply, pathUnknown({ method: request.method, path }))
  })
}

/** Headers of every answer: nothing of the store belongs into a cache, or is anything but what it says. */
export const answerHeaders = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const

/** Answers a request that comes to no route, e.g. because its path is not percent-encoded UTF-8. */
export function refuseUnroutable(thrown: FastifyError, reply: FastifyReply): void {
  sendFailure(reply.headers(answerHeaders), fromFramework(thrown))
}

/** What a stream tells its client when it has to end. */
export function failureBody(error: unknown): { readonly error: string; readonly code: string } {
  if (!(error instanceof HostError)) return { error: serverFailureText, code: 'INTERNAL_ERROR' }
  const { status, code, message } = error
  const isPlain = status < 500 || plainServerErrors.test(code)
  return { error: isPlain ? message : serverFailureText, code }
}

/** Tells the client of a request how long to wait, before it is refused. */
export function rejectRate(waitMs: number): HostError {
  return requestsLimited({}, { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) })
}

function sendFailure(reply: FastifyReply, error: HostError): void {
  if (error.retryAfterSeconds !== undefined) reply.header('retry-after', error.retryAfterSeconds)
  void reply
    .code(error.status)
    .header('content-type', 'application/json; charset=utf-8')
    .send(JSON.stringify(failureBody(error)))
}

function fromFramework(thrown: FastifyError): HostError {
  switch (thrown.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return bodyTooLarge({ limit: kvHttpLimits.bodyBytesMax })
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return bodyNotJson()
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return requestInvalid({ problem: 'The body is empty although its content type is application/json.' })
    case 'FST_ERR_BAD_URL':
      return requestInvalid({
        problem: 'The path is not percent-encoded UTF-8. Encode each part of it as encodeURIComponent does.',
      })
  }
  const status = thrown.statusCode ?? 500
  if (status >= 400 && status < 500) {
    return requestInvalid({ problem: `The request could not be read: ${thrown.message}` })
  }
  return new HostError('INTERNAL_ERROR', 500, serverFailureText, { cause: thrown })
}
