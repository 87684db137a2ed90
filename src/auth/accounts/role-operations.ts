import type { FastifyInstance, FastifyRequest } from 'fastify'
import { roleNotFound } from '../../identity/errors.js'
import type { AccountsContext } from './context.js'
import { schemaOf } from './operation-schema.js'
import {
  okSchema,
  type PutRoleBody,
  putRoleBodySchema,
  type RoleParams,
  roleParamsSchema,
  roleSchema,
  rolesSchema,
} from './schemas.js'
import { viewRole } from './views.js'

const reading = { config: { access: 'users:read' } as object }
const changing = { config: { access: 'users:admin' } as object }
const params = roleParamsSchema

/** Adds the operations on roles. */
export function addRoleOperations(app: FastifyInstance, context: AccountsContext): void {
  const { roles } = context
  app.get('/roles', { schema: listSchema, ...reading }, async () => ({
    roles: (await roles.list()).map(viewRole),
  }))
  app.get<{ Params: RoleParams }>(
    '/roles/:name',
    { schema: getSchema, ...reading },
    async ({ params: { name } }) => {
      const role = await roles.get(name)
      if (role === undefined) throw roleNotFound({ name })
      return viewRole(role)
    },
  )
  app.put<{ Params: RoleParams; Body: PutRoleBody }>(
    '/roles/:name',
    { schema: putSchema, ...changing },
    (request) => put(context, request, request.params.name, request.body),
  )
  app.delete<{ Params: RoleParams }>('/roles/:name', { schema: deleteSchema, ...changing }, (request) =>
    remove(context, request, request.params.name),
  )
}

const listSchema = schemaOf({
  operationId: 'listRoles',
  summary: 'List roles and what they permit',
  description: 'Those that are built in, those of the configuration, and those of the database.',
  answer: rolesSchema,
  failures: [503],
})

const getSchema = schemaOf({
  operationId: 'getRole',
  summary: 'Show a role',
  params,
  answer: roleSchema,
  failures: [404, 503],
})

const putSchema = schemaOf({
  operationId: 'putRole',
  summary: 'Define a role, or change it',
  description:
    'Counts from the next request of its holders on. Nobody defines a role that permits more than they may, nor changes one that does; new ones are made by those who may do everything, or have the role already.',
  params,
  body: putRoleBodySchema,
  answer: roleSchema,
  failures: [400, 409, 413, 415, 503],
})

const deleteSchema = schemaOf({
  operationId: 'deleteRole',
  summary: 'Delete a role that nobody has',
  params,
  answer: okSchema,
  failures: [404, 409, 503],
})

function put(
  context: AccountsContext,
  request: FastifyRequest,
  name: string,
  body: PutRoleBody,
): Promise<object> {
  const { roles, notes } = context
  const deed = {
    action: 'role.put',
    resource: { type: 'role', id: name },
    details: { permissions: body.permissions },
  }
  return notes.run(request, deed, async () => {
    await context.assertGrant(request, { permissions: body.permissions })
    const before = await roles.get(name)
    if (before === undefined) {
      // Rules and plugins may mean something by the name: whoever defines it could give it, also to themselves.
      await context.assertGrant(request, { roles: [name] })
      return viewRole(await roles.create(name, body))
    }
    await context.assertGrant(request, { permissions: before.permissions })
    return viewRole(await roles.update(name, body))
  })
}

function remove(context: AccountsContext, request: FastifyRequest, name: string): Promise<object> {
  const { roles, notes } = context
  return notes.run(request, { action: 'role.delete', resource: { type: 'role', id: name } }, async () => {
    const before = await roles.get(name)
    if (before === undefined) throw roleNotFound({ name })
    await context.assertGrant(request, { permissions: before.permissions })
    await roles.delete(name)
    return { ok: true }
  })
}
