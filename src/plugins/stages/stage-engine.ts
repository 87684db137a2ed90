import { stageLimits } from '../../base/gateway-limits.js'
import {
  keyApprovalKey,
  keyFunctionsOf,
  stageApprovalKey,
  stagesOf,
} from '../../capabilities/gateway/stage-rules.js'
import { stageCallKinds } from '../../capabilities/gateway/wire.js'
import type { Exchange } from '../../gateway/exchange.js'
import type { Stage } from '../../gateway/stage.js'
import type { Generation } from '../../sandbox/generation.js'
import { DirectoryView } from '../directory-view.js'
import type { PluginDirectory, ServedPlugin } from '../plugin-directory.js'
import type { PluginLog } from '../plugin-log.js'
import { PluginStage } from './plugin-stage.js'
import { type StageBreakerOptions, StageRunner } from './stage-runner.js'

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
  readonly breaker?: StageBreakerOptions
  /** Time of one call of a function that names none; `stageLimits.timeoutMsDefault` when missing. */
  readonly timeoutMs?: number
}

/** Gives the key that the rate limit counts a request by; undefined when the function has none, or fails. */
export type StageKeyFunction = (exchange: Exchange) => Promise<string | undefined>

/** Everything that is in service at a moment. */
interface Serving {
  readonly stages: readonly PluginStage[]
  /** By `<plugin>/<name>`. */
  readonly keys: ReadonlyMap<string, StageRunner>
}

/** Makes stages of the gateway of what plugins have registered. */
export class StageEngine {
  readonly #options: StageEngineOptions
  readonly #breaker: StageBreakerOptions
  readonly #timeoutMs: number
  readonly #view: DirectoryView<Serving>
  #serving: Serving = { stages: [], keys: new Map() }

  constructor(options: StageEngineOptions) {
    const { breakerResetMs, failuresMax } = stageLimits
    this.#options = options
    this.#breaker = options.breaker ?? { failuresMax, resetMs: breakerResetMs }
    this.#timeoutMs = options.timeoutMs ?? stageLimits.timeoutMsDefault
    this.#view = new DirectoryView(options.directory, (plugins) => this.#replace(plugins))
  }

  /** The approved stages of running plugins: the same array as long as nothing has changed. */
  readonly stages = (): readonly Stage[] => this.#view.current().stages

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

  /** Ends all timers; no stage is run any more. */
  close(): void {
    retire(this.#serving, { stages: [], keys: new Map() })
    this.#serving = { stages: [], keys: new Map() }
  }

  #replace(plugins: readonly ServedPlugin[]): Serving {
    const before = this.#serving
    const stages: PluginStage[] = []
    const keys = new Map<string, StageRunner>()
    for (const served of plugins) {
      const { generation, state } = served
      if (state !== 'running' || generation === undefined) continue
      stages.push(...this.#stagesOf(served, generation, before))
      for (const [name, runner] of this.#keysOf(served, generation, before)) keys.set(name, runner)
    }
    const same =
      stages.length === before.stages.length && stages.every((each, at) => each === before.stages[at])
    this.#serving = { stages: same ? before.stages : stages, keys }
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
            isUntouched: (path) => this.#isUntouched(path),
            successor: (stage) => this.#successor(stage),
          }),
      )
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
        })
        return [fullName, runner] as const
      })
  }

  #isUntouched(path: string): boolean {
    return this.#options.untouched.some(
      (prefix) => path === prefix || (path.startsWith(prefix) && path[prefix.length] === '/'),
    )
  }

  #successor({ name, declaration }: PluginStage): PluginStage | undefined {
    return this.#view
      .current()
      .stages.find((each) => each.name === name && each.declaration.event === declaration.event)
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
