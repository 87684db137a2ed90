import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ErrorFactory } from '../base/errors.js'

/** Who calls, as far as an area has to know. */
export interface AreaUser {
  readonly username: string
  readonly role: string
}

/**
 * Gives the user of a request that has a bearer credential; undefined when the credential is not valid. It is not
 * asked for requests without one.
 */
export type AuthenticateBearer<User extends AreaUser> = (
  request: FastifyRequest,
) => User | undefined | Promise<User | undefined>

/**
 * Gives the user of a request. Cookies open nothing: a browser sends them by itself but never a bearer token, so other
 * sites cannot act in a user's name.
 *
 * @param missing What to throw without a valid credential.
 */
export async function bearerUser<User extends AreaUser>(
  request: FastifyRequest,
  reply: FastifyReply,
  authenticate: AuthenticateBearer<User>,
  missing: ErrorFactory,
): Promise<User> {
  const hasBearer = /^bearer +\S/i.test(request.headers.authorization ?? '')
  const user = hasBearer ? await authenticate(request) : undefined
  if (user !== undefined) return user
  reply.header('www-authenticate', 'Bearer')
  throw missing()
}
