import type { FastifyRequest, RouteOptions } from 'fastify'
import { failureOf } from './auth-failures.js'
import { apiKeyName } from './authenticators/api-key.js'
import { passwordName } from './authenticators/password.js'
import { sessionName } from './authenticators/session.js'
import { askChain, type ChainLog } from './chain.js'
import { authUnavailable, credentialExpired } from './errors.js'
import { accessOf } from './request-access.js'
import { identityOf, noteIdentity } from './request-identity.js'

/** Credentials that the host can take back; the others are as good at the end of a request as at its beginning. */
const revocable: ReadonlySet<string> = new Set([sessionName, apiKeyName, passwordName])

/**
 * Creates an `onRoute` hook that has the sender of a request found out once more when its body has come, on the routes of
 * some paths. A client decides how long its body takes: whoever is shut out meanwhile must not end up with a key, a
 * user or a role that lasts.
 *
 * @param isGuarded Tells by the path of a route whether it is one of them.
 */
export function createLateBodyCheck(
  isGuarded: (path: string) => boolean,
  log: ChainLog,
): (route: RouteOptions) => void {
  const check = (request: FastifyRequest): Promise<void> => checkAgain(request, log)
  return (route) => {
    if (isGuarded(route.url)) route.preValidation = [check, ...[route.preValidation ?? []].flat()]
  }
}

/** @throws HostError AUTH_INVALID, AUTH_EXPIRED, AUTH_REVOKED, AUTH_UNAVAILABLE. */
async function checkAgain({ raw, body }: FastifyRequest, log: ChainLog): Promise<void> {
  const before = identityOf(raw)
  const access = accessOf(raw)
  if (body === undefined || access === undefined || !revocable.has(before.authenticator)) return
  const asked = access.rule.authenticators.filter(({ name }) => name === before.authenticator)
  const outcome = await askChain(asked, access.asked, log)
  if (outcome.kind === 'fail') throw failureOf(outcome)
  if (outcome.kind !== 'identity') throw authUnavailable()
  const { identity } = outcome
  // What the route takes was compared with what they had.
  if (identity.sub !== before.sub || !identity.permissions.includes(before.permissions)) {
    throw credentialExpired({ reason: 'What you may do has changed while the request came.' })
  }
  noteIdentity(raw, identity)
}
