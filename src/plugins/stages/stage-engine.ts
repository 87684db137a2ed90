import { stageLimits } from '../../base/limits/gateway.js'
import {
  keyApprovalKey,
  keyFunctionsOf,
  parseStageKey,
  stageApprovalKey,
  stagesOf,
} from '../../capabilities/gateway/stage-rules.js'
import { stageCallKinds } from '../../capabilities/gateway/wire.js'
import type { Exchange } from '../../gateway/exchange.js'
import { isBelow } from '../../gateway/request-path.js'
import type { Stage } from '../../gateway/stage.js'
import type { Generation } from '../../sandbox/generation.js'
import { DirectoryView } from '../directory-view.js'
import type { FunctionBreakerOptions } from '../function-runner.js'
import type { PluginDirectory, ServedPlugin } from '../plugin-directory.js'
import type { PluginLog } from '../plugin-log.js'
import { HeldStage } from './held-stage.js'
import { PluginStage } from './plugin-stage.js'
import { type ObservedStage, StageRunner } from './stage-runner.js'

export interface StageEngineOptions {
  readonly directory: PluginDirectory
  readonly log: PluginLog
  /** Whether a stage may run; the key is that of `declaredStages`. Asked when a plugin or its grants change. */
  isApproved(served: ServedPlugin, key: string): boolean
  /**
   * Paths of the administration of the host, e.g. `/api/v1/admin`: neither they nor what is below them is seen by stages,
   * so that an admin can always get at a plugin, and no stage can lead a request there.
   */
  readonly untouched: readonly string[]
  /** When the breaker of a stage opens; as in `stageLimits` when missing. */
  readonly breaker?: FunctionBreakerOptions
  /** Milliseconds of one call of a stage that names none, and of a function for keys; as in `stageLimits` when missing. */
  readonly timeoutMs?: number
  /** Is told of each run. */
  readonly observe?: ((run: ObservedStage) => void) | undefined
}

/** Gives the key that the rate limit counts a request by; undefined when the function has none, or fails. */
export type StageKeyFunction = (exchange: Exchange) => Promise<string | undefined>

/** Approved stages that do not run, so that requests are refused or pass unseen. */
export interface StageTroubles {
  /** They failed too often; their breakers are not closed. */
  readonly paused: number
  /** Their plugins could not be loaded, or wait for an approval; what they guard is shut. */
  readonly held: number
}

/** Everything that is in service at a moment. */
interface Serving {
  readonly stages: readonly PluginStage[]
  /** What stands for stages that cannot run. */
  readonly held: readonly HeldStage[]
  /** Both. */
  readonly chain: readonly Stage[]
  /** By `<plugin>/<name>`. */
  readonly keys: ReadonlyMap<string, StageRunner>
}

const nothing: Serving = { stages: [], held: [], chain: [], keys: new Map() }

/** Makes stages of the gateway of what plugins have registered. */
export class StageEngine {
  readonly #options: StageEngineOptions
  readonly #breaker: FunctionBreakerOptions
  readonly #timeoutMs: number
  readonly #view: DirectoryView<Serving>
  #serving: Serving = nothing

  constructor(options: StageEngineOptions) {
    const { breakerResetMs, failuresMax, timeoutMsDefault } = stageLimits
    this.#options = options
    this.#breaker = options.breaker ?? { failuresMax, resetMs: breakerResetMs }
    this.#timeoutMs = options.timeoutMs ?? timeoutMsDefault
    this.#view = new DirectoryView(options.directory, (plugins) => this.#replace(plugins))
  }

  /** The approved stages of running plugins, and what stands for those that cannot run: the same array as long as nothing has changed. */
  readonly stages = (): readonly Stage[] => this.#view.current().chain

  /**
   * Finds a function for keys; undefined when no running plugin has it, or when it is not approved.
   *
   * @param name `<plugin>/<name>`.
   */
  readonly keyFunction = (name: string): StageKeyFunction | undefined => {
    if (!this.#view.current().keys.has(name)) return undefined
    return async (exchange) => {
      const runner = this.#view.current().keys.get(name)
      const run = await runner?.run({ exchange }, ([key]) => key as string | undefined)
      return run?.kind === 'done' ? run.value : undefined
    }
  }

  /**
   * Whether a stage for requests is going to see a request.
   *
   * @param isMeant Which of the stages that would see it count.
   */
  readonly isGuarded = (exchange: Exchange, isMeant: (stage: Stage) => boolean): boolean =>
    this.#view.current().stages.some((stage) => stage.onRequest && stage.concerns(exchange) && isMeant(stage))

  /** How many approved stages do not run at this moment. */
  troubles(): StageTroubles {
    const { stages, held } = this.#view.current()
    const paused = stages.filter(({ runner }) => runner.isPaused)
    return { paused: paused.length, held: held.length }
  }

  /** Ends all timers; no stage is run any more. */
  close(): void {
    retire(this.#serving, nothing)
    this.#serving = nothing
  }

  #replace(plugins: readonly ServedPlugin[]): Serving {
    const before = this.#serving
    const stages: PluginStage[] = []
    const held: HeldStage[] = []
    const keys = new Map<string, StageRunner>()
    for (const served of plugins) {
      const { generation, state } = served
      held.push(...this.#heldOf(served, before))
      if (state !== 'running' || generation === undefined) continue
      stages.push(...this.#stagesOf(served, generation, before))
      for (const [name, runner] of this.#keysOf(served, generation, before)) keys.set(name, runner)
    }
    const chain = [...stages, ...held]
    const same = chain.length === before.chain.length && chain.every((each, at) => each === before.chain[at])
    this.#serving = { stages, held, chain: same ? before.chain : chain, keys }
    retire(before, this.#serving)
    return this.#serving
  }

  #stagesOf(served: ServedPlugin, generation: Generation, before: Serving): readonly PluginStage[] {
    return stagesOf(generation.inspection.registrations)
      .filter((declaration) => this.#options.isApproved(served, stageApprovalKey(declaration)))
      .map(
        (declaration) =>
          // What goes on keeps its breaker.
          before.stages.find(
            (each) => each.runner.generation === generation && each.declaration.name === declaration.name,
          ) ??
          new PluginStage({
            plugin: served.name,
            generation,
            declaration,
            timeoutMs: this.#timeoutMs,
            breaker: this.#breaker,
            log: this.#options.log,
            observe: this.#options.observe,
            isUntouched: (path) => this.#isUntouched(path),
            successor: (stage) => this.#successor(stage),
          }),
      )
  }

  /** An admin who disables a plugin wants it gone; in all other states an approved guard is missed. */
  #heldOf({ name: plugin, state, grants }: ServedPlugin, before: Serving): readonly HeldStage[] {
    if (state === 'stopped') return []
    const reason = state === 'running' ? 'waiting' : 'failed'
    const keys = state === 'running' ? grants.heldStages() : grants.guardingStages()
    return keys.flatMap((key) => {
      const scope = parseStageKey(key)
      if (scope === undefined || scope.fail === 'open') return []
      const known = before.held.find(
        (each) => each.plugin === plugin && each.key === key && each.reason === reason,
      )
      const isUntouched = (path: string) => this.#isUntouched(path)
      return (
        known ?? new HeldStage({ plugin, key, scope, reason, priority: stageLimits.priorityMin, isUntouched })
      )
    })
  }

  #keysOf(
    served: ServedPlugin,
    generation: Generation,
    before: Serving,
  ): readonly (readonly [name: string, runner: StageRunner])[] {
    return keyFunctionsOf(generation.inspection.registrations)
      .filter((name) => this.#options.isApproved(served, keyApprovalKey(name)))
      .map((name) => {
        const fullName = `${served.name}/${name}`
        const known = before.keys.get(fullName)
        if (known?.generation === generation) return [fullName, known] as const
        const runner = new StageRunner({
          plugin: served.name,
          generation,
          name,
          kind: stageCallKinds.key,
          timeoutMs: this.#timeoutMs,
          breaker: this.#breaker,
          log: this.#options.log,
          observe: this.#options.observe,
        })
        return [fullName, runner] as const
      })
  }

  #isUntouched(path: string): boolean {
    return this.#options.untouched.some((prefix) => isBelow(path, prefix))
  }

  /** A stage that has got another name is the one that was approved under the same key. */
  #successor({ name, plugin, declaration }: PluginStage): Stage | undefined {
    const { stages, held } = this.#view.current()
    const key = stageApprovalKey(declaration)
    return (
      stages.find((each) => each.name === name && each.declaration.event === declaration.event) ??
      stages.find((each) => each.plugin === plugin && stageApprovalKey(each.declaration) === key) ??
      held.find((each) => each.plugin === plugin && each.key === key)
    )
  }
}

/** Creates the engine; `close()` ends it. */
export function createStageEngine(options: StageEngineOptions): StageEngine {
  return new StageEngine(options)
}

function retire(before: Serving, now: Serving): void {
  const kept = new Set([...now.stages.map(({ runner }) => runner), ...now.keys.values()])
  for (const runner of [...before.stages.map((stage) => stage.runner), ...before.keys.values()]) {
    if (!kept.has(runner)) runner.retire()
  }
}
