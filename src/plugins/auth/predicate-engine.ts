import { authApprovalKey, authDeclarations } from '../../capabilities/auth/auth-rules.js'
import { authCallKinds, type PredicateCall } from '../../capabilities/auth/wire.js'
import type { JsonValue } from '../../identity/identity.js'
import type { PolicyContext } from '../../policies/context.js'
import type { AskPredicate } from '../../policies/questions.js'
import type { Generation } from '../../sandbox/generation.js'
import { DirectoryView } from '../directory-view.js'
import { FunctionRunner } from '../function-runner.js'
import type { ServedPlugin } from '../plugin-directory.js'
import type { AuthEngineOptions } from './auth-engine.js'
import { authBudget } from './plugin-authenticator.js'

/** Predicates by their names, by the names of their plugins. */
type Predicates = ReadonlyMap<string, ReadonlyMap<string, FunctionRunner>>

/** Asks the predicates that plugins have registered for conditions of policies. */
export class PredicateEngine {
  readonly #options: Omit<AuthEngineOptions, 'credentials'>
  readonly #view: DirectoryView<Predicates>
  #serving: Predicates = new Map()

  constructor(options: Omit<AuthEngineOptions, 'credentials'>) {
    this.#options = options
    this.#view = new DirectoryView(options.directory, (plugins) => this.#replace(plugins))
  }

  /** Rejects where nobody can tell: the plugin does not run, the predicate is not approved, fails, or is late. */
  readonly ask: AskPredicate = async ({ plugin, name, context }) => {
    const runner = this.#view.current().get(plugin)?.get(name)
    if (runner === undefined) throw new Error(this.#reasonOf(plugin, name))
    const call: PredicateCall = { name, context: describeContext(context) }
    const run = await runner.run({ payload: JSON.stringify(call), requestId: '' }, ([truth]) => {
      if (typeof truth !== 'boolean') throw new Error('a predicate said neither true nor false')
      return truth
    })
    if (run.kind !== 'done') throw new Error('it could not be run; the log tells why')
    return run.value
  }

  /** Ends all timers; nothing is run any more. */
  close(): void {
    for (const runner of runnersOf(this.#serving)) runner.retire()
    this.#serving = new Map()
  }

  #reasonOf(plugin: string, name: string): string {
    const { state, generation } = this.#options.directory.find(plugin) ?? {}
    if (state === undefined) return 'there is no such plugin'
    if (state !== 'running' || generation === undefined) return 'the plugin does not run'
    const isDeclared = authDeclarations(generation.inspection.registrations).some(
      (each) => each.kind === 'policy' && each.name === name,
    )
    return isDeclared ? 'it is not approved' : 'the plugin has no such predicate'
  }

  #replace(plugins: readonly ServedPlugin[]): Predicates {
    const before = this.#serving
    this.#serving = new Map(plugins.map((served) => [served.name, this.#runnersOf(served, before)]))
    const kept = new Set(runnersOf(this.#serving))
    for (const runner of runnersOf(before)) if (!kept.has(runner)) runner.retire()
    return this.#serving
  }

  #runnersOf(
    { name: plugin, state, generation, grants }: ServedPlugin,
    before: Predicates,
  ): ReadonlyMap<string, FunctionRunner> {
    if (state !== 'running' || generation === undefined) return new Map()
    const declared = authDeclarations(generation.inspection.registrations).filter(
      (each) => each.kind === 'policy' && grants.isApproved('auth', authApprovalKey(each)),
    )
    return new Map(
      declared.map(({ name }) => {
        const old = before.get(plugin)?.get(name)
        // What goes on keeps its breaker.
        return [name, old?.generation === generation ? old : this.#create(plugin, generation, name)]
      }),
    )
  }

  #create(plugin: string, generation: Generation, name: string): FunctionRunner {
    const { breaker, log } = this.#options
    const kind = authCallKinds.predicate
    return new FunctionRunner({
      ...authBudget,
      what: 'predicate',
      plugin,
      generation,
      name,
      kind,
      breaker,
      log,
    })
  }
}

function runnersOf(predicates: Predicates): readonly FunctionRunner[] {
  return [...predicates.values()].flatMap((named) => [...named.values()])
}

/** Gives a context as code of plugins sees it. */
function describeContext({ subject, resource, action, environment = {} }: PolicyContext): JsonValue {
  const { ip, time = Date.now(), userAgent } = environment
  // What is undefined is not in the text that the plugin gets.
  return {
    subject,
    resource,
    action,
    environment: { ip, time, user_agent: userAgent },
  } as unknown as JsonValue
}
