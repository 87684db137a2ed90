import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { defineError, HostError } from '../base/errors.js'
import { contentLimits } from '../base/limits.js'
import type { ContentRoutesOptions } from './routes-options.js'

/** No credential, or one that is not valid. */
export const credentialMissing = defineError(
  'UNAUTHORIZED',
  401,
  'This needs the admin token as "Authorization: Bearer <token>". Published entries are at /api/v1/content/by-slug/<slug> for everybody.',
)

/** A valid credential of a user who may not do this. */
export const roleMissing = defineError(
  'FORBIDDEN',
  403,
  'User "{user}" has the role "{role}"; this needs the role "admin".',
)

/** More deliveries to one address than plugin_rate_limit allows. */
export const deliveriesLimited = defineError(
  'RATE_LIMITED',
  429,
  'Too many requests from this address. Wait a second and send fewer.',
)

/** A body, or a condition such as If-Match, that cannot be read. */
export const requestUnreadable = defineError('INVALID_REQUEST', 400, '{problem}')

/** A body above `contentLimits.bodyBytesMax`. */
export const bodyTooLarge = defineError(
  'INVALID_REQUEST',
  413,
  'The request body is larger than the limit of {limit} bytes.',
)

/** A body that is not JSON by its content type. */
export const bodyNotJson = defineError(
  'INVALID_REQUEST',
  415,
  'The request body is not JSON by its content type. Send it as application/json, or send no body where none is needed.',
)

/** A path or method that the content API does not have. */
export const pathUnknown = defineError(
  'NOT_FOUND',
  404,
  'The content API has no {method} {path}; /api/v1/openapi.json lists what it has.',
)

/** Fixed text of every other failure of the server. */
const serverFailureText = 'The server failed to do this. The log line of this request tells why.'

/** Codes of 5xx errors whose text the host writes by itself, without anything of a plugin in it. */
const plainServerErrors: readonly string[] = ['DATABASE_BUSY', 'DATABASE_CLOSED', 'HOOK_UNAVAILABLE']

/** Answers every failure of an application with the one envelope; the cause goes to the log only. */
export function installFailures(app: FastifyInstance, log: ContentRoutesOptions['log']): void {
  app.setErrorHandler((thrown: FastifyError | HostError, request, reply) => {
    const error = thrown instanceof HostError ? thrown : fromFramework(thrown)
    if (error.status >= 500) {
      const { method, url, id } = request
      log.error({ request_id: id, method, url, code: error.code, err: thrown }, 'content request failed')
    }
    sendFailure(request, reply, error)
  })
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? ''
    sendFailure(request, reply, pathUnknown({ method: request.method, path }))
  })
}

function sendFailure(request: FastifyRequest, reply: FastifyReply, error: HostError): void {
  const { status, code, retryAfterSeconds } = error
  if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds)
  const isPlain = status < 500 || plainServerErrors.includes(code)
  const message = isPlain ? error.message : serverFailureText
  void reply.code(status).send({ error: { code, message, request_id: request.id } })
}

function fromFramework(thrown: FastifyError): HostError {
  if (thrown.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return bodyTooLarge({ limit: contentLimits.bodyBytesMax })
  if (thrown.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return bodyNotJson()
  const status = thrown.statusCode ?? 500
  if (status >= 400 && status < 500) {
    return requestUnreadable({ problem: `The request could not be read: ${thrown.message}` })
  }
  return new HostError('INTERNAL_ERROR', 500, serverFailureText, { cause: thrown })
}
