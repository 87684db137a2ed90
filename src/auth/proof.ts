import type { Identity } from '../identity/identity.js'
import { failureOf } from './auth-failures.js'
import type { AuthRequest } from './authenticator.js'
import { countHeader } from './bearer-token.js'
import { askChain, type ChainLog } from './chain.js'
import { authUnavailable, credentialRepeated } from './errors.js'
import type { Rulebook } from './rulebook.js'

/**
 * Finds out who sends a request to a public path, for what is told only to some there: nobody has looked at its
 * credentials yet. Undefined for nobody that is known, and where a rule has somebody look.
 *
 * @throws HostError AUTH_INVALID, AUTH_EXPIRED, AUTH_UNAVAILABLE, AUTH_REPEATED.
 */
export async function proveAtPublicPath(
  rulebook: Rulebook,
  request: AuthRequest,
  log: ChainLog,
): Promise<Identity | undefined> {
  const rule = rulebook.ruleFor(request.method, request.path)
  if (rule === 'ambiguous' || rule.authenticators.length > 0) return undefined
  const count = countHeader(request, 'authorization')
  if (count > 1) throw credentialRepeated({ header: 'Authorization', count })
  const outcome = await askChain(rulebook.operations.authenticators, request, log)
  // A browser sends its cookie along to what is public, whether its session lives or not.
  if (outcome.kind === 'fail' && outcome.isAmbient === true) return undefined
  if (outcome.kind === 'fail') throw failureOf(outcome)
  if (outcome.kind === 'unavailable') throw authUnavailable()
  return outcome.kind === 'identity' ? outcome.identity : undefined
}
