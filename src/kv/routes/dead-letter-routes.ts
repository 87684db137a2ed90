import { Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { kvLimits } from '../../base/limits/kv.js'
import { deadLetterToJson } from './answers.js'
import { given } from './body-reader.js'
import type { RouteMaker } from './operation.js'
import { deadLetterNotFound } from './routes-failures.js'
import { deadLetterSchema, deletedSchema, okSchema } from './schemas.js'

const queueText = 'Name of the queue; all of the namespace when it is missing.'

/** Adds what shows messages of which all tries have failed, and what is done about them. */
export function addDeadLetterRoutes(app: FastifyInstance, route: RouteMaker): void {
  addReads(app, route)
  addRequeue(app, route)
  addDeletes(app, route)
}

function addReads(app: FastifyInstance, route: RouteMaker): void {
  app.get(
    '/queue/dlq',
    route(
      {
        operationId: 'kvDeadLetters',
        summary: 'List dead letters, the newest failure first',
        permission: 'kv:queue',
        query: {
          queue: queueText,
          limit: `Messages, at most ${kvLimits.deadLettersPageMax}; ${kvLimits.deadLettersPageDefault} when it is missing.`,
          offset: 'How many to pass over.',
        },
        answer: Type.Array(deadLetterSchema),
      },
      async ({ kv, query }) => {
        const options = given({
          queue: query.text('queue'),
          limit: query.integer('limit', { min: 1, max: kvLimits.deadLettersPageMax }),
          offset: query.integer('offset', { min: 0, max: Number.MAX_SAFE_INTEGER }),
        })
        return (await kv.queues.deadLetters(options)).map(deadLetterToJson)
      },
    ),
  )
  app.get(
    '/queue/dlq/:id',
    route(
      {
        operationId: 'kvDeadLetter',
        summary: 'Show a dead letter',
        permission: 'kv:queue',
        answer: deadLetterSchema,
        failures: [404],
      },
      async ({ kv, request }) => {
        const letter = await kv.queues.deadLetter(idOf(request))
        if (letter === undefined) throw deadLetterNotFound()
        return deadLetterToJson(letter)
      },
    ),
  )
}

function addRequeue(app: FastifyInstance, route: RouteMaker): void {
  app.post(
    '/queue/dlq/:id/requeue',
    route(
      {
        operationId: 'kvRequeue',
        action: 'kv_dead_letter.requeue',
        summary: 'Put a dead letter back into its queue, with all its tries',
        permission: 'kv:queue',
        answer: Type.Object({ ok: Type.Boolean(), newId: Type.String() }),
        failures: [404, 507],
      },
      async ({ kv, request }) => {
        const requeued = await kv.queues.requeue(idOf(request))
        if (requeued === undefined) throw deadLetterNotFound()
        return { ok: true, newId: requeued.newId }
      },
    ),
  )
}

function addDeletes(app: FastifyInstance, route: RouteMaker): void {
  app.delete(
    '/queue/dlq/:id',
    route(
      {
        operationId: 'kvDeleteDeadLetter',
        action: 'kv_dead_letter.delete',
        summary: 'Delete a dead letter',
        description: 'Succeeds as well when it is not there.',
        permission: 'kv:queue',
        answer: Type.Composite([okSchema, deletedSchema]),
      },
      async ({ kv, request }) => {
        const isDeleted = await kv.queues.deleteDeadLetter(idOf(request))
        return { ok: true, deletedCount: isDeleted ? 1 : 0 }
      },
    ),
  )
  app.delete(
    '/queue/dlq',
    route(
      {
        operationId: 'kvPurgeDeadLetters',
        action: 'kv_dead_letter.purge',
        summary: 'Delete all dead letters',
        permission: 'kv:queue',
        query: { queue: queueText },
        answer: deletedSchema,
      },
      async ({ kv, query }) => ({ deletedCount: await kv.queues.purgeDeadLetters(query.text('queue')) }),
    ),
  )
}

function idOf(request: FastifyRequest): string {
  return (request.params as { readonly id: string }).id
}
