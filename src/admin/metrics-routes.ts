import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify'
import { defineError } from '../base/errors.js'

/** Who may read the metrics over HTTP. */
export type MetricsAccess = 'admin' | 'local' | 'public'

/** The metrics were asked for without the credential that they need. */
export const metricsUnauthorized = defineError(
  'UNAUTHORIZED',
  401,
  'the metrics need a credential, the admin token or an API key as "Authorization: Bearer <token>", or a session; metrics.access in the configuration opens them',
)

/** What the route needs of its host. */
export interface MetricsRouteOptions {
  readonly access: MetricsAccess
  /** Media type of the text. */
  readonly contentType: string
  text(): Promise<string>
  /** Whether the sender of the request has the permission `metrics:read`. */
  isPermitted(request: FastifyRequest): boolean
}

/** Serves `GET /metrics` in the text format of Prometheus. */
export function createMetricsRoute(options: MetricsRouteOptions): FastifyPluginCallback {
  return (app, _registration, done) => {
    app.get('/metrics', { schema: { hide: true } }, (request, reply) =>
      answerMetricsText(options, request, reply),
    )
    done()
  }
}

/** Answers with the text of the metrics, or with 401 where `options.access` does not allow it. */
export async function answerMetricsText(
  options: MetricsRouteOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  if (!mayRead(options, request)) return refuse(request, reply)
  return reply
    .header('content-type', options.contentType)
    .header('cache-control', 'no-store')
    .header('x-content-type-options', 'nosniff')
    .send(await options.text())
}

function mayRead({ access, isPermitted }: MetricsRouteOptions, request: FastifyRequest): boolean {
  return access === 'public' || (access === 'local' && isLocal(request)) || isPermitted(request)
}

/** Headers that proxies add: with one of them the request came from elsewhere, whoever holds the connection. */
const proxyHeaders = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via']

/** Tells whether a program of this machine asks, as itself and by a name of this machine. */
function isLocal({ raw, headers }: FastifyRequest): boolean {
  const { remoteAddress = '' } = raw.socket
  if (!/^(?:::ffff:)?127\.|^::1$/.test(remoteAddress)) return false
  if (proxyHeaders.some((name) => headers[name] !== undefined)) return false
  // A web page whose name has been made to lead here says its own name.
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i.test(headers.host ?? '')
}

function refuse(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { code, status, message } = metricsUnauthorized()
  return reply
    .code(status)
    .header('www-authenticate', 'Bearer')
    .header('cache-control', 'no-store')
    .send({ error: { code, message, request_id: request.id } })
}
