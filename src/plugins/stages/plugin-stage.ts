import type { StageDeclaration } from '../../capabilities/gateway/stage-rules.js'
import {
  decodeRequestVerdict,
  decodeResponseVerdict,
  type RequestVerdict,
  stageCallKinds,
} from '../../capabilities/gateway/wire.js'
import { sandboxHeaders } from '../../capabilities/http/page-sandbox.js'
import type { WireResponse } from '../../capabilities/http/wire.js'
import type { Exchange } from '../../gateway/exchange.js'
import { ExchangeNote } from '../../gateway/exchange-note.js'
import type { OutgoingAnswer } from '../../gateway/outgoing-answer.js'
import { failureAnswer } from '../../gateway/pipeline.js'
import { routedPath } from '../../gateway/request-path.js'
import type { Stage, StageAnswer, StageVerdict } from '../../gateway/stage.js'
import { changeAnswer, seenAnswer, withholdAnswer } from './answer-changes.js'
import { stageUnavailable } from './errors.js'
import { concernedBy } from './stage-reach.js'
import { StageRunner, type StageRunnerOptions } from './stage-runner.js'

export interface PluginStageOptions extends Omit<StageRunnerOptions, 'name' | 'kind'> {
  readonly declaration: StageDeclaration
  /** Paths that no stage of a plugin sees or leads to. */
  isUntouched(path: string): boolean
  /** Finds what stands in the place of the stage now; undefined when nothing does any more. */
  successor(stage: PluginStage): Stage | undefined
}

/** A stage of a plugin in the chain of the gateway; one for each generation. */
export class PluginStage implements Stage {
  readonly name: string
  readonly priority: number
  readonly plugin: string
  readonly declaration: StageDeclaration
  readonly runner: StageRunner
  /** Whether it is for a request, by its method and path. */
  readonly concerns: (exchange: Exchange) => boolean
  readonly onRequest?: NonNullable<Stage['onRequest']>
  readonly onRewritten?: NonNullable<Stage['onRewritten']>
  readonly onAnswer?: NonNullable<Stage['onAnswer']>
  readonly #options: PluginStageOptions
  /** Set when it was asked: it decides about each request once, so that no two stages send one back and forth for ever. */
  readonly #asked = new ExchangeNote<true>()

  constructor(options: PluginStageOptions) {
    const { declaration, plugin } = options
    this.name = `plugin:${plugin}/${declaration.name}`
    this.priority = declaration.priority
    this.plugin = plugin
    this.declaration = declaration
    this.#options = options
    this.concerns = concernedBy(declaration, options.isUntouched)
    const isRequest = declaration.event === 'on_request'
    this.runner = new StageRunner({
      ...options,
      name: declaration.name,
      kind: isRequest ? stageCallKinds.request : stageCallKinds.response,
      timeoutMs: declaration.timeoutMs ?? options.timeoutMs,
    })
    if (isRequest) {
      this.onRequest = (exchange) => this.#enter(exchange)
      this.onRewritten = (exchange) => (this.#asked.of(exchange) ? undefined : this.#enter(exchange))
    } else this.onAnswer = (exchange, answer) => this.#leave(exchange, answer)
  }

  describe(): Readonly<Record<string, unknown>> {
    const { event, fail, methods, paths } = this.declaration
    return {
      plugin: this.plugin,
      event,
      paths,
      methods,
      fail,
      ...this.runner.describe(),
    }
  }

  #enter(exchange: Exchange): StageVerdict | Promise<StageVerdict> {
    if (!this.concerns(exchange)) return undefined
    this.#asked.set(exchange, true)
    return this.#decide(exchange)
  }

  async #decide(exchange: Exchange): Promise<StageVerdict> {
    const run = await this.runner.run({ exchange }, (result) => {
      const verdict = decodeRequestVerdict(result)
      this.#assertReachable(verdict)
      return verdict
    })
    if (run.kind === 'done') return obey(exchange, run.value)
    if (run.kind === 'gone') {
      // Requests that come now do not meet a stage that is no longer there, so this one does not either.
      const successor = this.#options.successor(this)
      if (successor === undefined) return undefined
      if (successor !== this) return successor.onRequest?.(exchange)
    }
    return this.declaration.fail === 'open'
      ? undefined
      : failureAnswer(stageUnavailable({ stage: this.name }))
  }

  /** A plugin must not send the credentials of others where only they may act. */
  #assertReachable(verdict: RequestVerdict): void {
    if (verdict.kind !== 'change' || verdict.target === undefined) return
    if (this.#options.isUntouched(routedPath(verdict.target))) {
      throw new Error(`the path ${verdict.target} belongs to the administration of the host`)
    }
  }

  #leave(exchange: Exchange, answer: OutgoingAnswer): void | Promise<void> {
    return this.concerns(exchange) ? this.#change(exchange, answer) : undefined
  }

  async #change(exchange: Exchange, answer: OutgoingAnswer): Promise<void> {
    const run = await this.runner.run({ exchange, ...seenAnswer(answer) }, (result) => {
      const verdict = decodeResponseVerdict(result)
      if (verdict !== undefined) changeAnswer(answer, verdict)
    })
    if (run.kind === 'done') return
    if (run.kind === 'gone') {
      const successor = this.#options.successor(this)
      if (successor === undefined) return
      if (successor !== this) {
        await successor.onAnswer?.(exchange, answer)
        return
      }
    }
    if (this.declaration.fail === 'closed') withholdAnswer(answer, this.name)
  }
}

function obey(exchange: Exchange, verdict: RequestVerdict): StageVerdict {
  if (verdict.kind === 'pass') return undefined
  if (verdict.kind === 'answer') return toAnswer(verdict.answer)
  const { headers, target } = verdict
  for (const name of headers.remove) exchange.setRequestHeader(name, undefined)
  for (let at = 0; at + 1 < headers.set.length; at += 2) {
    exchange.setRequestHeader((headers.set[at] ?? '').toLowerCase(), headers.set[at + 1])
  }
  if (target !== undefined) exchange.rewrite(target)
  return undefined
}

function toAnswer({ status, headers, body }: WireResponse): StageAnswer {
  return {
    status,
    headers: [
      ...headers,
      ...sandboxHeaders(headers),
      ...['x-content-type-options', 'nosniff', 'x-frame-options', 'DENY', 'cache-control', 'no-store'],
    ],
    body: body.length === 0 ? undefined : typeof body === 'string' ? body : Buffer.from(body),
  }
}
