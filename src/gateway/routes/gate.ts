import type { FastifyReply, FastifyRequest } from 'fastify'
import { adminMissing, credentialMissing } from './routes-failures.js'

/** Who calls. */
export interface GatewayUser {
  readonly username: string
  readonly role: string
}

/**
 * Gives the user of a request that has a bearer credential; undefined when the credential is not valid. It is not
 * asked for requests without one: cookies open nothing.
 */
export type GatewayAuthenticate = (
  request: FastifyRequest,
) => GatewayUser | undefined | Promise<GatewayUser | undefined>

const userKey = Symbol('user')

type WithUser = { [userKey]?: GatewayUser }

/** Name of the admin whose request the gate has let pass; the empty text where there is no gate. */
export function actorOf(request: FastifyRequest): string {
  return (request as FastifyRequest & WithUser)[userKey]?.username ?? ''
}

/** Creates the hook that lets admins pass, before anything of a body is read. */
export function createGate(
  authenticate: GatewayAuthenticate,
): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  return async (request, reply) => {
    // A browser sends cookies by itself but never a bearer token, so other sites cannot act in an admin's name.
    const hasBearer = /^bearer +\S/i.test(request.headers.authorization ?? '')
    const user = hasBearer ? await authenticate(request) : undefined
    if (user === undefined) {
      reply.header('www-authenticate', 'Bearer')
      throw credentialMissing()
    }
    if (user.role !== 'admin') throw adminMissing({ user: user.username, role: user.role })
    ;(request as FastifyRequest & WithUser)[userKey] = user
  }
}
