import type { FastifyReply, FastifyRequest } from 'fastify'
import {
  type AreaPermissions,
  type AreaUser,
  type FindUser,
  permissionOf,
  requireUser,
} from '../../areas/user.js'
import { credentialMissing, permissionMissing } from './routes-failures.js'

/** Gives the user of a request. */
export type GatewayAuthenticate = FindUser<AreaUser>

const userKey = Symbol('user')

type WithUser = { [userKey]?: AreaUser }

/** Name of the user whose request the gate has let pass; the empty text where there is no gate. */
export function actorOf(request: FastifyRequest): string {
  return (request as FastifyRequest & WithUser)[userKey]?.username ?? ''
}

/** Creates the hook that lets those pass who may do what they ask for, before anything of a body is read. */
export function createGate(
  authenticate: GatewayAuthenticate,
  permissions: AreaPermissions,
): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  return async (request, reply) => {
    const user = await requireUser(request, reply, authenticate, credentialMissing)
    const permission = permissionOf(request, permissions)
    if (!user.may(permission)) throw permissionMissing({ user: user.username, permission })
    ;(request as FastifyRequest & WithUser)[userKey] = user
  }
}
