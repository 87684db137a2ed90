import { type Static, Type } from '@sinclair/typebox'
import type { FastifyPluginCallback } from 'fastify'
import type { CoreDatabase } from '../database/database.js'
import type { PluginHealth } from '../plugins/plugin-health.js'
import type { StageTroubles } from '../plugins/stages/stage-engine.js'
import {
  admitToDetails,
  asksForDetails,
  describeHealth,
  type HealthDetailSources,
  healthDetailsSchema,
} from './health-details.js'

const healthSchema = Type.Object({
  status: Type.Union([Type.Literal('healthy'), Type.Literal('degraded'), Type.Literal('unhealthy')], {
    description:
      '"degraded" when a plugin has failed or is refused for a time, or an approved stage of the gateway or an authenticator or authorizer that a rule names does not run: the host itself serves. "unhealthy", with status 503, while the host shuts down, its database does not answer, or a plugin does not run that the configuration requires.',
  }),
  version: Type.String({ description: 'Version of the host.' }),
  edition: Type.String({ description: 'Name of the edition that runs.' }),
  plugins: Type.Array(Type.String(), { description: 'Names of the plugins that run.' }),
  checks: Type.Object({
    database: Type.Union([Type.Literal('ok'), Type.Literal('failed')]),
    plugins: Type.Object({
      running: Type.Integer(),
      failed: Type.Array(Type.String(), { description: 'Names of plugins that could not be loaded.' }),
      tripped: Type.Array(Type.String(), {
        description: 'Names of plugins that failed too often and are refused for a time.',
      }),
      required: Type.Union([Type.Literal('ok'), Type.Literal('failed')], {
        description: 'Whether those plugins run without which the host must not.',
      }),
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
    auth: Type.Object({
      held: Type.Integer({
        description:
          'Authenticators and authorizers of plugins that rules name and that are not asked, so that what they decide is refused; `GET /api/v1/admin/auth` names them.',
      }),
    }),
  }),
  details: Type.Optional(healthDetailsSchema),
})

const querySchema = Type.Object({
  detail: Type.Optional(
    Type.Any({ description: '1 adds `details`, which take the permission plugins:read.' }),
  ),
})

const refusalSchema = Type.Object({
  error: Type.Object({ code: Type.String(), message: Type.String(), request_id: Type.String() }),
})

export type Health = Static<typeof healthSchema>

/** What health is found out from. */
export interface HealthSources {
  readonly version: string
  readonly database: CoreDatabase
  readonly lifecycle: { readonly isReady: boolean; readonly isShuttingDown: boolean }
  plugins(): PluginHealth
  stages(): StageTroubles
  /** How many of those whom rules name are not asked. */
  heldParties(): number
  readonly details: HealthDetailSources
}

/** Paths of the probes of this host; nothing stands in front of them. */
export const healthPaths = ['/health', '/_/health', '/api/v1/health']

/** Tells whether a path is one of a probe. */
export function isProbe(path: string): boolean {
  return healthPaths.includes(path) || path === '/health/live' || path === '/health/ready'
}

const probeSchema = Type.Object({
  status: Type.Union([Type.Literal('ok'), Type.Literal('starting'), Type.Literal('stopping')]),
})

/**
 * Serves the health of the host at `healthPaths`, `/health/live`, which the process answers as long as it can, and
 * `/health/ready`, which is 503 before the plugins are loaded and while the host shuts down.
 */
export function createHealthRoutes(sources: HealthSources): FastifyPluginCallback {
  const tags = ['health']
  return (app, _options, done) => {
    for (const url of healthPaths) {
      const schema = {
        summary: 'Tells whether the host serves',
        tags,
        querystring: querySchema,
        response: {
          200: healthSchema,
          401: refusalSchema,
          403: refusalSchema,
          503: Type.Union([healthSchema, refusalSchema]),
        },
      }
      app.get(url, { schema }, async (request, reply) => {
        const isDetailed = asksForDetails(request)
        if (isDetailed && !(await admitToDetails(sources.details, request, reply))) return reply
        const health = await checkHealth(sources)
        const status = health.status === 'unhealthy' ? 503 : 200
        if (!isDetailed) return reply.code(status).send(health)
        reply.header('cache-control', 'no-store')
        return reply.code(status).send({ ...health, details: await describeHealth(sources.details) })
      })
    }
    app.get(
      '/health/live',
      { schema: { summary: 'Tells whether the process answers', tags, response: { 200: probeSchema } } },
      async () => ({ status: 'ok' }),
    )
    const summary = 'Tells whether requests should be sent to this host'
    app.get(
      '/health/ready',
      { schema: { summary, tags, response: { 200: probeSchema, 503: probeSchema } } },
      async (_request, reply) => {
        const { lifecycle } = sources
        if (lifecycle.isShuttingDown) return reply.code(503).send({ status: 'stopping' })
        return lifecycle.isReady ? { status: 'ok' } : reply.code(503).send({ status: 'starting' })
      },
    )
    done()
  }
}

async function checkHealth(sources: HealthSources): Promise<Health> {
  const { version, database, lifecycle } = sources
  const { edition, running, failed, tripped, requiredDown } = sources.plugins()
  const stages = sources.stages()
  const databaseState = await checkDatabase(database)
  const isUp = databaseState === 'ok' && !lifecycle.isShuttingDown && requiredDown.length === 0
  const held = sources.heldParties()
  const troubles = failed.length + tripped.length + stages.paused + stages.held + held
  return {
    status: isUp ? (troubles > 0 ? 'degraded' : 'healthy') : 'unhealthy',
    version,
    edition,
    plugins: [...running],
    checks: {
      database: databaseState,
      plugins: {
        running: running.length,
        failed: [...failed],
        tripped: [...tripped],
        required: requiredDown.length === 0 ? 'ok' : 'failed',
      },
      stages,
      auth: { held },
    },
  }
}

async function checkDatabase(database: CoreDatabase): Promise<'ok' | 'failed'> {
  try {
    await database.kysely.selectFrom('plugins').select('name').limit(1).execute()
    return 'ok'
  } catch {
    return 'failed'
  }
}
