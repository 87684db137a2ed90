import type { TSchema } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { hookApprovalKey } from '../capabilities/hooks/hook-rules.js'
import type { GrantRequest } from '../plugins/administration.js'
import { pluginNotFound } from '../plugins/errors.js'
import { coreKey, kvKey } from '../plugins/grants/grant-keys.js'
import type { GrantKind } from '../plugins/grants/grant-table.js'
import { grantsNotFound } from './errors.js'
import {
  type AuthBody,
  authBodySchema,
  authListSchema,
  type CoreBody,
  coreBodySchema,
  coreListSchema,
  diffSchema,
  type GatewayBody,
  gatewayBodySchema,
  gatewayListSchema,
  type HookBody,
  hookBodySchema,
  hookListSchema,
  type KvBody,
  kvBodySchema,
  kvListSchema,
  type RequestBody,
  requestBodySchema,
  requestListSchema,
  type StageBody,
  stageBodySchema,
  stageListSchema,
} from './grant-schemas.js'
import type { OperationContext } from './plugin-operations.js'
import {
  doneSchema,
  errorSchema,
  type PluginParams,
  partialErrorSchema,
  pluginParamsSchema,
  schemaOf,
} from './schemas.js'

/** One kind of grants as a resource of the admin API. */
interface Resource {
  readonly path: string
  /** As in operation ids: `listHooks`, `approveHooks`. */
  readonly title: string
  /** As in sentences. */
  readonly items: string
  /** What an approval lets happen. */
  readonly effect: string
  readonly answer: TSchema
  readonly body: TSchema
  read(administration: OperationContext['administration']): object
  parse(body: unknown): readonly GrantRequest[]
}

const resources: readonly Resource[] = [
  {
    path: 'hooks',
    title: 'Hooks',
    items: 'hooks',
    effect: 'An approved hook runs from this moment on.',
    answer: hookListSchema,
    body: hookBodySchema,
    read: (administration) => ({ hooks: administration.asked.hooks() }),
    parse: (body) =>
      (body as HookBody).hooks.map(({ event, table, ...item }) =>
        toRequest('hook', hookApprovalKey(event, table), item),
      ),
  },
  {
    path: 'requests',
    title: 'Requests',
    items: 'domains of outbound requests',
    effect: 'Requests to an approved domain are sent from this moment on.',
    answer: requestListSchema,
    body: requestBodySchema,
    read: (administration) => ({ requests: administration.asked.requests() }),
    parse: (body) =>
      (body as RequestBody).requests.map(({ domain, ...item }) => toRequest('domain', domain, item)),
  },
  {
    path: 'core',
    title: 'CoreAccess',
    items: 'accesses to core tables',
    effect: 'An approved access works from this moment on.',
    answer: coreListSchema,
    body: coreBodySchema,
    read: (administration) => ({ core: administration.asked.coreAccess() }),
    parse: (body) =>
      (body as CoreBody).core.map(({ table, access, ...item }) =>
        toRequest('core', coreKey(table, access === 'write' ? 'write' : 'read'), item),
      ),
  },
  {
    path: 'kv',
    title: 'KvAccess',
    items: 'accesses to shared namespaces',
    effect: 'An approved access works from this moment on.',
    answer: kvListSchema,
    body: kvBodySchema,
    read: (administration) => ({ kv: administration.asked.kvAccess() }),
    parse: (body) =>
      (body as KvBody).kv.map(({ namespace, access, ...item }) =>
        toRequest('kv', kvKey(namespace, access === 'write' ? 'write' : 'read'), item),
      ),
  },
  {
    path: 'stages',
    title: 'Stages',
    items: 'stages in front of all requests',
    effect: 'An approved stage sees requests from this moment on.',
    answer: stageListSchema,
    body: stageBodySchema,
    read: (administration) => ({ stages: administration.asked.stages() }),
    parse: (body) => (body as StageBody).stages.map(({ stage, ...item }) => toRequest('stage', stage, item)),
  },
  {
    path: 'auth-parts',
    title: 'AuthParts',
    items: 'authenticators and authorizers',
    effect: 'What is approved is asked from this moment on, where rules of the configuration name it.',
    answer: authListSchema,
    body: authBodySchema,
    read: (administration) => ({ auth_parts: administration.asked.authParts() }),
    parse: (body) => (body as AuthBody).auth_parts.map(({ part, ...item }) => toRequest('auth', part, item)),
  },
  {
    path: 'gateway-access',
    title: 'GatewayAccess',
    items: 'accesses to the gateway',
    effect: 'An approved access works from this moment on.',
    answer: gatewayListSchema,
    body: gatewayBodySchema,
    read: (administration) => ({ gateway_access: administration.asked.gatewayAccess() }),
    parse: (body) =>
      (body as GatewayBody).gateway_access.map(({ access, ...item }) => toRequest('gateway', access, item)),
  },
]

const changes = [
  { path: 'approve', call: 'approveGrants', done: 'approved', summary: 'Approve' },
  { path: 'revoke', call: 'revokeGrants', done: 'revoked', summary: 'Revoke the approval of' },
] as const

/** Adds the lists of what plugins ask for beside routes with its approval, approve and revoke, and the comparison. */
export function addGrantOperations(app: FastifyInstance, context: OperationContext): void {
  for (const resource of resources) {
    addList(app, context, resource)
    addChanges(app, context, resource)
  }
  addDiff(app, context)
}

function addList(app: FastifyInstance, { administration }: OperationContext, resource: Resource): void {
  const { path, title, items, answer } = resource
  const schema = schemaOf({
    tag: path,
    operationId: `list${title}`,
    summary: `List the ${items} that plugins ask for, with their approval`,
    answer,
  })
  app.get(`/plugins/${path}`, { schema }, async () => resource.read(administration))
}

function addChanges(app: FastifyInstance, context: OperationContext, resource: Resource): void {
  const { administration, mutations } = context
  const { title, items, body } = resource
  for (const { path, call, done, summary } of changes) {
    const effect = path === 'approve' ? resource.effect : 'It ends at once, also for what is running.'
    const schema = schemaOf({
      tag: resource.path,
      operationId: `${path}${title}`,
      summary: `${summary} ${items}`,
      description: `${effect} Unknown ones are named in "errors", the others applied.`,
      body,
      answer: doneSchema,
      failures: { 400: partialErrorSchema, 413: partialErrorSchema },
    })
    app.post(`/plugins/${resource.path}/${path}`, { schema }, async (request) => {
      const grants = resource.parse(request.body)
      const subject = { grants: grants.map(({ plugin, kind, key }) => `${plugin}: ${kind} ${key}`) }
      await mutations.run(request, `grant.${path}`, subject, async (actor) => {
        const { errors } = await administration[call](grants, actor)
        if (errors.length === 0) return
        const facts = { failed: errors.length, total: grants.length, items, done }
        throw grantsNotFound(facts, { details: { errors } })
      })
      return { ok: true }
    })
  }
}

function addDiff(app: FastifyInstance, { administration }: OperationContext): void {
  const schema = schemaOf({
    tag: 'plugins',
    params: pluginParamsSchema,
    failures: { 404: errorSchema },
    operationId: 'diffPlugin',
    summary: 'Compare what a plugin asks for with what is approved',
    answer: diffSchema,
  })
  app.get<{ Params: PluginParams }>('/plugins/:name/diff', { schema }, async ({ params }) => {
    const diff = await administration.diff(params.name)
    if (diff === undefined) throw pluginNotFound({ plugin: params.name })
    return diff
  })
}

function toRequest(
  kind: GrantKind,
  key: string,
  item: { readonly plugin: string; readonly content_hash?: string },
): GrantRequest {
  const { plugin, content_hash: contentHash } = item
  return { plugin, kind, key, ...(contentHash === undefined ? {} : { contentHash }) }
}
