import type { FastifyInstance, FastifyRequest } from 'fastify'
import { grantExceeded, userNotFound } from '../../identity/errors.js'
import type { Grant } from '../../identity/granting.js'
import type { Identity } from '../../identity/identity.js'
import { checkNewPassword } from '../../identity/password-rules.js'
import type { UserFields } from '../../identity/user-fields.js'
import type { StoredUser } from '../../identity/user-row.js'
import { type AccountsContext, ownTenant } from './context.js'
import { passwordOwn } from './errors.js'
import { schemaOf } from './operation-schema.js'
import {
  type CreateUserBody,
  createUserBodySchema,
  okSchema,
  type SetPasswordBody,
  setPasswordBodySchema,
  type UpdateUserBody,
  type UserParams,
  type UserQueryText,
  updateUserBodySchema,
  userParamsSchema,
  userQuerySchema,
  userSchema,
  usersSchema,
} from './schemas.js'
import { viewPage, viewUser } from './views.js'

const reading = { config: { access: 'users:read' } as object }
const changing = { config: { access: 'users:admin' } as object }
const params = userParamsSchema
const changeFailures = [400, 404, 409, 413, 415, 503]

/** Adds the operations on users. */
export function addUserOperations(app: FastifyInstance, context: AccountsContext): void {
  const operations = new UserOperations(context)
  app.get<{ Querystring: UserQueryText }>('/users', { schema: listSchema, ...reading }, (request) =>
    operations.list(request, request.query),
  )
  app.post<{ Body: CreateUserBody }>(
    '/users',
    { schema: createSchema, ...changing },
    async (request, reply) => {
      reply.code(201)
      return operations.create(request, request.body)
    },
  )
  app.get<{ Params: UserParams }>('/users/:user', { schema: getSchema, ...reading }, async (request) =>
    viewUser(await operations.find(request, request.params.user)),
  )
  app.patch<{ Params: UserParams; Body: UpdateUserBody }>(
    '/users/:user',
    { schema: updateSchema, ...changing },
    (request) => operations.update(request, request.params.user, request.body),
  )
  app.delete<{ Params: UserParams }>('/users/:user', { schema: deleteSchema, ...changing }, (request) =>
    operations.delete(request, request.params.user),
  )
  app.put<{ Params: UserParams; Body: SetPasswordBody }>(
    '/users/:user/password',
    { schema: setPasswordSchema, ...changing },
    (request) => operations.setPassword(request, request.params.user, request.body.password),
  )
}

const listSchema = schemaOf({
  operationId: 'listUsers',
  summary: 'List users by their names',
  query: userQuerySchema,
  answer: usersSchema,
  failures: [400, 503],
})

const createSchema = schemaOf({
  operationId: 'createUser',
  summary: 'Create a user',
  description:
    'Nobody gives a user what they do not have themselves: permissions, roles, groups, another tenant.',
  body: createUserBodySchema,
  answer: userSchema,
  status: 201,
  failures: changeFailures,
})

const getSchema = schemaOf({
  operationId: 'getUser',
  summary: 'Show a user',
  params,
  answer: userSchema,
  failures: [404, 503],
})

const updateSchema = schemaOf({
  operationId: 'updateUser',
  summary: 'Change a user',
  description:
    'What is absent stays, null empties. Nobody changes a user who has what they do not have themselves.',
  params,
  body: updateUserBodySchema,
  answer: userSchema,
  failures: changeFailures,
})

const deleteSchema = schemaOf({
  operationId: 'deleteUser',
  summary: 'Delete a user with all sessions and keys',
  params,
  answer: okSchema,
  failures: [404, 503],
})

const setPasswordSchema = schemaOf({
  operationId: 'setUserPassword',
  summary: 'Set or take away the password of a user',
  description:
    'Ends all sessions of the user and revokes all keys. Your own password takes POST /api/v1/auth/password.',
  params,
  body: setPasswordBodySchema,
  answer: okSchema,
  failures: changeFailures,
})

class UserOperations {
  readonly #context: AccountsContext

  constructor(context: AccountsContext) {
    this.#context = context
  }

  /** @throws `USER_NOT_FOUND` */
  async find(request: FastifyRequest, text: string): Promise<StoredUser> {
    const user = await this.#context.findUser(request, text)
    if (user === undefined) throw userNotFound({ id: text })
    return user
  }

  async list(request: FastifyRequest, query: UserQueryText) {
    const { callers, users } = this.#context
    const { limit, disabled, cursor, search, role } = query
    const tenant = ownTenant(callers.identityOf(request)) ?? query.tenant
    const page = await users.list({
      cursor,
      search,
      role,
      tenant,
      limit: limit === undefined ? undefined : Number(limit),
      disabled: disabled === undefined ? undefined : disabled === 'true',
    })
    return viewPage('users', page, viewUser)
  }

  create(request: FastifyRequest, { password, external, ...body }: CreateUserBody) {
    const { callers, notes, users, hasher } = this.#context
    const deed = {
      action: 'user.create',
      resource: { type: 'user' },
      details: { username: body.username, roles: body.roles ?? [] },
    }
    return notes.run(request, deed, async () => {
      const fields = fieldsOf(body)
      const tenant = body.tenant === undefined ? ownTenant(callers.identityOf(request)) : body.tenant
      await this.#context.assertGrant(request, { ...fields, tenant })
      if (external !== undefined) assertMayVouch(callers.identityOf(request))
      if (password !== undefined)
        checkNewPassword(password, [body.username, body.email ?? undefined, body.name ?? undefined])
      const passwordHash = password === undefined ? undefined : await hasher.hash(password)
      const user = await users.create({
        ...fields,
        username: body.username,
        ...(tenant === undefined ? {} : { tenant }),
        ...(external === undefined ? {} : { external }),
        passwordHash,
      })
      return viewUser(user)
    })
  }

  async update(request: FastifyRequest, text: string, body: UpdateUserBody) {
    const user = await this.find(request, text)
    const details = { username: user.username, fields: Object.keys(body) }
    const deed = { action: 'user.update', resource: { type: 'user', id: user.id }, details }
    return this.#context.notes.run(request, deed, async () => {
      await this.#context.assertReach(request, grantOf(user))
      const changes = fieldsOf(body)
      await this.#context.assertGrant(request, { ...grantOf(user), ...changes })
      return viewUser(await this.#context.users.update(user.id, changes))
    })
  }

  async delete(request: FastifyRequest, text: string) {
    const user = await this.find(request, text)
    const deed = {
      action: 'user.delete',
      resource: { type: 'user', id: user.id },
      details: { username: user.username },
    }
    return this.#context.notes.run(request, deed, async () => {
      await this.#context.assertReach(request, grantOf(user))
      if (!(await this.#context.users.delete(user.id))) throw userNotFound({ id: text })
      return { ok: true }
    })
  }

  async setPassword(request: FastifyRequest, text: string, password: string | null) {
    const { callers, notes, users, hasher } = this.#context
    const user = await this.find(request, text)
    const deed = {
      action: 'user.password',
      resource: { type: 'user', id: user.id },
      details: { username: user.username },
    }
    return notes.run(request, deed, async () => {
      // A session that was left open must not become the account.
      if (callers.isSelf(request, user)) throw passwordOwn()
      await this.#context.assertReach(request, grantOf(user))
      if (password !== null && user.external !== undefined) assertMayVouch(callers.identityOf(request))
      if (password !== null) checkNewPassword(password, [user.username, user.email, user.name])
      await users.setPassword(user.id, password === null ? undefined : await hasher.hash(password))
      return { ok: true }
    })
  }
}

/**
 * The provider of an external user says at each sign-in which roles they have, and whoever knows their password has them
 * too.
 *
 * @throws `GRANT_EXCEEDED`
 */
function assertMayVouch({ permissions }: Identity): void {
  if (permissions.isAll) return
  throw grantExceeded({ missing: 'every permission, as an external identity brings roles of its own' })
}

/** What a user has. */
export function grantOf({ roles, groups, tenant, claims }: StoredUser): Grant {
  return { roles, groups, tenant, claims }
}

/** Takes what stands in a body, and nothing else that a user has. */
function fieldsOf(body: UpdateUserBody): Partial<UserFields> {
  const { username, email, name, roles, groups, tenant, disabled } = body
  const claims = body.claims as Identity['claims'] | undefined
  const all = { username, email, name, roles, groups, tenant, claims, disabled }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}
