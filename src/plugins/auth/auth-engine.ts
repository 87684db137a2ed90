import type { Authenticator } from '../../auth/authenticator.js'
import type { Authorizer } from '../../auth/authorizer.js'
import {
  type AuthDeclaration,
  type AuthKind,
  authApprovalKey,
  authDeclarations,
  type CredentialPlace,
  isAuthKeyOf,
  placeOfAuthKey,
} from '../../capabilities/auth/auth-rules.js'
import { authCallKinds } from '../../capabilities/auth/wire.js'
import type { CredentialFilter } from '../../identity/credentials.js'
import type { Generation } from '../../sandbox/generation.js'
import type { Registration } from '../../sandbox/host-function.js'
import { DirectoryView } from '../directory-view.js'
import { type FunctionBreakerOptions, FunctionRunner } from '../function-runner.js'
import type { PluginDirectory, ServedPlugin } from '../plugin-directory.js'
import type { PluginLog } from '../plugin-log.js'
import { type PartReports, reportParts } from './auth-parts.js'
import { authNameTaken } from './errors.js'
import { authBudget, type Found, PluginAuthenticator, PluginAuthorizer } from './plugin-authenticator.js'

export interface AuthEngineOptions {
  readonly directory: PluginDirectory
  readonly log: PluginLog
  readonly breaker: FunctionBreakerOptions
  /** Leaves the credentials of the host out of what plugins check. */
  readonly credentials: CredentialFilter
}

/** What plugins add to finding out who may do what: the same object as long as nothing has changed. */
export interface PluginParties {
  /** Those that are in service, in the order in which their plugins were started. */
  readonly authenticators: readonly Authenticator[]
  readonly authorizers: readonly Authorizer[]
}

/** What rules name; predicates are asked by policies. */
type PartyKind = Exclude<AuthKind, 'policy'>
type PartyDeclaration = AuthDeclaration & { readonly kind: PartyKind }

/** One function of one generation, and what it is asked about. */
interface Runnable {
  readonly kind: PartyKind
  readonly name: string
  readonly plugin: string
  readonly place: CredentialPlace
  readonly runner: FunctionRunner
}

interface Serving {
  readonly runnables: readonly Runnable[]
  readonly parties: PluginParties
}

/** Stands for a plugin where the configuration has a name. */
const configurationOwner = 'auth.authenticators of the configuration'

const nothing: Serving = { runnables: [], parties: { authenticators: [], authorizers: [] } }

const callKinds: Readonly<Record<PartyKind, string>> = {
  authenticator: authCallKinds.authenticate,
  authorizer: authCallKinds.authorize,
}

/** Makes authenticators and authorizers of what plugins have registered. */
export class AuthEngine {
  readonly #options: AuthEngineOptions
  readonly #view: DirectoryView<Serving>
  #serving: Serving = nothing

  constructor(options: AuthEngineOptions) {
    this.#options = options
    this.#view = new DirectoryView(options.directory, (plugins) => this.#replace(plugins))
  }

  /** Those that are approved and whose plugins run. */
  readonly parties = (): PluginParties => this.#view.current().parties

  /**
   * Gives what stands for an authenticator that a rule names: it is asked when its plugin runs and it is approved, and
   * cannot tell otherwise. Undefined when no plugin has such a one, or has been approved for it.
   */
  authenticator(name: string): Authenticator | undefined {
    return this.#isKnown('authenticator', name)
      ? new PluginAuthenticator(name, () => this.#find('authenticator', name), this.#options.credentials)
      : undefined
  }

  /** The same for an authorizer. */
  authorizer(name: string): Authorizer | undefined {
    return this.#isKnown('authorizer', name)
      ? new PluginAuthorizer(name, () => this.#find('authorizer', name))
      : undefined
  }

  /**
   * Makes sure that no two plugins have an authenticator, or an authorizer, of one name, nor a plugin one of the configuration.
   *
   * @param configured Names of authenticators of the configuration, with `_`.
   * @throws `AUTH_NAME_TAKEN` naming both.
   */
  assertUnique(configured: readonly string[] = []): void {
    const owners = new Map(configured.map((name) => [`authenticator ${name}`, configurationOwner]))
    for (const { name: plugin, generation } of this.#options.directory.all()) {
      for (const { kind, name } of partiesIn(generation?.inspection.registrations ?? [])) {
        const owner = owners.get(`${kind} ${name}`)
        if (owner !== undefined && owner !== plugin) throw authNameTaken({ kind, name, owner, other: plugin })
        owners.set(`${kind} ${name}`, plugin)
      }
    }
  }

  /** All that plugins have registered or been approved for, whether they are asked or not. */
  reports(): PartReports {
    const { runnables } = this.#view.current()
    return reportParts(
      this.#options.directory.all(),
      (plugin, kind, name) =>
        runnables.find((each) => each.plugin === plugin && each.kind === kind && each.name === name)?.runner,
    )
  }

  /** Ends all timers; nothing is run any more. */
  close(): void {
    for (const { runner } of this.#serving.runnables) runner.retire()
    this.#serving = nothing
  }

  #isKnown(kind: PartyKind, name: string): boolean {
    return this.#options.directory.all().some(({ generation, grants }) => {
      const declared = partiesIn(generation?.inspection.registrations ?? [])
      return (
        declared.some((each) => each.kind === kind && each.name === name) ||
        grants.of('auth').some(({ key }) => isAuthKeyOf(key, kind, name))
      )
    })
  }

  #find(kind: PartyKind, name: string): Found {
    const { runnables } = this.#view.current()
    const found = runnables.find((each) => each.kind === kind && each.name === name)
    if (found !== undefined) return found
    return {
      runner: `no plugin that runs is approved for the ${kind} ${name}`,
      place: this.#placeOf(kind, name),
    }
  }

  /** Where one that does not run would look for credentials: as it is declared or was approved, everywhere where that is not clear. */
  #placeOf(kind: PartyKind, name: string): CredentialPlace {
    const keys = this.#options.directory
      .all()
      .flatMap(({ grants }) => grants.of('auth').filter(({ key }) => isAuthKeyOf(key, kind, name)))
    const [only] = keys
    return keys.length === 1 && only !== undefined ? placeOfAuthKey(only.key) : {}
  }

  #replace(plugins: readonly ServedPlugin[]): Serving {
    const before = this.#serving
    const runnables = plugins.flatMap((served) => this.#runnablesOf(served, before))
    // Of two plugins with one name neither is asked: nobody knows which one an admin meant.
    const clear = runnables.filter(
      (one) =>
        !runnables.some((other) => other !== one && other.kind === one.kind && other.name === one.name),
    )
    const same =
      clear.length === before.runnables.length && clear.every((each, at) => each === before.runnables[at])
    this.#serving = { runnables: clear, parties: same ? before.parties : this.#partiesOf(clear) }
    for (const { runner } of before.runnables) {
      if (!clear.some((each) => each.runner === runner)) runner.retire()
    }
    return this.#serving
  }

  #partiesOf(runnables: readonly Runnable[]): PluginParties {
    const named = (kind: PartyKind) => runnables.filter((each) => each.kind === kind).map(({ name }) => name)
    const finder = (kind: PartyKind, name: string) => () => this.#find(kind, name)
    return {
      authenticators: named('authenticator').map(
        (name) => new PluginAuthenticator(name, finder('authenticator', name), this.#options.credentials),
      ),
      authorizers: named('authorizer').map((name) => new PluginAuthorizer(name, finder('authorizer', name))),
    }
  }

  #runnablesOf({ name, state, generation, grants }: ServedPlugin, before: Serving): readonly Runnable[] {
    if (state !== 'running' || generation === undefined) return []
    return partiesIn(generation.inspection.registrations)
      .filter((declaration) => grants.isApproved('auth', authApprovalKey(declaration)))
      .map(
        (declaration) =>
          // What goes on keeps its breaker.
          before.runnables.find(
            (each) =>
              each.runner.generation === generation &&
              each.kind === declaration.kind &&
              each.name === declaration.name,
          ) ?? this.#run(name, generation, declaration),
      )
  }

  #run(plugin: string, generation: Generation, { kind, name, place }: PartyDeclaration): Runnable {
    const { breaker, log } = this.#options
    const runner = new FunctionRunner({
      ...authBudget,
      what: kind,
      plugin,
      generation,
      name,
      kind: callKinds[kind],
      breaker,
      log,
    })
    return { kind, name, plugin, place, runner }
  }
}

function partiesIn(registrations: readonly Registration[]): readonly PartyDeclaration[] {
  return authDeclarations(registrations).filter((each): each is PartyDeclaration => each.kind !== 'policy')
}
