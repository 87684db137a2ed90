import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import { HostError } from './base/errors.js'
import { serverLimits } from './base/limits.js'
import { createRequestIds } from './request-ids.js'

/** The part of a logger that the server writes to. */
export interface ServerLog {
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** Creates the HTTP server of a host of its own: request ids, limits, and one shape for every error. */
export function createHttpServer(log: ServerLog): FastifyInstance {
  const app = Fastify({
    logger: false,
    genReqId: createRequestIds(),
    requestTimeout: serverLimits.requestMs,
    connectionTimeout: serverLimits.idleConnectionMs,
    keepAliveTimeout: serverLimits.keepAliveMs,
    bodyLimit: serverLimits.bodyBytesMax,
    // Requests on kept connections are answered by the routes themselves while the host shuts down.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: serverLimits.pathSegmentMax },
    frameworkErrors: (error, request, reply) => sendError(error, request, reply as FastifyReply, log),
  })
  app.addHook('onRequest', nameRequest)
  app.addHook('preClose', (done) => {
    closeAsTheyGetIdle(app)
    done()
  })
  app.setNotFoundHandler((request, reply) => {
    sendEnvelope(
      reply,
      request.id,
      404,
      'NOT_FOUND',
      `There is nothing at ${request.method} ${pathOf(request)}.`,
    )
  })
  app.setErrorHandler((error: FastifyError, request, reply) => sendError(error, request, reply, log))
  return app
}

/** Fastify closes connections that are idle at that moment; a kept one that answers its last request later is left. */
function closeAsTheyGetIdle(app: FastifyInstance): void {
  // A server that never listened tells nobody when it is closed.
  if (!app.server.listening) return
  const sweep = setInterval(() => app.server.closeIdleConnections(), serverLimits.closingSweepMs)
  app.server.once('close', () => clearInterval(sweep))
}

function nameRequest(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  reply.header('x-request-id', request.id)
  done()
}

function pathOf(request: FastifyRequest): string {
  return (request.raw.url ?? '').split('?', 1)[0] ?? ''
}

function sendError(error: FastifyError, request: FastifyRequest, reply: FastifyReply, log: ServerLog): void {
  const status = error instanceof HostError ? error.status : (error.statusCode ?? 500)
  if (status >= 500) {
    log.error({ request_id: request.id, error: error.message, stack: error.stack }, 'request failed')
    sendEnvelope(reply, request.id, 500, 'INTERNAL_ERROR', 'The host could not answer this request.')
    return
  }
  const code = error instanceof HostError ? error.code : 'INVALID_REQUEST'
  sendEnvelope(reply, request.id, status, code, error.message)
}

function sendEnvelope(reply: FastifyReply, id: string, status: number, code: string, message: string): void {
  reply.code(status).header('x-content-type-options', 'nosniff').header('cache-control', 'no-store')
  void reply.send({ error: { code, message, request_id: id } })
}
