import type { StageScope } from '../../capabilities/gateway/stage-rules.js'
import type { Exchange } from '../../gateway/exchange.js'
import type { OutgoingAnswer } from '../../gateway/outgoing-answer.js'
import { compilePaths } from '../../gateway/path-pattern.js'
import { failureAnswer } from '../../gateway/pipeline.js'
import type { Stage, StageVerdict } from '../../gateway/stage.js'
import { withholdAnswer } from './answer-changes.js'
import { stageUnavailable } from './errors.js'
import { coveredMethods } from './plugin-stage.js'

/** Why an approved stage cannot run: its plugin could not be loaded, or has changed and waits for an approval. */
export type HeldReason = 'failed' | 'waiting'

export interface HeldStageOptions {
  readonly plugin: string
  /** Key of the approval. */
  readonly key: string
  readonly scope: StageScope
  readonly reason: HeldReason
  /** Before all stages that the one it stands for may have come before. */
  readonly priority: number
  /** Paths that no stage of a plugin sees. */
  isUntouched(path: string): boolean
}

/** Keeps shut what an approved stage that fails closed guards, as long as its plugin cannot run it. */
export class HeldStage implements Stage {
  readonly name: string
  readonly priority: number
  readonly plugin: string
  readonly key: string
  readonly reason: HeldReason
  readonly onRequest?: NonNullable<Stage['onRequest']>
  readonly onAnswer?: NonNullable<Stage['onAnswer']>
  readonly #options: HeldStageOptions
  readonly #concerns: (exchange: Exchange) => boolean

  constructor(options: HeldStageOptions) {
    const { plugin, key, scope, reason, priority } = options
    this.name = `held:${plugin}/${key}`
    this.priority = priority
    this.plugin = plugin
    this.key = key
    this.reason = reason
    this.#options = options
    const isForPath = compilePaths(scope.paths)
    const methods = coveredMethods(scope.methods)
    // As the stage that it stands for: in any spelling of a path.
    this.#concerns = ({ method, path, loosePath }) => {
      if (methods !== undefined && !methods.has(method)) return false
      const isMeant = isForPath(path) || (loosePath !== path && isForPath(loosePath))
      return isMeant && !options.isUntouched(path)
    }
    if (scope.event === 'on_request') this.onRequest = (exchange) => this.#enter(exchange)
    else this.onAnswer = (exchange, answer) => this.#leave(exchange, answer)
  }

  describe(): Readonly<Record<string, unknown>> {
    const { plugin, scope, reason } = this.#options
    return { plugin, ...scope, held: reason }
  }

  #enter(exchange: Exchange): StageVerdict {
    return this.#concerns(exchange) ? failureAnswer(stageUnavailable({ stage: this.name })) : undefined
  }

  #leave(exchange: Exchange, answer: OutgoingAnswer): void {
    if (this.#concerns(exchange)) withholdAnswer(answer, this.name)
  }
}
