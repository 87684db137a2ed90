import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ErrorFactory } from '../base/errors.js'

/** Who calls, as far as an area has to know. */
export interface AreaUser {
  readonly username: string
  readonly role: string
  /** Tells whether they may do something, e.g. `plugins:read`. */
  may(permission: string): boolean
}

/** Gives the user who sends a request; undefined for somebody who has not proved who they are. */
export type FindUser<User extends AreaUser> = (
  request: FastifyRequest,
) => User | undefined | Promise<User | undefined>

/**
 * Gives the user of a request. A browser can have sent the request for another site only where `find` takes its word
 * without more, which it must not.
 *
 * @param missing What to throw without a user.
 */
export async function requireUser<User extends AreaUser>(
  request: FastifyRequest,
  reply: FastifyReply,
  find: FindUser<User>,
  missing: ErrorFactory,
): Promise<User> {
  const user = await find(request)
  if (user !== undefined) return user
  reply.header('www-authenticate', 'Bearer')
  throw missing()
}

/** The permissions that operations of an area take. */
export interface AreaPermissions {
  readonly read: string
  /** For all methods but GET and HEAD. */
  readonly change: string
}

/** The permission that a request takes: the one that its route names in its `config`, else by its method. */
export function permissionOf(request: FastifyRequest, { read, change }: AreaPermissions): string {
  const { permission } = request.routeOptions.config as { readonly permission?: string }
  if (permission !== undefined) return permission
  return request.method === 'GET' || request.method === 'HEAD' ? read : change
}
