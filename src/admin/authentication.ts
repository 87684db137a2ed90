import type { FastifyReply, FastifyRequest } from 'fastify'
import { bearerUser } from '../areas/bearer.js'
import { forbidden, unauthorized } from './errors.js'
import type { AdminApiOptions, AdminUser } from './options.js'

/** Decides who may pass, and remembers who did. */
export interface AdminAuthentication {
  /** An `onRequest` hook: throws `UNAUTHORIZED` or `FORBIDDEN` before anything of the body is read. */
  check(request: FastifyRequest, reply: FastifyReply): Promise<void>
  /** Name of the user whose request `check` let pass. */
  actorOf(request: FastifyRequest): string
}

/** Creates the authentication of one admin API. */
export function createAuthentication(authenticate: AdminApiOptions['authenticate']): AdminAuthentication {
  const users = new WeakMap<FastifyRequest, AdminUser>()
  return {
    async check(request, reply) {
      const user = await bearerUser(request, reply, authenticate, unauthorized)
      if (user.role !== 'admin') throw forbidden({ user: user.username, role: user.role })
      users.set(request, user)
    },
    actorOf(request) {
      const user = users.get(request)
      if (user === undefined) throw new Error('the request was not authenticated')
      return user.username
    },
  }
}
