import type { FastifyReply, FastifyRequest } from 'fastify'
import { type AreaUser, type AuthenticateBearer, bearerUser } from '../../areas/bearer.js'
import { adminMissing, credentialMissing } from './routes-failures.js'

/** Gives the user of a request that has a bearer credential. */
export type GatewayAuthenticate = AuthenticateBearer<AreaUser>

const userKey = Symbol('user')

type WithUser = { [userKey]?: AreaUser }

/** Name of the admin whose request the gate has let pass; the empty text where there is no gate. */
export function actorOf(request: FastifyRequest): string {
  return (request as FastifyRequest & WithUser)[userKey]?.username ?? ''
}

/** Creates the hook that lets admins pass, before anything of a body is read. */
export function createGate(
  authenticate: GatewayAuthenticate,
): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  return async (request, reply) => {
    const user = await bearerUser(request, reply, authenticate, credentialMissing)
    if (user.role !== 'admin') throw adminMissing({ user: user.username, role: user.role })
    ;(request as FastifyRequest & WithUser)[userKey] = user
  }
}
