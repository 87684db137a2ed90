import { Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyPluginCallback, FastifyRequest, RouteOptions } from 'fastify'
import type { Area, FailureLog } from '../../areas/area.js'
import { anyCredential } from '../../areas/credentials.js'
import type { RecordChange } from '../../areas/recorded-change.js'
import { type AreaPermissions, permissionOf } from '../../areas/user.js'
import { actorOf, createGate, type GatewayAuthenticate } from './gate.js'
import { gatewayAnswers } from './routes-failures.js'

/** Adds the routes of one part to an application; paths are relative to its prefix. */
export type RoutesPart = (app: FastifyInstance) => void

/** Where failures are written that callers must not read, and what admins change. */
export interface AdminAreaLog extends FailureLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** What an area for admins is made of. */
export interface AdminAreaOptions {
  readonly authenticate: GatewayAuthenticate
  /** What its operations take; those of the gateway when missing. */
  readonly permissions?: AreaPermissions
  /** How it reads bodies and answers failures; as the gateway when missing. */
  readonly answers?: Area
  /** False keeps the routes out of the OpenAPI document, where they are mounted a second time. */
  readonly isDocumented: boolean
  readonly log: AdminAreaLog
  /** Gets each change; nobody does when missing. */
  readonly record?: RecordChange | undefined
  readonly parts: readonly RoutesPart[]
}

const gatewayPermissions: AreaPermissions = { read: 'gateway:read', change: 'gateway:admin' }

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
 * Every path below the prefix, unknown ones too, takes a user with the permission for it; every failure is answered with
 * `{error, code}`, unless `answers` has another form.
 */
export function createAdminArea({
  authenticate,
  isDocumented,
  log,
  record,
  parts,
  permissions = gatewayPermissions,
  answers = gatewayAnswers,
}: AdminAreaOptions): FastifyPluginCallback {
  return function adminArea(app, _registration, done) {
    answers.install(app, log)
    // Schemas are for the document. Those of requests refuse nothing: the parts do that, with texts that name the remedy.
    app.setValidatorCompiler(() => () => true)
    // Those of answers must not take members out of what is sent.
    app.setSerializerCompiler(() => (data) => JSON.stringify(data))
    app.addHook('onRoute', (route) => document(route, isDocumented))
    app.addHook('onRequest', createGate(authenticate, permissions))
    recordChanges(app, { log, record, permissions })
    for (const add of parts) add(app)
    done()
  }
}

/** Leaves a log line and a record of each change that an admin has asked for: who, what, and how it ended. */
function recordChanges(
  app: FastifyInstance,
  {
    log,
    record,
    permissions,
  }: Pick<AdminAreaOptions, 'log' | 'record'> & { readonly permissions: AreaPermissions },
): void {
  app.addHook('onResponse', (request, reply, done) => {
    const { method, routeOptions, params, id, ip } = request
    const actor = actorOf(request)
    if (permissionOf(request, permissions) !== permissions.read && actor !== '') {
      const { url = 'unknown', config } = routeOptions
      const route = `${method} ${url}`
      // Bodies may have secrets, e.g. headers of a rule of the proxy.
      const fields = { action: route, actor, ...(params as object), request_id: id, client_ip: ip }
      const isDone = reply.statusCode < 400
      if (isDone) log.info(fields, 'admin action')
      else log.warn({ ...fields, status: reply.statusCode }, 'admin action failed')
      const { action } = config as RecordedRoute
      if (action !== undefined) {
        const resource = { type: action.split('.', 1)[0] ?? action, id: nameIn(request) ?? onlyText(params) }
        const details = { route, status: reply.statusCode }
        record?.(request, { action, outcome: isDone ? 'success' : 'failure', resource, details })
      }
    }
    done()
  })
}

/** What a route that changes something says of itself in its `config`. */
export interface RecordedRoute {
  /** What it is called in the record, as `<noun>.<verb>`, e.g. `cors.create`. */
  readonly action?: string
}

const nameKey = Symbol('name')

type Named = FastifyRequest & { [nameKey]?: string | undefined }

/** Says what a request makes, where its address does not, for the record of changes. */
export function nameResource(request: FastifyRequest, name: string | undefined): void {
  ;(request as Named)[nameKey] = name
}

function nameIn(request: FastifyRequest): string | undefined {
  return (request as Named)[nameKey]
}

/** What the address of a route names: no route here has more than one parameter. */
function onlyText(params: unknown): string | undefined {
  const [first]: unknown[] = Object.values((params ?? {}) as object)
  return typeof first === 'string' ? first : undefined
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
    security: anyCredential,
    response: { ...failures, ...(schema.response as object | undefined) },
  }
}

/** Makes e.g. `gatewayGetLogsStats` of `GET /gateway/api/logs/stats`. */
function nameOf({ method, url }: RouteOptions): string {
  const [area = '', ...words] = url.split(/[^A-Za-z0-9]+/).filter((word) => word !== '' && word !== 'api')
  const verb = String(method).toLowerCase()
  return area + [verb, ...words].map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}
