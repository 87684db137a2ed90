import type { FastifyReply, FastifyRequest } from 'fastify'
import { type AreaUser, permissionOf, requireUser } from '../areas/user.js'
import type { HookContext } from './hook-runner.js'
import { credentialMissing, permissionMissing } from './routes-failures.js'
import type { ContentRoutesOptions } from './routes-options.js'

const permissions = { read: 'content:read', change: 'content:write' }

/** Decides who may pass, and remembers who did. */
export interface Users {
  /** An `onRequest` hook: throws `UNAUTHORIZED` or `FORBIDDEN` before anything of the body is read. */
  check(request: FastifyRequest, reply: FastifyReply): Promise<void>
  /** On whose behalf the request of a user writes. */
  contextOf(request: FastifyRequest): HookContext
}

/** Creates the authentication of the routes of one host. */
export function createUsers({
  authenticate,
  identityOf,
}: Pick<ContentRoutesOptions, 'authenticate' | 'identityOf'>): Users {
  const users = new WeakMap<FastifyRequest, AreaUser>()
  return {
    async check(request, reply) {
      const user = await requireUser(request, reply, authenticate, credentialMissing)
      const permission = permissionOf(request, permissions)
      if (!user.may(permission)) throw permissionMissing({ user: user.username, permission })
      users.set(request, user)
    },
    contextOf(request) {
      const user = users.get(request)
      if (user === undefined) throw new Error('the request was not authenticated')
      return { requestId: request.id, actor: user.username, identity: identityOf?.(request), depth: 0 }
    },
  }
}
