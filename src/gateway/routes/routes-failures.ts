import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { defineError, HostError } from '../../base/errors.js'
import { monitorLimits } from '../../base/gateway-limits.js'

/** No credential, or one that is not valid. The same text for both, so that it tells nothing. */
export const credentialMissing = defineError(
  'UNAUTHORIZED',
  401,
  'This needs the admin token as "Authorization: Bearer <token>"; the server prints at its start where the token is.',
)

/** A valid credential of a user who is no admin. */
export const adminMissing = defineError(
  'FORBIDDEN',
  403,
  'User "{user}" has the role "{role}"; this needs the role "admin".',
)

/** A request that does not have its form; the text names the place. */
export const requestInvalid = defineError('GATEWAY_REQUEST_INVALID', 400, '{problem}')

/** A body above `monitorLimits.bodyBytesMax`. */
export const bodyTooLarge = defineError(
  'GATEWAY_BODY_TOO_LARGE',
  413,
  'The request body is larger than the limit of {limit} bytes.',
)

/** A body that is not JSON by its content type. */
export const bodyNotJson = defineError(
  'GATEWAY_REQUEST_INVALID',
  415,
  'The request body is not JSON by its content type. Send it as application/json, or send no body where none is needed.',
)

/** A path or method that there is not. */
export const pathUnknown = defineError(
  'NOT_FOUND',
  404,
  'There is no {method} {path}; /api/v1/openapi.json lists what there is.',
)

/** Fixed text of every failure of the server that has no text of its own for callers. */
const serverFailureText = 'The server failed to do this. The log line of this request tells why.'

/** Where failures are written that callers must not read; pino's loggers fit. */
export interface FailureLog {
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** Where what admins change is written too. */
export interface AreaLog extends FailureLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** Headers of every answer: nothing of this belongs into a cache, or is anything but what it says. */
export const answerHeaders = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const

/** Answers every failure of an application with `{error, code}`; the cause goes to the log only. */
export function installFailures(app: FastifyInstance, log: FailureLog): void {
  app.setErrorHandler((thrown: FastifyError | HostError, request, reply) => {
    const error = thrown instanceof HostError ? thrown : fromFramework(thrown)
    // 503 and its like are about the load, or about others; neither is a fault to look into.
    if (error.status === 500) {
      const { method, id } = request
      log.error({ request_id: id, method, path: pathOf(request), err: thrown }, 'gateway request failed')
    }
    sendFailure(reply, error)
  })
  app.setNotFoundHandler((request, reply) => {
    sendFailure(reply, pathUnknown({ method: request.method, path: pathOf(request) }))
  })
}

/** Answers a request that comes to no route, e.g. because its path is not percent-encoded UTF-8. */
export function refuseUnroutable(thrown: FastifyError, reply: FastifyReply): void {
  sendFailure(reply.headers(answerHeaders), fromFramework(thrown))
}

function pathOf({ url }: FastifyRequest): string {
  return (url.split('?', 1)[0] ?? '').slice(0, monitorLimits.previewCharacters)
}

function sendFailure(reply: FastifyReply, { status, code, message, retryAfterSeconds }: HostError): void {
  if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds)
  // What belongs to an unexpected failure may have texts of the database or paths of the machine.
  const error = status === 500 ? serverFailureText : message
  void reply
    .code(status)
    .header('content-type', 'application/json; charset=utf-8')
    .send(JSON.stringify({ error, code }))
}

function fromFramework(thrown: FastifyError): HostError {
  switch (thrown.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return bodyTooLarge({ limit: monitorLimits.bodyBytesMax })
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return bodyNotJson()
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
