import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { HostError } from '../base/errors.js'
import { adminLimits } from '../base/limits.js'
import {
  bodyTooLarge,
  internalErrorText,
  invalidRequest,
  loadFailedText,
  operationNotFound,
  plainServerErrors,
  unsupportedMediaType,
} from './errors.js'
import type { AdminLog } from './options.js'

/** Answers every failure of an application with the one envelope; the cause goes to the log only. */
export function installFailures(app: FastifyInstance, log: AdminLog): void {
  app.setErrorHandler((thrown: FastifyError | HostError, request, reply) => {
    const error = toHostError(thrown, request)
    if (error.status >= 500) {
      const { method, url, id } = request
      log.error({ request_id: id, method, url, code: error.code, err: thrown }, 'admin request failed')
    }
    sendFailure(request, reply, error)
  })
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? ''
    sendFailure(request, reply, operationNotFound({ method: request.method, path }))
  })
}

function sendFailure(request: FastifyRequest, reply: FastifyReply, error: HostError): void {
  const { details, retryAfterSeconds } = error
  if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds)
  void reply.code(error.status).send({
    error: { code: error.code, message: safeMessageOf(error), request_id: request.id },
    ...(details?.errors === undefined ? {} : { errors: details.errors }),
  })
}

/** A 5xx text never carries Lua text, paths or SQL, also not to an admin: what is logged is enough. */
function safeMessageOf(error: HostError): string {
  if (error.status < 500 || plainServerErrors.includes(error.code)) return error.message
  return error.code === 'PLUGIN_LOAD_FAILED' ? loadFailedText : internalErrorText
}

function toHostError(thrown: FastifyError | HostError, request: FastifyRequest): HostError {
  if (thrown instanceof HostError) return thrown
  switch (thrown.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return bodyTooLarge({ limit: adminLimits.bodyBytesMax })
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return unsupportedMediaType({ type: request.headers['content-type'] ?? 'none' })
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return invalidRequest({ problems: 'the body is empty although its content type is application/json' })
    default:
      return fromStatus(thrown)
  }
}

function fromStatus(thrown: FastifyError): HostError {
  const status = thrown.statusCode ?? 500
  if (status >= 400 && status < 500) {
    return invalidRequest({ problems: `the request could not be read: ${thrown.message}` })
  }
  return new HostError('INTERNAL_ERROR', 500, internalErrorText, { cause: thrown })
}
