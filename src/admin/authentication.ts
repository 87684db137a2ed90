import type { FastifyReply, FastifyRequest } from 'fastify'
import { type AreaUser, permissionOf, requireUser } from '../areas/user.js'
import { forbidden, unauthorized } from './errors.js'
import type { AdminApiOptions } from './options.js'

const permissions = { read: 'plugins:read', change: 'plugins:admin' }

/** Decides who may pass, and remembers who did. */
export interface AdminAuthentication {
  /** An `onRequest` hook: throws `UNAUTHORIZED` or `FORBIDDEN` before anything of the body is read. */
  check(request: FastifyRequest, reply: FastifyReply): Promise<void>
  /** Name of the user whose request `check` let pass. */
  actorOf(request: FastifyRequest): string
}

/** Creates the authentication of one admin API. */
export function createAuthentication(authenticate: AdminApiOptions['authenticate']): AdminAuthentication {
  const users = new WeakMap<FastifyRequest, AreaUser>()
  return {
    async check(request, reply) {
      const user = await requireUser(request, reply, authenticate, unauthorized)
      const permission = permissionOf(request, permissions)
      if (!user.may(permission)) throw forbidden({ user: user.username, permission })
      users.set(request, user)
    },
    actorOf(request) {
      const user = users.get(request)
      if (user === undefined) throw new Error('the request was not authenticated')
      return user.username
    },
  }
}
