import { messageOf } from '../../base/errors.js'
import { stageLimits } from '../../base/limits/gateway.js'
import { encodeStageCall, type SeenAnswer } from '../../capabilities/gateway/wire.js'
import type { Exchange } from '../../gateway/exchange.js'
import { stripCredentials } from '../../identity/credentials.js'
import type { CallOutcome, Generation } from '../../sandbox/generation.js'
import { type BreakerTicket, PluginBreaker } from '../breaker.js'
import { isOwnFault } from '../call-faults.js'
import type { PluginLog } from '../plugin-log.js'

/** When the breaker of a stage opens, and for how long. */
export interface StageBreakerOptions {
  /** Failures in a row. */
  readonly failuresMax: number
  readonly resetMs: number
}

/** How a run of a stage ended; `paused` when its breaker let it not begin. */
export type StageStatus = 'ok' | 'failed' | 'timeout' | 'paused'

/** One run of a stage, or of a function for keys. */
export interface ObservedStage {
  readonly plugin: string
  readonly stage: string
  readonly status: StageStatus
}

export interface StageRunnerOptions {
  readonly plugin: string
  readonly generation: Generation
  /** Name of the registration. */
  readonly name: string
  /** Name of the call kind. */
  readonly kind: string
  readonly timeoutMs: number
  readonly breaker: StageBreakerOptions
  readonly log: PluginLog
  /** Is told of each run. */
  readonly observe?: ((run: ObservedStage) => void) | undefined
}

/** What a stage is run on. */
export interface StageInput {
  readonly exchange: Exchange
  readonly answer?: SeenAnswer
  /** Body of the answer, a character a byte. */
  readonly body?: string
}

/**
 * How a run ended: with what it said; without, so that the stage's `fail` decides; or not at all because the
 * generation is no longer in service.
 */
export type StageRun<Value> =
  | { readonly kind: 'done'; readonly value: Value }
  | { readonly kind: 'unavailable' }
  | { readonly kind: 'gone' }

const late: CallOutcome = {
  ok: false,
  code: 'TIMEOUT',
  message: 'the call has not ended long after its time',
  blamed: false,
}

/** Runs one function of one generation within its time and behind its breaker. Never rejects. */
export class StageRunner {
  readonly generation: Generation
  readonly #options: StageRunnerOptions
  readonly #breaker: PluginBreaker
  #isRetired = false
  /** True from the first failure to the next success: the log tells of a failing stage once. */
  #isFailing = false

  constructor(options: StageRunnerOptions) {
    this.#options = options
    this.generation = options.generation
    const { breaker, log, name, plugin } = options
    this.#breaker = new PluginBreaker({
      ...breaker,
      onTrip: (failures) =>
        log.error({ plugin, stage: name, failures }, 'a stage failed too often and is paused'),
    })
  }

  /** Time of one call. */
  get timeoutMs(): number {
    return this.#options.timeoutMs
  }

  /** What operators see of it. */
  describe(): Readonly<Record<string, unknown>> {
    const { state: breaker, failures } = this.#breaker
    return { timeout_ms: this.#options.timeoutMs, breaker, failures }
  }

  /** True from when it has failed too often until a run succeeds again. */
  get isPaused(): boolean {
    return this.#breaker.state !== 'closed'
  }

  /** Ends its service; runs that have begun go on. */
  retire(): void {
    this.#isRetired = true
    this.#breaker.close()
  }

  /**
   * @param use Acts on what Lua has said. What it throws counts as a failure of the stage, so it changes nothing before it
   *   has looked at everything.
   */
  run<Value>(input: StageInput, use: (result: readonly unknown[]) => Value): Promise<StageRun<Value>> {
    if (this.#isRetired) return Promise.resolve({ kind: 'gone' })
    const ticket = this.#breaker.tryEnter()
    if (ticket === 'refused') {
      this.#observe('paused')
      return Promise.resolve({ kind: 'unavailable' })
    }
    return this.#call(input).then((outcome) => this.#settle(input, ticket, outcome, use))
  }

  #settle<Value>(
    input: StageInput,
    ticket: BreakerTicket,
    outcome: CallOutcome,
    use: (result: readonly unknown[]) => Value,
  ): StageRun<Value> {
    if (!outcome.ok) {
      if (outcome.code === 'CLOSED') {
        this.#breaker.neutral(ticket)
        return { kind: 'gone' }
      }
      return this.#fail(ticket, input, isOwnFault(outcome), outcome.code, outcome.message)
    }
    try {
      const value = use(outcome.result)
      this.#breaker.success(ticket)
      this.#isFailing = false
      this.#observe('ok')
      if (ticket === 'probe') this.#tellRecovered()
      return { kind: 'done', value }
    } catch (error) {
      return this.#fail(ticket, input, true, 'ERROR', messageOf(error))
    }
  }

  #observe(status: StageStatus): void {
    const { plugin, name: stage, observe } = this.#options
    observe?.({ plugin, stage, status })
  }

  #tellRecovered(): void {
    const { log, name: stage, plugin } = this.#options
    log.info({ plugin, stage }, 'a stage that was paused runs again')
  }

  #fail(
    ticket: BreakerTicket,
    { exchange }: StageInput,
    isFault: boolean,
    code: string,
    error: string,
  ): { readonly kind: 'unavailable' } {
    if (!this.#isFailing) {
      this.#isFailing = true
      const { log, name, plugin } = this.#options
      const fields = { plugin, stage: name, request_id: exchange.request.id, code, error }
      log.warn(fields, 'a stage failed; further failures in a row are not told one by one')
    }
    this.#observe(code === 'TIMEOUT' ? 'timeout' : 'failed')
    if (isFault) this.#breaker.failure(ticket)
    else this.#breaker.neutral(ticket)
    return { kind: 'unavailable' }
  }

  /** Never rejects: what goes wrong on the way is an outcome too. */
  #call({ exchange, answer, body = '' }: StageInput): Promise<CallOutcome> {
    const { generation, kind, name, timeoutMs } = this.#options
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(late), timeoutMs + stageLimits.lateMs)
      const settle = (outcome: CallOutcome): void => {
        clearTimeout(timer)
        resolve(outcome)
      }
      const lose = (error: unknown): void =>
        settle({ ok: false, code: 'EXECUTOR_LOST', message: messageOf(error), blamed: false })
      try {
        const call = {
          kind,
          phase: 'stage',
          payload: payloadOf(name, exchange, answer),
          body,
          requestId: exchange.request.id,
          timeoutMs,
          operationsMax: stageLimits.operationsMax,
          // Everybody waits for a stage: routes of its plugin must not keep it from running.
          reserved: true,
        } as const
        generation.call(call).then(settle, lose)
      } catch (error) {
        lose(error)
      }
    })
  }
}

function payloadOf(name: string, exchange: Exchange, answer: SeenAnswer | undefined): string {
  const request = {
    routeKey: name,
    method: exchange.method,
    path: exchange.path,
    query: exchange.query,
    rawHeaders: stripCredentials(exchange.request.raw.rawHeaders),
    params: {},
    clientIp: exchange.ip,
    user: exchange.user,
  }
  return encodeStageCall(answer === undefined ? { request } : { request, answer })
}
