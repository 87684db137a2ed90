import type { FastifyInstance, FastifyRequest } from 'fastify'
import { userNotFound } from '../../identity/errors.js'
import type { StoredUser } from '../../identity/user-row.js'
import type { AccountsContext } from './context.js'
import { sessionNotFound } from './errors.js'
import { schemaOf } from './operation-schema.js'
import {
  endedSchema,
  type IdParams,
  idParamsSchema,
  okSchema,
  sessionsSchema,
  type UserParams,
  type UserSessionParams,
  userParamsSchema,
  userSessionParamsSchema,
} from './schemas.js'
import { grantOf } from './user-operations.js'
import { viewSession } from './views.js'

const access = (access: string) => ({ config: { access } as object })

/** Adds the operations on sessions: one's own, and those of others. */
export function addSessionListOperations(app: FastifyInstance, context: AccountsContext): void {
  const { callers } = context
  app.get('/me/sessions', { schema: listOwnSchema, ...access('account') }, async (request) =>
    list(context, request, await callers.accountOf(request)),
  )
  app.delete('/me/sessions', { schema: endOthersSchema, ...access('account') }, async (request) =>
    endAll(context, request, await callers.accountOf(request)),
  )
  app.delete<{ Params: IdParams }>(
    '/me/sessions/:id',
    { schema: endOwnSchema, ...access('account') },
    async (request) => endOne(context, request, await callers.accountOf(request), request.params.id),
  )
  app.get<{ Params: UserParams }>(
    '/users/:user/sessions',
    { schema: listSchema, ...access('users:read') },
    async (request) => list(context, request, await find(context, request, request.params.user)),
  )
  app.delete<{ Params: UserParams }>(
    '/users/:user/sessions',
    { schema: endAllSchema, ...access('users:admin') },
    async (request) => endAll(context, request, await reach(context, request, request.params.user)),
  )
  app.delete<{ Params: UserSessionParams }>(
    '/users/:user/sessions/:id',
    { schema: endOneSchema, ...access('users:admin') },
    async (request) =>
      endOne(context, request, await reach(context, request, request.params.user), request.params.id),
  )
}

const listOwnSchema = schemaOf({
  operationId: 'listOwnSessions',
  summary: 'List your own sessions',
  answer: sessionsSchema,
  failures: [503],
})

const endOthersSchema = schemaOf({
  operationId: 'endOtherSessions',
  summary: 'End your other sessions',
  description: 'All but the one of the request. Keys stay.',
  answer: endedSchema,
  failures: [503],
})

const endOwnSchema = schemaOf({
  operationId: 'endOwnSession',
  summary: 'End one of your own sessions',
  params: idParamsSchema,
  answer: okSchema,
  failures: [404, 503],
})

const listSchema = schemaOf({
  operationId: 'listUserSessions',
  summary: 'List the sessions of a user',
  params: userParamsSchema,
  answer: sessionsSchema,
  failures: [404, 503],
})

const endAllSchema = schemaOf({
  operationId: 'endUserSessions',
  summary: 'End the sessions of a user',
  description: 'Their keys stay; another password, or disabling them, ends those too.',
  params: userParamsSchema,
  answer: endedSchema,
  failures: [404, 503],
})

const endOneSchema = schemaOf({
  operationId: 'endUserSession',
  summary: 'End one session of a user',
  params: userSessionParamsSchema,
  answer: okSchema,
  failures: [404, 503],
})

async function find(context: AccountsContext, request: FastifyRequest, text: string): Promise<StoredUser> {
  const user = await context.findUser(request, text)
  if (user === undefined) throw userNotFound({ id: text })
  return user
}

async function reach(context: AccountsContext, request: FastifyRequest, text: string): Promise<StoredUser> {
  const user = await find(context, request, text)
  await context.assertReach(request, grantOf(user))
  return user
}

async function list(context: AccountsContext, request: FastifyRequest, user: StoredUser): Promise<object> {
  const current = await context.currentSession(request)
  const sessions = await context.sessions.list(user.id)
  return { sessions: sessions.map((session) => viewSession(session, current?.id)) }
}

async function endAll(context: AccountsContext, request: FastifyRequest, user: StoredUser): Promise<object> {
  const { sessions, notes } = context
  const current = await context.currentSession(request)
  const deed = { action: 'session.revoke', resource: { type: 'user', id: user.id } }
  return notes.run(request, deed, async () => ({
    ok: true,
    ended: await sessions.endAll(user.id, current?.id),
  }))
}

async function endOne(
  context: AccountsContext,
  request: FastifyRequest,
  user: StoredUser,
  id: string,
): Promise<object> {
  const { sessions, notes } = context
  return notes.run(request, { action: 'session.revoke', resource: { type: 'session', id } }, async () => {
    if (!(await sessions.endOne(user.id, id))) throw sessionNotFound({ id })
    return { ok: true }
  })
}
