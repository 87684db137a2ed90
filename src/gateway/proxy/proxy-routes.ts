import { type TSchema, Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifySchema } from 'fastify'
import type { RecordedRoute } from '../routes/admin-area.js'
import { orderInvalid } from './errors.js'
import type { GatewayProxy } from './proxy.js'
import { shownRule } from './proxy-rule.js'

const ruleSchema = Type.Object({
  id: Type.String(),
  name: Type.Optional(Type.String()),
  enabled: Type.Boolean(),
  order: Type.Integer(),
  pattern: Type.String(),
  target: Type.String(),
  rewrite: Type.Optional(Type.String()),
  changeOrigin: Type.Boolean(),
  secure: Type.Boolean(),
  headers: Type.Optional(
    Type.Record(Type.String(), Type.String(), {
      description: 'Values are shown as `***`; one that is sent so stays what it is.',
    }),
  ),
  identity: Type.Boolean({ description: 'Tells the target in `X-Identity` who sends a request.' }),
  ws: Type.Boolean(),
  base: Type.Optional(Type.String()),
  relativePaths: Type.Boolean(),
  publicRoutes: Type.Optional(
    Type.Unsafe({
      description:
        'Globs of paths that are public where no rule of the configuration says something else: a list, or lists by method.',
    }),
  ),
  readonly: Type.Boolean({ description: 'True for a rule of the configuration, which cannot be changed.' }),
})

const rulesSchema = Type.Array(ruleSchema)
const { id: _id, order: _order, readonly: _readonly, ...ruleFields } = ruleSchema.properties
const bodySchema = Type.Partial(Type.Object(ruleFields), {
  description: 'A new rule needs `pattern` and `target`.',
})
const orderSchema = Type.Object({ ids: Type.Array(Type.String(), { description: 'All of them.' }) })
const failureSchema = Type.Object({ error: Type.String(), code: Type.String() })
const idSchema = Type.Object({ id: Type.String() })

interface Documented {
  readonly config: RecordedRoute
  readonly schema: FastifySchema
  readonly validatorCompiler?: () => () => boolean
}

function documented(
  summary: string,
  status: number,
  answer: TSchema,
  { hasId = false, body, action }: DocumentedParts = {},
): Documented {
  const response = { [status]: answer, ...(hasId && { 404: failureSchema }) }
  const schema = { summary, tags: ['Gateway'], response, ...(hasId && { params: idSchema }) } as FastifySchema
  const config = action === undefined ? {} : { action }
  // The schema of a body is for readers: the rules check it by themselves, with texts that name the remedy.
  return body === undefined
    ? { config, schema }
    : { config, schema: { ...schema, body }, validatorCompiler: () => () => true }
}

interface DocumentedParts {
  readonly hasId?: boolean
  readonly body?: TSchema
  /** What a change is called in the record. */
  readonly action?: string
}

interface WithId {
  readonly Params: { readonly id: string }
}

/** Adds the routes by which admins see and change the rules of the proxy. */
export function addProxyRoutes(app: FastifyInstance, { rules }: Pick<GatewayProxy, 'rules'>): void {
  app.get('/rules', documented('List the rules in their order', 200, rulesSchema), async () =>
    rules.list().map(shownRule),
  )
  app.get<WithId, RecordedRoute>(
    '/rules/:id',
    documented('Show a rule', 200, ruleSchema, { hasId: true }),
    async (request) => shownRule(rules.get(request.params.id)),
  )
  app.post(
    '/rules',
    documented('Add a rule', 201, ruleSchema, { body: bodySchema, action: 'proxy_rule.create' }),
    async (request, reply) => {
      const rule = await rules.add(request.body)
      return reply.code(201).send(shownRule(rule))
    },
  )
  app.put(
    '/rules/reorder',
    documented('Put the rules that can be moved into a new order', 200, rulesSchema, {
      body: orderSchema,
      action: 'proxy_rule.reorder',
    }),
    async (request) => (await rules.reorder(readIds(request.body))).map(shownRule),
  )
  app.put<WithId, RecordedRoute>(
    '/rules/:id',
    documented('Change members of a rule; null takes one back', 200, ruleSchema, {
      hasId: true,
      body: bodySchema,
      action: 'proxy_rule.update',
    }),
    async (request) => shownRule(await rules.change(request.params.id, request.body)),
  )
  app.patch<WithId, RecordedRoute>(
    '/rules/:id/toggle',
    documented('Turn a rule on or off', 200, ruleSchema, { hasId: true, action: 'proxy_rule.toggle' }),
    async (request) => shownRule(await rules.toggle(request.params.id)),
  )
  app.delete<WithId, RecordedRoute>(
    '/rules/:id',
    documented('Delete a rule', 200, Type.Object({ success: Type.Boolean() }), {
      hasId: true,
      action: 'proxy_rule.delete',
    }),
    async (request) => {
      await rules.delete(request.params.id)
      return { success: true }
    },
  )
}

function readIds(body: unknown): readonly string[] {
  const ids: unknown = typeof body === 'object' && body !== null && 'ids' in body ? body.ids : undefined
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === 'string')) {
    throw orderInvalid({ reason: 'they are not a list of texts under "ids"' })
  }
  const others = Object.keys(body as object).filter((name) => name !== 'ids')
  if (others.length > 0) throw orderInvalid({ reason: `there is no field "${others[0]}"` })
  return ids
}
