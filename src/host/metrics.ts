import type { FastifyInstance, FastifyRequest } from 'fastify'
import { createMetricsOperations, metricsPrefixes } from '../admin/metrics-operations.js'
import { createMetricsRoute, type MetricsAccess } from '../admin/metrics-routes.js'
import { SnapshotStreams } from '../gateway/monitor/snapshots.js'
import type { User } from '../identity/user.js'
import type { Logger } from '../telemetry/logger.js'
import type { Metrics } from '../telemetry/metrics.js'

/** What the routes of the metrics need of their host. */
export interface MetricsMaterial {
  readonly metrics: Metrics
  /** Who may read the text. */
  readonly access: MetricsAccess
  readonly log: Logger
  authenticate(request: FastifyRequest): User | undefined
}

/** Mounts the metrics: the text at `/metrics`, and the figures of plugins for admins at `metricsPrefixes`. */
export async function mountMetrics(
  app: FastifyInstance,
  { metrics, access, log, authenticate }: MetricsMaterial,
): Promise<void> {
  const { figures } = metrics
  const route = {
    access,
    contentType: metrics.contentType,
    text: () => metrics.text(),
    isPermitted: (request: FastifyRequest) => authenticate(request)?.may('metrics:read') === true,
  }
  await app.register(createMetricsRoute(route))
  const pool = () => figures.pool()
  const stats = () => ({ pool: pool() ?? {}, workers: figures.workers() })
  const streams = new SnapshotStreams({ snapshot: stats, log })
  const operations = { ...route, authenticate, log, pool, stats, streams }
  for (const [at, prefix] of metricsPrefixes.entries()) {
    await app.register(createMetricsOperations({ ...operations, isDocumented: at === 0 }), { prefix })
  }
}
