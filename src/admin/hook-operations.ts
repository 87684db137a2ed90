import { type Static, Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { hookLimits } from '../base/limits/hooks.js'
import type { HookAdministration } from '../plugins/hooks/hook-administration.js'
import type { Mutations } from './mutations.js'
import { doneSchema, errorSchema, schemaOf } from './schemas.js'

const tag = 'hooks'
const strict = { additionalProperties: false } as const
const text = (description: string) => Type.String({ description })
/** Numbers of deliveries travel as text: they are for asking with, not for counting. */
const numberText = (description: string) => Type.String({ pattern: '^[0-9]{1,15}$', description })

const stateSchema = Type.Union([Type.Literal('pending'), Type.Literal('running'), Type.Literal('dead')], {
  description: 'A pending one is tried at due_at; a dead one failed too often or waited too long.',
})

const deliverySchema = Type.Object({
  id: numberText('Number of the delivery; what the hook sees as data._delivery.'),
  plugin: text('Name of the plugin.'),
  event: text('Event of the hook, e.g. after_create.'),
  table: text('Table that the hook is registered for; "*" for every table.'),
  written_table: text('Table that was written.'),
  request_id: text('The request that wrote.'),
  state: stateSchema,
  attempts: Type.Integer({ description: 'Tries so far.' }),
  error: text('Why the last try failed; empty when none has.'),
  due_at: text('RFC 3339.'),
  created_at: text('RFC 3339.'),
})

const querySchema = Type.Object(
  {
    state: Type.Optional(stateSchema),
    plugin: Type.Optional(text('Only deliveries of this plugin.')),
    after: Type.Optional(numberText('Only deliveries behind this number: "next" of the page before.')),
  },
  strict,
)
const pageSchema = Type.Object({
  deliveries: Type.Array(deliverySchema, { description: `At most ${hookLimits.deliveryPageMax}.` }),
  next: Type.Optional(numberText('What to give as "after" for the next page; absent on the last.')),
})
const paramsSchema = Type.Object({ id: numberText('Number of the delivery.') })

const referenceFields = {
  plugin: text('Name of the plugin.'),
  event: text('Event of the hook, e.g. before_create.'),
  table: text('Table that the hook is registered for; "*" for every table.'),
}
const referenceSchema = Type.Object(referenceFields, strict)
const breakersSchema = Type.Object({
  breakers: Type.Array(
    Type.Object({
      ...referenceFields,
      state: Type.Union([Type.Literal('closed'), Type.Literal('open')], {
        description: 'An open one skips the hook until its plugin is reloaded or it is reset.',
      }),
      failures: Type.Integer({ description: 'Errors in a row.' }),
    }),
  ),
})

/** What the operations on deliveries and breakers of hooks act on. */
export interface HookOperationContext {
  readonly hooks: HookAdministration
  readonly mutations: Mutations
}

/** Adds the deliveries of after-hooks, and the breakers of hooks. */
export function addHookOperations(app: FastifyInstance, context: HookOperationContext): void {
  addDeliveryList(app, context)
  addDeliveryChanges(app, context)
  addBreakers(app, context)
}

function addDeliveryList(app: FastifyInstance, { hooks }: HookOperationContext): void {
  const list = schemaOf({
    tag,
    operationId: 'listHookDeliveries',
    summary: 'List what is owed to after-hooks',
    description: 'Deliveries that were made are gone. The oldest come first.',
    answer: pageSchema,
    failures: { 400: errorSchema },
  })
  app.get<{ Querystring: Static<typeof querySchema> }>(
    '/plugins/hooks/deliveries',
    { schema: { ...list, querystring: querySchema } },
    async ({ query }) => {
      const { after, plugin, state } = query
      return hooks.deliveries({
        ...(state === undefined ? {} : { state }),
        ...(plugin === undefined ? {} : { plugin }),
        ...(after === undefined ? {} : { after: Number(after) }),
      })
    },
  )
}

function addDeliveryChanges(app: FastifyInstance, { hooks, mutations }: HookOperationContext): void {
  const ofOneDelivery = {
    tag,
    params: paramsSchema,
    answer: doneSchema,
    failures: { 400: errorSchema, 404: errorSchema, 409: errorSchema },
  } as const
  const retry = schemaOf({
    ...ofOneDelivery,
    operationId: 'retryHookDelivery',
    summary: 'Make a delivery again',
    description: 'It is due at once and has all its tries again.',
  })
  app.post<{ Params: { id: string } }>(
    '/plugins/hooks/deliveries/:id/retry',
    { schema: retry },
    async (request) => {
      const { id } = request.params
      await mutations.run(request, 'hook.delivery.retry', { delivery: id }, (actor) =>
        hooks.retryDelivery(Number(id), actor),
      )
      return { ok: true }
    },
  )
  const discard = schemaOf({
    ...ofOneDelivery,
    operationId: 'discardHookDelivery',
    summary: 'Discard a delivery',
    description: 'The hook never hears of the write. What is discarded does not come back.',
  })
  app.delete<{ Params: { id: string } }>(
    '/plugins/hooks/deliveries/:id',
    { schema: discard },
    async (request) => {
      const { id } = request.params
      await mutations.run(request, 'hook.delivery.discard', { delivery: id }, (actor) =>
        hooks.discardDelivery(Number(id), actor),
      )
      return { ok: true }
    },
  )
}

function addBreakers(app: FastifyInstance, { hooks, mutations }: HookOperationContext): void {
  const list = schemaOf({
    tag,
    operationId: 'listHookBreakers',
    summary: 'List the hooks that have failed',
    description: 'Hooks without errors since their last success are not in it.',
    answer: breakersSchema,
  })
  app.get('/plugins/hooks/breakers', { schema: list }, async () => ({ breakers: hooks.breakers() }))
  const reset = schemaOf({
    tag,
    operationId: 'resetHookBreaker',
    summary: 'Switch a hook on again',
    body: referenceSchema,
    answer: doneSchema,
    failures: { 400: errorSchema, 404: errorSchema },
  })
  app.post<{ Body: Static<typeof referenceSchema> }>(
    '/plugins/hooks/breakers/reset',
    { schema: reset },
    async (request) => {
      const { plugin, event, table } = request.body
      const subject = { plugin, hook: `${event}:${table}` }
      await mutations.run(request, 'hook.breaker.reset', subject, async (actor) =>
        hooks.resetBreaker({ plugin, event, table }, actor),
      )
      return { ok: true }
    },
  )
}
