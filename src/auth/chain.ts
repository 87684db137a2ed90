import { messageOf } from '../base/errors.js'
import type { Authenticator, AuthOutcome, AuthRequest } from './authenticator.js'
import { noCredential } from './authenticator.js'

/** Where is said why an authenticator cannot tell. */
export interface ChainLog {
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
}

/**
 * Asks authenticators in their order until one does not say `none`. A credential that one of them refuses is refused,
 * whatever others would say of it, and so is the request when one of them fails.
 *
 * @param chain Members may change from one request to the next, e.g. where plugins are reloaded.
 */
export function askChain(
  chain: readonly Authenticator[],
  request: AuthRequest,
  log: ChainLog,
): AuthOutcome | Promise<AuthOutcome> {
  return askFrom(0, chain, request, log)
}

function askFrom(
  start: number,
  chain: readonly Authenticator[],
  request: AuthRequest,
  log: ChainLog,
): AuthOutcome | Promise<AuthOutcome> {
  for (let at = start; at < chain.length; at += 1) {
    const authenticator = chain[at] as Authenticator
    const outcome = ask(authenticator, request)
    if (outcome instanceof Promise) {
      return outcome
        .catch((error: unknown): AuthOutcome => failed(error))
        .then((settled) => {
          const ended = end(settled, authenticator, request, log)
          return ended ?? askFrom(at + 1, chain, request, log)
        })
    }
    const ended = end(outcome, authenticator, request, log)
    if (ended !== undefined) return ended
  }
  return noCredential
}

function ask(authenticator: Authenticator, request: AuthRequest): AuthOutcome | Promise<AuthOutcome> {
  try {
    return authenticator.authenticate(request)
  } catch (error) {
    return failed(error)
  }
}

function failed(error: unknown): AuthOutcome {
  return { kind: 'unavailable', reason: messageOf(error) }
}

/** Gives the outcome when it ends the chain. */
function end(
  outcome: AuthOutcome,
  { name }: Authenticator,
  { id }: AuthRequest,
  log: ChainLog,
): AuthOutcome | undefined {
  if (outcome.kind === 'none') return undefined
  if (outcome.kind === 'unavailable') {
    log.warn({ authenticator: name, request_id: id, reason: outcome.reason }, 'an authenticator cannot tell')
  }
  return outcome
}
