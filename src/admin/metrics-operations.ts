import { Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyPluginCallback } from 'fastify'
import { defineError } from '../base/errors.js'
import type { SnapshotStreams } from '../gateway/monitor/snapshots.js'
import { type AdminAreaLog, createAdminArea } from '../gateway/routes/admin-area.js'
import type { GatewayAuthenticate } from '../gateway/routes/gate.js'
import { gatewayAnswers } from '../gateway/routes/routes-failures.js'
import { answerMetricsText, type MetricsRouteOptions } from './metrics-routes.js'

/** Paths under which the host mounts the metrics as JSON; the first is the one of the OpenAPI document. */
export const metricsPrefixes = ['/metrics/api', '/api/metrics'] as const

/** The paths below the prefixes, for the server that they are mounted in. */
export const metricsArea = { prefixes: metricsPrefixes, refuse: gatewayAnswers.refuse } as const

/** The plugins have not been started yet. */
export const poolUnavailable = defineError('METRICS_UNAVAILABLE', 503, 'Pool not initialized')

/** The figures of all plugins together, and of each. */
export interface MetricsStats {
  /** Empty before there are plugins. */
  readonly pool: object
  /** By `<name>@<version>`. */
  readonly workers: Readonly<Record<string, object>>
}

/** What the operations need of their host. */
export interface MetricsOperationsOptions extends MetricsRouteOptions {
  readonly authenticate: GatewayAuthenticate
  readonly isDocumented: boolean
  readonly log: AdminAreaLog
  /** The figures of all plugins together; undefined before they are started. */
  pool(): object | undefined | Promise<object | undefined>
  stats(): MetricsStats | Promise<MetricsStats>
  /** Its snapshots are what `stats` gives; shared by all places where the operations are mounted. */
  readonly streams: SnapshotStreams
}

/**
 * Serves the metrics as JSON to admins, and as text to whoever may read `/metrics`:
 * `app.register(createMetricsOperations(options), { prefix: metricsPrefixes[0] })`.
 */
export function createMetricsOperations(options: MetricsOperationsOptions): FastifyPluginCallback {
  return function metricsOperations(app, _registration, done) {
    app.get('/prometheus', { schema: { hide: true } }, (request, reply) =>
      answerMetricsText(options, request, reply),
    )
    const { authenticate, isDocumented, log } = options
    app.register(
      createAdminArea({
        authenticate,
        isDocumented,
        log,
        permissions: { read: 'metrics:read', change: 'metrics:read' },
        parts: [(area) => addOperations(area, options)],
      }),
    )
    done()
  }
}

const tags = ['metrics']
const figures = Type.Record(Type.String(), Type.Unknown())

function addOperations(app: FastifyInstance, { pool, stats, streams }: MetricsOperationsOptions): void {
  // A server waits for its answers to end before it is closed, and these would never end by themselves.
  app.addHook('preClose', (done) => {
    streams.close()
    done()
  })
  const all = { tags, summary: 'Show the figures of all plugins together', response: { 200: figures } }
  app.get('/', { schema: all }, async () => {
    const shown = await pool()
    if (shown === undefined) throw poolUnavailable()
    return shown
  })
  const each = {
    tags,
    summary: 'Show the figures of all plugins, and of each',
    response: { 200: Type.Object({ pool: figures, workers: Type.Record(Type.String(), figures) }) },
  }
  app.get('/stats', { schema: each }, async () => stats())
  const followed = {
    tags,
    summary: 'Follow the figures of plugins',
    description: 'A stream of server-sent events without names: the figures at once, and then each second.',
    response: { 200: { content: { 'text/event-stream': { schema: Type.String() } } } },
  }
  // A request for the head alone must not open a stream.
  app.get('/sse', { schema: followed, exposeHeadRoute: false }, (_request, reply) => streams.open(reply))
}
