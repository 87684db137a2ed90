import { type Static, Type } from '@sinclair/typebox'
import type { FastifyPluginCallback } from 'fastify'

const healthSchema = Type.Object({
  status: Type.Union([Type.Literal('ok'), Type.Literal('degraded'), Type.Literal('unavailable')], {
    description:
      '"degraded" when a plugin has failed, or an approved stage of the gateway does not run: the host itself serves. "unavailable", with status 503, while the host shuts down or its database does not answer.',
  }),
  checks: Type.Object({
    database: Type.Union([Type.Literal('ok'), Type.Literal('failed')]),
    plugins: Type.Object({
      running: Type.Integer(),
      failed: Type.Array(Type.String(), { description: 'Names of plugins that could not be loaded.' }),
    }),
    stages: Type.Object(
      {
        paused: Type.Integer({ description: 'Stages that failed too often and are left out for a time.' }),
        held: Type.Integer({
          description: 'Stages that cannot run, so that what they guard answers 503 until somebody acts.',
        }),
      },
      { description: 'Approved stages of the gateway that do not run; `/gateway/api/pipeline` names them.' },
    ),
  }),
})

export type Health = Static<typeof healthSchema>

/** Serves `GET /health` and `GET /api/v1/health`. */
export function createHealthRoutes(check: () => Promise<Health>): FastifyPluginCallback {
  return (app, _options, done) => {
    for (const url of ['/health', '/api/v1/health']) {
      app.get(
        url,
        {
          schema: {
            summary: 'Tells whether the host serves',
            tags: ['health'],
            response: { 200: healthSchema, 503: healthSchema },
          },
        },
        async (_request, reply) => {
          const health = await check()
          return reply.code(health.status === 'unavailable' ? 503 : 200).send(health)
        },
      )
    }
    done()
  }
}
