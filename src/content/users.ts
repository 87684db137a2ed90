import type { FastifyReply, FastifyRequest } from 'fastify'
import { bearerUser } from '../areas/bearer.js'
import type { HookContext } from './hook-runner.js'
import { credentialMissing, roleMissing } from './routes-failures.js'
import type { ContentRoutesOptions, ContentUser } from './routes-options.js'

/** Decides who may pass, and remembers who did. */
export interface Users {
  /** An `onRequest` hook: throws `UNAUTHORIZED` or `FORBIDDEN` before anything of the body is read. */
  check(request: FastifyRequest, reply: FastifyReply): Promise<void>
  /** On whose behalf the request of a user writes. */
  contextOf(request: FastifyRequest): HookContext
}

/** Creates the authentication of the routes of one host. A browser sends cookies by itself, so they open nothing. */
export function createUsers({ authenticate }: Pick<ContentRoutesOptions, 'authenticate'>): Users {
  const users = new WeakMap<FastifyRequest, ContentUser>()
  return {
    async check(request, reply) {
      const user = await bearerUser(request, reply, authenticate, credentialMissing)
      if (user.role !== 'admin') throw roleMissing({ user: user.username, role: user.role })
      users.set(request, user)
    },
    contextOf(request) {
      const user = users.get(request)
      if (user === undefined) throw new Error('the request was not authenticated')
      return { requestId: request.id, actor: user.username, depth: 0 }
    },
  }
}
