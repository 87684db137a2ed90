import { Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyPluginCallback, RouteOptions } from 'fastify'
import type { FailureLog } from '../../areas/area.js'
import { createGate, type GatewayAuthenticate } from './gate.js'
import { gatewayAnswers } from './routes-failures.js'

/** Adds the routes of one part to an application; paths are relative to its prefix. */
export type RoutesPart = (app: FastifyInstance) => void

/** What an area for admins is made of. */
export interface AdminAreaOptions {
  readonly authenticate: GatewayAuthenticate
  /** False keeps the routes out of the OpenAPI document, where they are mounted a second time. */
  readonly isDocumented: boolean
  readonly log: FailureLog
  readonly parts: readonly RoutesPart[]
}

/** What failures of an area are answered with. */
export const failureSchema = Type.Object({
  error: Type.String({ description: 'A sentence for a person.' }),
  code: Type.String({ description: 'Stable and machine-readable.' }),
})

const failureStatuses = [400, 401, 403, 500] as const
/** Of routes that change something: bodies that are not taken, and a database that is busy. */
const changeStatuses = [413, 415, 503] as const

/**
 * Creates routes for admins as an encapsulated Fastify plugin: `app.register(createAdminArea(options), { prefix })`.
 * Every path below the prefix, unknown ones too, needs a bearer credential of an admin; every failure is answered with
 * `{error, code}`.
 */
export function createAdminArea({
  authenticate,
  isDocumented,
  log,
  parts,
}: AdminAreaOptions): FastifyPluginCallback {
  return function adminArea(app, _registration, done) {
    gatewayAnswers.install(app, log)
    // Schemas of answers are for the document; they must not take members out of what is sent.
    app.setSerializerCompiler(() => (data) => JSON.stringify(data))
    app.addHook('onRoute', (route) => document(route, isDocumented))
    app.addHook('onRequest', createGate(authenticate))
    for (const add of parts) add(app)
    done()
  }
}

/** Adds to the schema of a route what is the same for all of the area. */
function document(route: RouteOptions, isDocumented: boolean): void {
  const schema = route.schema ?? {}
  if (!isDocumented) {
    route.schema = { ...schema, hide: true }
    return
  }
  const statuses = [...failureStatuses, ...(route.method === 'GET' ? [] : changeStatuses)]
  const failures = Object.fromEntries(statuses.map((status) => [status, failureSchema]))
  route.schema = {
    operationId: nameOf(route),
    ...schema,
    security: [{ bearer: [] }],
    response: { ...failures, ...(schema.response as object | undefined) },
  }
}

/** Makes e.g. `gatewayGetLogsStats` of `GET /gateway/api/logs/stats`. */
function nameOf({ method, url }: RouteOptions): string {
  const [area = '', ...words] = url.split(/[^A-Za-z0-9]+/).filter((word) => word !== '' && word !== 'api')
  const verb = String(method).toLowerCase()
  return area + [verb, ...words].map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}
