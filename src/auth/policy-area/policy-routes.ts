import { type TSchema, Type } from '@sinclair/typebox'
import type {
  FastifyContextConfig,
  FastifyInstance,
  FastifyPluginCallback,
  FastifyRequest,
  FastifySchema,
} from 'fastify'
import type { RecordChange } from '../../areas/recorded-change.js'
import { policyLimits } from '../../base/limits/policies.js'
import {
  type AdminAreaLog,
  createAdminArea,
  failureSchema,
  nameResource,
  type RecordedRoute,
} from '../../gateway/routes/admin-area.js'
import { actorOf, type GatewayAuthenticate } from '../../gateway/routes/gate.js'
import { Query } from '../../gateway/routes/query.js'
import { readContext } from '../../policies/context.js'
import type { PolicyService } from '../../policies/policy-service.js'
import { contextSchema } from '../../policies/schema.js'
import { policyAnswers } from './policy-answers.js'
import { takePage } from './policy-page.js'
import {
  decisionSchema,
  explanationSchema,
  listedSchema,
  namedPolicyBodySchema,
  pageSchema,
  policyBodySchema,
  refusalSchema,
  statusSchema,
  versionsSchema,
} from './policy-schemas.js'

/** Paths under which the host mounts policies; the first is the one of the OpenAPI document. */
export const policyPrefixes = ['/authz/api', '/api/authz'] as const

/** The paths below the prefixes, for the server that they are mounted in. */
export const policyArea = { prefixes: policyPrefixes, refuse: policyAnswers.refuse } as const

/** What the HTTP interface of policies is made of. */
export interface PolicyRoutesOptions {
  readonly policies: PolicyService
  /** Whether a rule of the configuration has them decide anything. */
  readonly inUse: boolean
  readonly authenticate: GatewayAuthenticate
  /** Gets each change; nobody does when missing. */
  readonly record?: RecordChange | undefined
  readonly isDocumented: boolean
  readonly log: AdminAreaLog
}

interface WithId {
  readonly Params: { readonly id: string }
}

const permissions = { read: 'policies:read', change: 'policies:admin' } as const
const reading = { config: { permission: permissions.read } } as const

/**
 * Creates the HTTP interface of policies as an encapsulated Fastify plugin:
 * `app.register(createPolicyRoutes(options), { prefix: policyPrefixes[0] })`.
 */
export function createPolicyRoutes(options: PolicyRoutesOptions): FastifyPluginCallback {
  const { authenticate, isDocumented, log, record } = options
  const parts = [
    (app: FastifyInstance) => addReading(app, options),
    (app: FastifyInstance) => addTrying(app, options),
    (app: FastifyInstance) => addChanges(app, options),
  ]
  return createAdminArea({
    authenticate,
    permissions,
    answers: policyAnswers,
    isDocumented,
    log,
    record,
    parts,
  })
}

function addReading(app: FastifyInstance, { policies, inUse }: PolicyRoutesOptions): void {
  app.get('/status', documented('Show how policies decide', statusSchema), async (request) => {
    readNone(request)
    return { ...policies.summary(), inUse }
  })
  const { pageMax, pageDefault } = policyLimits
  const page = {
    limit: `How many, 1 to ${pageMax}; ${pageDefault} when it is missing.`,
    cursor: '`nextCursor` of the page before.',
  }
  app.get(
    '/policies',
    documented('List policies in the order in which they are looked at', pageSchema, { query: page }),
    async (request) => {
      const query = new Query(request, Object.keys(page))
      const limit = query.integer('limit', { min: 1, max: pageMax }) ?? pageDefault
      return takePage(policies.list(), limit, query.text('cursor'))
    },
  )
  app.get<WithId>(
    '/policies/:id',
    documented('Show a policy', listedSchema, { hasId: true }),
    async (request) => {
      readNone(request)
      return policies.get(request.params.id)
    },
  )
  app.get<WithId>(
    '/policies/:id/history',
    documented('Show the versions of a policy that are kept, the newest first', versionsSchema, {
      hasId: true,
      description: 'Also of one that was deleted, of which the newest version has no policy.',
    }),
    async (request) => {
      readNone(request)
      return { versions: await policies.history(request.params.id) }
    },
  )
}

function addTrying(app: FastifyInstance, { policies }: PolicyRoutesOptions): void {
  const tried = { body: contextSchema, description: 'Nothing is changed, and nothing is done.' }
  app.post(
    '/evaluate',
    { ...documented('Decide about something', decisionSchema, tried), ...reading },
    async (request) => {
      readNone(request)
      return policies.evaluate(readContext(request.body))
    },
  )
  app.post(
    '/explain',
    { ...documented('Decide about something, and tell why', explanationSchema, tried), ...reading },
    async (request) => {
      readNone(request)
      return policies.explain(readContext(request.body))
    },
  )
}

const versionQuery = {
  version:
    'The version that the change is made for, 0 where there must be none yet: with another one it answers 409. Any when it is missing.',
} as const

function addChanges(app: FastifyInstance, { policies }: PolicyRoutesOptions): void {
  app.post(
    '/policies',
    documented('Add a policy', listedSchema, { status: 201, body: policyBodySchema, action: 'policy.put' }),
    async (request, reply) => {
      readNone(request)
      nameResource(request, idIn(request.body))
      const listed = await policies.create(request.body, { by: actorOf(request) })
      return reply.code(201).send(listed)
    },
  )
  app.put<WithId>(
    '/policies/:id',
    documented('Put a policy in the place of the one with this id, or add it', listedSchema, {
      body: namedPolicyBodySchema,
      query: versionQuery,
      action: 'policy.put',
      hasId: true,
    }),
    async (request) => {
      const { id } = request.params
      const version = versionOf(request)
      return policies.put(id, request.body, { by: actorOf(request), version })
    },
  )
  const done = Type.Object({ success: Type.Boolean() })
  app.delete<WithId>(
    '/policies/:id',
    documented('Delete a policy', done, { hasId: true, query: versionQuery, action: 'policy.delete' }),
    async (request) => {
      const { id } = request.params
      const version = versionOf(request)
      await policies.delete(id, { by: actorOf(request), version })
      return { success: true }
    },
  )
}

function versionOf(request: FastifyRequest): number | undefined {
  return new Query(request, Object.keys(versionQuery)).integer('version', { min: 0, max: 999_999_999 })
}

/** A parameter that does nothing is a mistake of its sender. */
function readNone(request: FastifyRequest): void {
  new Query(request, [])
}

/** The id that a new policy would have; undefined for what is none. */
function idIn(body: unknown): string | undefined {
  const id: unknown = typeof body === 'object' && body !== null && 'id' in body ? body.id : undefined
  return typeof id === 'string' ? id.slice(0, policyLimits.idCharactersMax) : undefined
}

interface Documentation {
  /** 200 when missing. */
  readonly status?: number
  readonly description?: string
  readonly hasId?: boolean
  /** What the record calls it; missing for what changes nothing. */
  readonly action?: string
  readonly body?: TSchema
  readonly query?: Readonly<Record<string, string>>
}

function documented(
  summary: string,
  answer: TSchema,
  { status = 200, description, hasId = false, action, body, query }: Documentation = {},
): { readonly schema: FastifySchema; readonly config: RecordedRoute & FastifyContextConfig } {
  const schema = {
    summary,
    tags: ['Policies'],
    ...(description !== undefined && { description }),
    ...(hasId && { params: Type.Object({ id: Type.String() }) }),
    ...(query !== undefined && { querystring: parameters(query) }),
    ...(body !== undefined && { body }),
    response: {
      [status]: answer,
      400: refusalSchema,
      ...(hasId && { 404: failureSchema }),
      ...(action !== undefined && { 409: failureSchema }),
    },
  }
  return { config: action === undefined ? {} : { action }, schema: schema as FastifySchema }
}

function parameters(texts: Readonly<Record<string, string>>): TSchema {
  return Type.Object(
    Object.fromEntries(
      Object.entries(texts).map(([name, description]) => [name, Type.Optional(Type.Unsafe({ description }))]),
    ),
  )
}
