import type { FastifyInstance } from 'fastify'
import type { AdminApiOptions } from './options.js'
import { metricsSchema, schemaOf } from './schemas.js'

/** Adds the metrics as JSON. */
export function addMetricsOperation(
  app: FastifyInstance,
  metrics: NonNullable<AdminApiOptions['metrics']>,
): void {
  const schema = schemaOf({
    tag: 'metrics',
    operationId: 'getMetrics',
    summary: 'Show all metrics',
    description: 'The numbers of /metrics, as JSON. Not found when the configuration switches metrics off.',
    answer: metricsSchema,
  })
  app.get('/metrics', { schema }, async () => ({ metrics: await metrics() }))
}
