import { type PartyKind, plainName, planAccess } from '../auth/access-plan.js'
import { type Authenticator, noCredential } from '../auth/authenticator.js'
import { type Authorizer, deny } from '../auth/authorizer.js'
import { HostError } from '../base/errors.js'
import { ownAuthenticatorNames } from '../config/auth-conflicts.js'
import type { Config } from '../config/schema.js'

/** A name that plugins bring along. */
export interface BroughtName {
  /** `authenticator`, `authorizer`, or something else that rules do not name. */
  readonly kind: string
  readonly name: string
}

/**
 * Finds the names in the rules of a configuration that nobody would have, without a host.
 *
 * @param brought What plugins would register.
 * @returns A sentence for each.
 */
export function findStrangers(
  { auth, plugin_enabled: arePluginsOn }: Config,
  brought: readonly BroughtName[],
): readonly string[] {
  if (!auth.enabled) return []
  const own = [...ownAuthenticatorNames, ...Object.keys(auth.authenticators)]
  const isBrought = (kind: PartyKind, name: string) =>
    brought.some((each) => each.kind === kind && plainName(each.name) === name)
  try {
    planAccess(auth.http, {
      authenticators: own.map(nobodyKnown),
      authorizers: [nothingAllowed('policies')],
      everybody: () => [],
      operator: nobodyKnown('admin_token'),
      isOperation: () => false,
      isExempt: () => false,
      authenticator: (name) => (isBrought('authenticator', name) ? nobodyKnown(name) : undefined),
      authorizer: (name) => (isBrought('authorizer', name) ? nothingAllowed(name) : undefined),
      arePluginsOn,
      othersNames: (kind) => brought.filter((each) => each.kind === kind).map(({ name }) => name),
    })
    return []
  } catch (error) {
    const problems = error instanceof HostError ? error.details?.problems : undefined
    if (problems === undefined) throw error
    return problems as readonly string[]
  }
}

function nobodyKnown(name: string): Authenticator {
  return { name, authenticate: () => noCredential }
}

function nothingAllowed(name: string): Authorizer {
  return { name, authorize: () => deny('nobody is asked') }
}
