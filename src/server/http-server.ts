import type { Socket } from 'node:net'
import { parse } from 'node:querystring'
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import { HostError } from '../base/errors.js'
import { serverLimits } from '../base/limits/server.js'
import type { Connections } from './connections.js'
import { tunnelRefused } from './errors.js'
import { createGuardedServer, type GuardedServer } from './guarded-server.js'
import { type RefusalReason, Refusals } from './refusals.js'
import { refuseSocket } from './refused-socket.js'
import { refuseTarget } from './refused-target.js'
import { createRequestIds } from './request-ids.js'
import type { ServerSettings } from './settings.js'

/** The part of a logger that the server writes to. */
export interface ServerLog {
  error(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
}

export interface HttpServerOptions {
  readonly log: ServerLog
  readonly settings: ServerSettings
  /** Tells whether an address may have any number of connections, as it stands for many clients; none when missing. */
  readonly isExempt?: (ip: string) => boolean
  /** Is told of each client that is refused or cut off. */
  readonly refused?: (reason: RefusalReason) => void
  /** Paths whose errors have a shape of their own, also where the request comes to no route. */
  readonly areas?: readonly Area[]
  /** `serverLimits.closingClientMs` when missing. */
  readonly closingClientMs?: number
}

/** Paths below some prefixes. */
export interface Area {
  readonly prefixes: readonly string[]
  /** Answers a request that no route can take, e.g. because its path cannot be decoded. */
  refuse(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void
}

/** Creates the HTTP server of a host of its own: request ids, limits, and one shape for every error outside of areas. */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const { log, settings, closingClientMs = serverLimits.closingClientMs } = options
  const nextId = createRequestIds()
  const refusals = new Refusals(log, options.refused ?? ignore)
  let guarded: GuardedServer | undefined
  const app = Fastify({
    logger: false,
    genReqId: (request) => nextId(request),
    serverFactory: (serve) => {
      guarded = createGuardedServer(serve, {
        settings,
        refusals,
        isExempt: options.isExempt ?? (() => false),
        nextId: () => nextId(),
      })
      return guarded.server
    },
    clientErrorHandler: ignore,
    bodyLimit: settings.bodyLimit,
    // Requests on kept connections are answered by the routes themselves while the host shuts down.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: {
      maxParamLength: serverLimits.pathSegmentMax,
      // Node's own reader drops what is beyond a thousand; too many are refused before anybody looks at them.
      querystringParser: (text) => (text === '' ? {} : parse(text, '&', '=', { maxKeys: 0 })),
    },
    frameworkErrors: (error, request, reply) => refuse(error, request, reply as FastifyReply, options),
  })
  app.addHook('onRequest', nameRequest)
  app.addHook('onRequest', (request, reply, done) => {
    const refused = refuseTarget(request.raw, settings)
    if (refused === undefined) {
      done()
      return
    }
    refusals.note(refused.reason, request.raw.socket.remoteAddress)
    // The rest of what such a client sends is not worth reading.
    reply.header('connection', 'close')
    done(refused.error)
  })
  // Without a listener Node ends such a connection without a word.
  app.server.on('connect', (request, socket) => {
    socket.on('error', () => socket.destroy())
    refuseSocket(socket as Socket, tunnelRefused(), nextId(request))
    // Node has taken its parser off; somebody has to read what the client still sends.
    socket.resume()
  })
  app.addHook('preClose', (done) => {
    guarded?.closeTwins()
    if (guarded !== undefined) endAsTheyGetIdle(app, guarded.connections, closingClientMs)
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

/** Lets what is under way finish; a client that does not do its part is waited for no longer than this time. */
function endAsTheyGetIdle(app: FastifyInstance, connections: Connections, closingClientMs: number): void {
  // A server that never listened tells nobody when it is closed.
  if (!app.server.listening) return
  connections.endIdle()
  const sweep = setInterval(() => connections.endIdle(), serverLimits.closingSweepMs)
  const late = setInterval(() => connections.endStalled(), closingClientMs)
  app.server.once('close', () => {
    clearInterval(sweep)
    clearInterval(late)
  })
}

function nameRequest(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  reply.header('x-request-id', request.id)
  done()
}

function pathOf(request: FastifyRequest): string {
  return (request.raw.url ?? '').split('?', 1)[0] ?? ''
}

/** Hooks have not run for such a request. */
function refuse(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
  { log, areas = [] }: HttpServerOptions,
): void {
  reply.header('x-request-id', request.id)
  const path = pathOf(request)
  const area = areas.find(({ prefixes }) => prefixes.some((prefix) => path.startsWith(`${prefix}/`)))
  if (area === undefined) sendError(error, request, reply, log)
  else area.refuse(error, request, reply)
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

function ignore(): void {}
