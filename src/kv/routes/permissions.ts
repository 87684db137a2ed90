import type { FastifyReply, FastifyRequest } from 'fastify'
import { requireUser } from '../../areas/user.js'
import { credentialMissing, permissionMissing, rejectRate } from './routes-failures.js'
import type { KvRoutesOptions } from './routes-options.js'

/** What a user may be allowed to do with the store. */
export type KvPermission = 'kv:read' | 'kv:write' | 'kv:queue' | 'kv:watch'

/** Creates the hook that lets requests pass before anything of their body is read. */
export function createGate(
  options: KvRoutesOptions,
): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  const { rate, clientOf, authenticate } = options
  return async (request, reply) => {
    const client = clientOf(request)
    if (!rate.take(client)) throw rejectRate(rate.waitMs(client))
    const user = await requireUser(request, reply, authenticate, credentialMissing)
    const permission = permissionOf(request)
    // A path that does not exist needs none: it is answered with 404.
    if (permission === undefined || user.may(permission)) return
    throw permissionMissing({ user: user.username, permission })
  }
}

/** The permission that the operation of a request names; see `operation.ts`. */
function permissionOf(request: FastifyRequest): KvPermission | undefined {
  const { permission } = request.routeOptions.config as { readonly permission?: KvPermission }
  return permission
}
