import type { FastifyInstance, FastifyRequest } from 'fastify'
import { keyNotFound, userNotFound } from '../../identity/errors.js'
import type { StoredKey } from '../../identity/key-row.js'
import type { Page } from '../../identity/list-page.js'
import type { StoredUser } from '../../identity/user-row.js'
import { nameOf } from './callers.js'
import { type AccountsContext, maySee, ownTenant } from './context.js'
import { timeInvalid } from './errors.js'
import { schemaOf } from './operation-schema.js'
import {
  type CreateKeyBody,
  createKeyBodySchema,
  createOwnKeyBodySchema,
  type IdParams,
  idParamsSchema,
  issuedKeySchema,
  type KeyQueryText,
  keyQuerySchema,
  keySchema,
  keysSchema,
  ownKeyQuerySchema,
} from './schemas.js'
import { grantOf } from './user-operations.js'
import { viewKey, viewPage } from './views.js'

const access = (access: string) => ({ config: { access } as object })

/** Adds the operations on API keys: one's own, and those of others. */
export function addKeyOperations(app: FastifyInstance, context: AccountsContext): void {
  const operations = new KeyOperations(context)
  app.get<{ Querystring: KeyQueryText }>(
    '/me/keys',
    { schema: listOwnSchema, ...access('account') },
    async (request) => operations.list(request, await context.callers.accountOf(request)),
  )
  app.post<{ Body: CreateKeyBody }>(
    '/me/keys',
    { schema: createOwnSchema, ...access('account') },
    async (request, reply) => {
      reply.code(201)
      return operations.create(request, await context.callers.accountOf(request))
    },
  )
  app.delete<{ Params: IdParams }>(
    '/me/keys/:id',
    { schema: revokeOwnSchema, ...access('account') },
    (request) => operations.revokeOwn(request, request.params.id),
  )
  app.get<{ Querystring: KeyQueryText }>(
    '/keys',
    { schema: listSchema, ...access('keys:read') },
    async (request) => operations.list(request, await operations.ownerOf(request, request.query.owner)),
  )
  app.post<{ Body: CreateKeyBody }>(
    '/keys',
    { schema: createSchema, ...access('keys:admin') },
    async (request, reply) => {
      reply.code(201)
      return operations.create(request, await operations.ownerOf(request, request.body.owner))
    },
  )
  app.delete<{ Params: IdParams }>(
    '/keys/:id',
    { schema: revokeSchema, ...access('keys:admin') },
    (request) => operations.revoke(request, request.params.id),
  )
}

const createFailures = [400, 404, 409, 413, 415, 503]

const listOwnSchema = schemaOf({
  operationId: 'listOwnKeys',
  summary: 'List your own API keys',
  query: ownKeyQuerySchema,
  answer: keysSchema,
  failures: [400, 503],
})

const createOwnSchema = schemaOf({
  operationId: 'createOwnKey',
  summary: 'Make an API key of your own',
  description: 'It never does more than you may at that moment, and ends with your password.',
  body: createOwnKeyBodySchema,
  answer: issuedKeySchema,
  status: 201,
  failures: createFailures,
})

const revokeOwnSchema = schemaOf({
  operationId: 'revokeOwnKey',
  summary: 'Revoke an API key of your own, for good',
  params: idParamsSchema,
  answer: keySchema,
  failures: [404, 503],
})

const listSchema = schemaOf({
  operationId: 'listKeys',
  summary: 'List API keys',
  description: 'Who belongs to a tenant sees those of that tenant; a page may then have fewer than limit.',
  query: keyQuerySchema,
  answer: keysSchema,
  failures: [400, 404, 503],
})

const createSchema = schemaOf({
  operationId: 'createKey',
  summary: 'Make an API key',
  description:
    'Nobody gives a key what they do not have themselves. The key is in this answer and nowhere else.',
  body: createKeyBodySchema,
  answer: issuedKeySchema,
  status: 201,
  failures: createFailures,
})

const revokeSchema = schemaOf({
  operationId: 'revokeKey',
  summary: 'Revoke an API key, for good',
  params: idParamsSchema,
  answer: keySchema,
  failures: [404, 503],
})

class KeyOperations {
  readonly #context: AccountsContext

  constructor(context: AccountsContext) {
    this.#context = context
  }

  /** Undefined for a key that belongs to nobody. @throws `USER_NOT_FOUND` */
  async ownerOf(request: FastifyRequest, text: string | undefined): Promise<StoredUser | undefined> {
    if (text === undefined) return undefined
    const owner = await this.#context.findUser(request, text)
    if (owner === undefined) throw userNotFound({ id: text })
    return owner
  }

  async list(request: FastifyRequest, owner: StoredUser | undefined): Promise<object> {
    const { callers, keys } = this.#context
    const { limit, cursor, in_force: inForce } = request.query as KeyQueryText
    const page: Page<StoredKey> = await keys.list({
      cursor,
      limit: limit === undefined ? undefined : Number(limit),
      ownerId: owner?.id,
      onlyInForce: inForce === 'true',
    })
    const identity = callers.identityOf(request)
    const items = page.items.filter(({ tenant }) => maySee(identity, tenant))
    return viewPage('keys', { ...page, items }, viewKey)
  }

  async create(request: FastifyRequest, owner: StoredUser | undefined): Promise<object> {
    const { callers, notes, keys } = this.#context
    const {
      name,
      kind,
      roles = [],
      permissions = [],
      expires_at: expires,
      ...body
    } = request.body as CreateKeyBody
    const identity = callers.identityOf(request)
    const details = { name, roles, permissions, ...(owner !== undefined && { owner: owner.id }) }
    const deed = { action: 'key.create', resource: { type: 'key' }, details }
    return notes.run(request, deed, async () => {
      const tenant = body.tenant ?? owner?.tenant ?? ownTenant(identity)
      if (owner !== undefined) await this.#context.assertReach(request, grantOf(owner))
      await this.#context.assertGrant(request, { roles, permissions, tenant })
      const { secret, key } = await keys.issue({
        name,
        kind,
        roles,
        permissions,
        tenant,
        ownerId: owner?.id,
        expiresAt: timeOf(expires),
        createdBy: nameOf(identity),
      })
      return { key: secret, ...viewKey(key) }
    })
  }

  async revoke(request: FastifyRequest, id: string): Promise<object> {
    const { callers, keys } = this.#context
    const key = await keys.get(id)
    if (key === undefined || !maySee(callers.identityOf(request), key.tenant)) throw keyNotFound({ id })
    return this.#revoke(request, key, () => this.#context.assertReach(request, key))
  }

  async revokeOwn(request: FastifyRequest, id: string): Promise<object> {
    const { callers, keys } = this.#context
    const key = await keys.get(id)
    if (key?.ownerId === undefined || !callers.isSelf(request, { id: key.ownerId })) throw keyNotFound({ id })
    return this.#revoke(request, key, async () => undefined)
  }

  #revoke(request: FastifyRequest, key: StoredKey, check: () => Promise<void>): Promise<object> {
    const { notes, keys } = this.#context
    const deed = { action: 'key.revoke', resource: { type: 'key', id: key.id }, details: { name: key.name } }
    return notes.run(request, deed, async () => {
      await check()
      return viewKey(await keys.revoke(key.id))
    })
  }
}

const timeShape = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/i

function timeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const time = timeShape.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(time)) throw timeInvalid()
  return time
}
