import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import type { RouteMaker } from './operation.js'
import type { KvMeasurements, KvRoutesOptions } from './routes-options.js'
import { statsSchema } from './schemas.js'

const operationSchema = Type.Object({
  count: Type.Integer(),
  errors: Type.Integer(),
  avgLatencyMs: Type.Number(),
})

/** Adds what tells of the store as a whole: its namespaces, its numbers. */
export function addOverviewRoutes(app: FastifyInstance, route: RouteMaker, options: KvRoutesOptions): void {
  app.get(
    '/namespaces',
    route(
      {
        operationId: 'kvNamespaces',
        summary: 'List the namespaces that something was written to',
        permission: 'kv:read',
        answer: Type.Array(Type.Object({ name: Type.String() })),
        isGlobal: true,
      },
      async () => (await options.overview.names()).map((name) => ({ name })),
    ),
  )
  if (options.measurements !== undefined) addMetrics(app, route, options, options.measurements)
}

function addMetrics(
  app: FastifyInstance,
  route: RouteMaker,
  { overview }: KvRoutesOptions,
  measurements: KvMeasurements,
): void {
  app.get(
    '/metrics',
    route(
      {
        operationId: 'kvMetrics',
        summary: 'Show how often the store was used, how long that took, and how full it is',
        description: 'Counted since the server started, in all namespaces.',
        permission: 'kv:read',
        answer: Type.Object({
          operations: Type.Record(Type.String(), operationSchema),
          totals: Type.Object({ operations: Type.Integer(), errors: Type.Integer() }),
          queue: statsSchema,
          storage: Type.Object({ entries: Type.Integer(), sizeBytes: Type.Integer() }),
        }),
        isGlobal: true,
      },
      async () => {
        const operations = measurements.operations()
        const { pending, processing, dlq, entries, bytes } = await overview.totals()
        const all = Object.values(operations)
        return {
          operations,
          totals: {
            operations: all.reduce((sum, { count }) => sum + count, 0),
            errors: all.reduce((sum, { errors }) => sum + errors, 0),
          },
          queue: { pending, processing, dlq, total: pending + processing + dlq },
          storage: { entries, sizeBytes: bytes },
        }
      },
    ),
  )
  app.get(
    '/metrics/prometheus',
    route(
      {
        operationId: 'kvMetricsText',
        summary: 'Show the same numbers in the text format of Prometheus',
        permission: 'kv:read',
        answer: Type.String(),
        answersAs: 'text/plain',
        isGlobal: true,
      },
      async ({ reply }) => {
        const text = await measurements.text()
        reply.header('content-type', measurements.contentType)
        return text
      },
    ),
  )
}
