import { type TSchema, Type } from '@sinclair/typebox'
import type { FastifyContextConfig, FastifyReply, FastifyRequest } from 'fastify'
import { anyCredential } from '../../areas/credentials.js'
import type { RecordedChange } from '../../areas/recorded-change.js'
import type { Kv } from '../kv.js'
import { defaultNamespace, parseNamespace } from '../namespace.js'
import type { KvPermission } from './permissions.js'
import { Query } from './query.js'
import type { KvRoutesOptions } from './routes-options.js'

/** What one operation says of itself. */
export interface KvOperation {
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  readonly permission: KvPermission
  /** What it is called in the record of what admins do; not recorded when missing. */
  readonly action?: string
  /** Descriptions of the parameters of the query by name, beside `namespace`. */
  readonly query?: Readonly<Record<string, string>>
  readonly body?: TSchema
  /** What is answered with 200. */
  readonly answer: TSchema
  /** Media type of the answer; JSON when missing. */
  readonly answersAs?: string
  /** Statuses beside 400, 401, 403, 413, 429 and 500. */
  readonly failures?: readonly number[]
  /** True where the operation is not about a namespace. */
  readonly isGlobal?: true
}

/** What the handler of an operation works with. */
export interface KvCall {
  /** The namespace that the query names. */
  readonly kv: Kv
  readonly query: Query
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

const namespaceText = `Namespace: \`plugin:<name>\`, \`shared:<name>\` or \`<name>\` for a shared one; \`${defaultNamespace}\` when it is missing.`

const failureSchema = Type.Object({
  error: Type.String({ description: 'A sentence for a person.' }),
  code: Type.String({ description: 'Stable and machine-readable.' }),
})

/** The options and the handler of a route, made of an operation and what it does. */
export interface KvRoute {
  readonly schema: Record<string, unknown>
  readonly config: FastifyContextConfig & { readonly permission: KvPermission }
  /** A request for the head alone must neither lease a message nor open a stream. */
  readonly exposeHeadRoute: boolean
  handler(request: FastifyRequest, reply: FastifyReply): Promise<unknown>
}

/** Makes the routes of one application. */
export function createRouteMaker({ namespaces, isDocumented, record }: KvRoutesOptions) {
  return function route(operation: KvOperation, work: (call: KvCall) => unknown): KvRoute {
    const known = [...(operation.isGlobal ? [] : ['namespace']), ...Object.keys(operation.query ?? {})]
    const { permission, action } = operation
    return {
      schema: isDocumented ? schemaOf(operation) : { hide: true },
      config: { permission },
      exposeHeadRoute: permission === 'kv:read' || permission === 'kv:write',
      async handler(request, reply) {
        const query = new Query(request, known)
        const namespace = query.text('namespace') ?? defaultNamespace
        const kv = namespaces.namespace(parseNamespace(namespace))
        const call = { kv, query, request, reply }
        return action === undefined || record === undefined
          ? work(call)
          : recorded(
              () => work(call),
              (outcome) => record(request, changeOf(call, { action, namespace, outcome })),
            )
      },
    }
  }
}

/** Waits for work, and says how it ended. */
async function recorded(
  work: () => unknown,
  note: (outcome: RecordedChange['outcome']) => void,
): Promise<unknown> {
  try {
    const result = await work()
    note('success')
    return result
  } catch (error) {
    note('failure')
    throw error
  }
}

function changeOf(
  { query, request }: KvCall,
  { action, namespace, outcome }: { action: string; namespace: string; outcome: RecordedChange['outcome'] },
): RecordedChange {
  const { id } = request.params as { readonly id?: string }
  const queue = query.text('queue')
  const resource = { type: action.slice(0, action.lastIndexOf('.')), id }
  return { action, outcome, resource, details: { namespace, ...(queue !== undefined && { queue }) } }
}

/** Answers with JSON that has been written already. */
export function sendJson(reply: FastifyReply, text: string): FastifyReply {
  return reply.header('content-type', 'application/json; charset=utf-8').send(text)
}

/** Makes routes out of operations. */
export type RouteMaker = ReturnType<typeof createRouteMaker>

function schemaOf(operation: KvOperation): Record<string, unknown> {
  const { operationId, summary, description, permission, query = {}, body, answer, answersAs } = operation
  const parameters = operation.isGlobal ? query : { namespace: namespaceText, ...query }
  const statuses = [400, 401, 403, 413, 429, 500, ...(operation.failures ?? [])]
  const failures = Object.fromEntries(statuses.map((status) => [status, failureSchema]))
  const success = answersAs === undefined ? answer : { content: { [answersAs]: { schema: answer } } }
  return {
    operationId,
    summary,
    description: `${description === undefined ? '' : `${description} `}Needs the permission \`${permission}\`.`,
    tags: ['keyval'],
    security: anyCredential,
    ...(Object.keys(parameters).length > 0 && { querystring: querySchema(parameters) }),
    ...(body !== undefined && { body }),
    response: { 200: success, ...failures },
  }
}

function querySchema(parameters: Readonly<Record<string, string>>): TSchema {
  const texts = Object.entries(parameters).map(([name, description]) => [
    name,
    Type.Optional(Type.String({ description })),
  ])
  return Type.Object(Object.fromEntries(texts))
}
