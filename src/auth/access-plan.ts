import { nearestName } from '../base/nearest-name.js'
import { isPermissionPattern, PermissionSet } from '../identity/permissions.js'
import type { Authenticator } from './authenticator.js'
import { type Authorizer, allowed } from './authorizer.js'
import {
  builtInAuthorizers,
  createPermissionsAuthorizer,
  createRolesAuthorizer,
} from './built-in-authorizers.js'
import { authSettingsInvalid } from './errors.js'
import { type AccessRule, Rulebook } from './rulebook.js'
import { parseTenantSource } from './tenant-source.js'

/** A rule, as it is written in the configuration. */
export interface WrittenRule {
  readonly paths: readonly string[]
  readonly methods?: readonly string[] | undefined
  readonly authenticators: readonly string[]
  readonly authorizers?: readonly string[] | undefined
  readonly authorizer?: string | undefined
  readonly roles?: readonly string[] | undefined
  readonly permissions?: readonly string[] | undefined
  readonly tenant?: string | undefined
}

/** Who may pass, as it is written in the configuration. */
export interface WrittenAccess {
  /** `["*"]` asks all and lets strangers on. */
  readonly authenticators: readonly string[]
  /** Hold where no rule does, and for rules that name none. */
  readonly authorizers: readonly string[]
  readonly rules: readonly WrittenRule[]
}

/** Who can be named. Names are the same with `-` and with `_`. */
export interface Parties {
  /** Those of the host. */
  readonly authenticators: readonly Authenticator[]
  /** Those of the host beside `builtInAuthorizers`. */
  readonly authorizers: readonly Authorizer[]
  /** All that there are at this moment, in the order in which `*` asks them. */
  everybody(): readonly Authenticator[]
  /** The authenticator that opens the host's own operations where no rule holds for them. */
  readonly operator: Authenticator
  isOperation(path: string): boolean
  /** See `RulebookOptions.isExempt`. */
  isExempt(method: string, path: string): boolean
  /** Gives what stands for somebody who is not among them, e.g. of a plugin that does not run; undefined for nobody. */
  authenticator(name: string): Authenticator | undefined
  authorizer(name: string): Authorizer | undefined
  /** Names of those, for whoever has misspelt one. */
  othersNames(kind: PartyKind): readonly string[]
  /** False while plugins are switched off as a whole, so that none of them is anybody. */
  readonly arePluginsOn: boolean
}

export type PartyKind = 'authenticator' | 'authorizer'

/**
 * Puts the rules of the configuration and those whom they name together.
 *
 * @throws `AUTH_SETTINGS_INVALID` listing every name that nobody has, and every permission that there is not.
 */
export function planAccess(written: WrittenAccess, parties: Parties): Rulebook {
  const plan = new Plan(parties)
  const rules = written.rules.map((rule, at) => plan.rule(rule, `auth.http.rules[${at}]`, written))
  const fallback = plan.fallback(written)
  plan.assertSound()
  return new Rulebook({
    rules,
    fallback,
    operations: plan.operations(fallback),
    isOperation: parties.isOperation,
    isExempt: parties.isExempt,
  })
}

/** The rulebook of a host that finds out about nobody: everybody is anonymous, and the admin token opens its operations. */
export function planOpenAccess({
  operator,
  isOperation,
}: Pick<Parties, 'operator' | 'isOperation'>): Rulebook {
  const open = { paths: [], authenticators: [], authorizers: [], strangers: 'pass' } as const
  return new Rulebook({
    rules: [],
    fallback: open,
    operations: { ...open, authenticators: [operator] },
    isOperation,
    isExempt: () => false,
  })
}

/** The rulebook of a host that is starting: nobody passes whose rules are not known yet, but for its operations. */
export function planShutAccess({
  operator,
  isOperation,
}: Pick<Parties, 'operator' | 'isOperation'>): Rulebook {
  const starting: Authenticator = {
    name: 'starting',
    authenticate: () => ({ kind: 'unavailable', reason: 'the rules are not in force yet' }),
  }
  const shut = { paths: [], authenticators: [starting], authorizers: [], strangers: 'refuse' } as const
  return new Rulebook({
    rules: [],
    fallback: shut,
    operations: { ...shut, authenticators: [operator], strangers: 'pass' },
    isOperation,
    isExempt: () => false,
  })
}

class Plan {
  readonly #parties: Parties
  readonly #problems: string[] = []
  readonly #authenticators: ReadonlyMap<string, Authenticator>
  readonly #authorizers: ReadonlyMap<string, Authorizer>

  constructor(parties: Parties) {
    this.#parties = parties
    this.#authenticators = byName(parties.authenticators)
    this.#authorizers = new Map([...builtInAuthorizers, ...byName(parties.authorizers)])
  }

  assertSound(): void {
    const problems = [...new Set(this.#problems)]
    if (problems.length === 0) return
    const lines = problems.map((problem) => `  ${problem}`).join('\n')
    throw authSettingsInvalid({ problems: lines }, { details: { problems } })
  }

  rule(written: WrittenRule, place: string, section: WrittenAccess): AccessRule {
    const { paths, methods, authenticators, tenant } = written
    return {
      paths,
      methods,
      authenticators: this.#findAuthenticators(authenticators, `${place}.authenticators`),
      authorizers: [...this.#named(written, place, section), ...this.#needed(written, place)],
      strangers: 'refuse',
      tenantFrom: tenant === undefined ? undefined : parseTenantSource(tenant),
    }
  }

  fallback({ authenticators, authorizers }: WrittenAccess): AccessRule {
    const allowing = this.#findAuthorizers(authorizers, 'auth.http.authorizers')
    if (authenticators.length === 1 && authenticators[0] === '*')
      return everybodyRule(this.#parties, allowing)
    const asked = this.#findAuthenticators(authenticators, 'auth.http.authenticators')
    // Strangers have nothing that could be authorized.
    const held = asked.length === 0 ? [] : allowing
    return { paths: [], authenticators: asked, authorizers: held, strangers: 'refuse' }
  }

  /** The operations are closed to strangers by themselves, and answer those in their own form. */
  operations(fallback: AccessRule): AccessRule {
    const { operator } = this.#parties
    const authorizers = fallback.authorizers.map((authorizer) => sparing(authorizer, operator))
    if (fallback.strangers === 'pass') return everybodyRule(this.#parties, authorizers)
    const { authenticators } = fallback
    const asked = authenticators.includes(operator) ? authenticators : [operator, ...authenticators]
    return { ...fallback, authenticators: asked, authorizers, strangers: 'pass' }
  }

  /** A public path takes the authorizers of the section only where its rule says so. */
  #named(written: WrittenRule, place: string, section: WrittenAccess): readonly Authorizer[] {
    const { authorizers, authorizer, authenticators } = written
    if (authorizers !== undefined && authorizer !== undefined) {
      this.#problems.push(`${place} has both authorizer and authorizers; write all of them into authorizers`)
    }
    const own = authorizers ?? (authorizer === undefined ? undefined : [authorizer])
    if (own !== undefined) return this.#findAuthorizers(own, `${place}.authorizers`)
    return authenticators.length === 0
      ? []
      : this.#findAuthorizers(section.authorizers, 'auth.http.authorizers')
  }

  #needed({ roles, permissions }: WrittenRule, place: string): readonly Authorizer[] {
    const unknown = permissions?.filter((each) => !isPermissionPattern(each)) ?? []
    for (const each of unknown)
      this.#problems.push(`${place}.permissions has "${each}", which nothing is called`)
    return [
      ...(roles === undefined ? [] : [createRolesAuthorizer(roles)]),
      ...(permissions === undefined || unknown.length > 0
        ? []
        : [createPermissionsAuthorizer(PermissionSet.of(permissions).list())]),
    ]
  }

  #findAuthorizers(names: readonly string[], place: string): readonly Authorizer[] {
    return this.#find(names, place, 'authorizer', this.#authorizers, (name) => this.#parties.authorizer(name))
  }

  #findAuthenticators(names: readonly string[], place: string): readonly Authenticator[] {
    return this.#find(names, place, 'authenticator', this.#authenticators, (name) =>
      this.#parties.authenticator(name),
    )
  }

  #find<Party>(
    names: readonly string[],
    place: string,
    kind: PartyKind,
    parties: ReadonlyMap<string, Party>,
    standIn: (name: string) => Party | undefined,
  ): readonly Party[] {
    return names.flatMap((name) => {
      const party = parties.get(plainName(name)) ?? standIn(plainName(name))
      if (party !== undefined) return [party]
      const known = [...parties.keys(), ...this.#parties.othersNames(kind)]
      const nearest = nearestName(plainName(name), known)
      const hint =
        nearest === undefined
          ? `${this.#parties.arePluginsOn ? 'no plugin has one of this name' : 'no plugin is read while plugin_enabled is false'}, and the host has ${[...parties.keys()].join(', ')}`
          : `did you mean ${nearest}?`
      this.#problems.push(`${place} names "${name}", which is nobody: ${hint}`)
      return []
    })
  }
}

/** Asks all that there are when a request comes, and lets strangers on to the authorizers and what is behind. */
function everybodyRule(parties: Parties, authorizers: readonly Authorizer[]): AccessRule {
  return {
    paths: [],
    get authenticators() {
      return parties.everybody()
    },
    authorizers,
    strangers: 'pass',
  }
}

/**
 * The same authorizer for the host's own operations: those refuse strangers by themselves, e.g. not at the login, and the
 * operator can always come in to mend what an authorizer refuses.
 */
function sparing(authorizer: Authorizer, operator: Authenticator): Authorizer {
  return {
    name: authorizer.name,
    authorize(request) {
      const { kind, authenticator } = request.identity
      const isSpared = kind === 'anonymous' || authenticator === operator.name
      return isSpared ? allowed : authorizer.authorize(request)
    },
  }
}

function byName<Party extends { readonly name: string }>(parties: readonly Party[]): Map<string, Party> {
  return new Map(parties.map((party) => [plainName(party.name), party]))
}

/** Names of authenticators and authorizers are the same with `-` and with `_`. */
export function plainName(name: string): string {
  return name.replaceAll('-', '_')
}
