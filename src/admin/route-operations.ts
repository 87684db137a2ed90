import type { FastifyInstance } from 'fastify'
import { routesNotFound } from './errors.js'
import type { OperationContext } from './plugin-operations.js'
import {
  doneSchema,
  partialErrorSchema,
  type RouteBody,
  routeBodySchema,
  routeListSchema,
  schemaOf,
} from './schemas.js'

interface RouteRequest {
  Body: RouteBody
}

const tag = 'routes'

const changes = [
  {
    path: 'approve',
    call: 'approveRoutes',
    done: 'approved',
    summary: 'Approve routes',
    description:
      'An approved route answers from this moment on. Unknown ones are named in "errors", the others applied.',
  },
  {
    path: 'revoke',
    call: 'revokeRoutes',
    done: 'revoked',
    summary: 'Revoke the approval of routes',
    description:
      'A revoked route answers 404 from this moment on. Unknown ones are named in "errors", the others applied.',
  },
] as const

/** Adds the list of routes with their approval, and approve and revoke. */
export function addRouteOperations(app: FastifyInstance, context: OperationContext): void {
  const { administration, mutations } = context
  const list = schemaOf({
    tag,
    operationId: 'listRoutes',
    summary: 'List the routes of all plugins with their approval',
    answer: routeListSchema,
  })
  app.get('/plugins/routes', { schema: list }, async () => ({ routes: administration.routes() }))

  for (const { path, call, done, summary, description } of changes) {
    const schema = schemaOf({
      tag,
      operationId: call,
      summary,
      description,
      body: routeBodySchema,
      answer: doneSchema,
      failures: { 400: partialErrorSchema, 413: partialErrorSchema },
    })
    app.post<RouteRequest>(`/plugins/routes/${path}`, { schema }, async (request) => {
      const { routes } = request.body
      const subject = { routes: routes.map(({ plugin, method, path }) => `${plugin}: ${method} ${path}`) }
      await mutations.run(request, `route.${path}`, subject, async (actor) => {
        const { errors } = await administration[call](routes, actor)
        if (errors.length === 0) return
        throw routesNotFound({ failed: errors.length, total: routes.length, done }, { details: { errors } })
      })
      return { ok: true }
    })
  }
}
