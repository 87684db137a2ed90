import { messageOf } from '../base/errors.js'
import { stageLimits } from '../base/limits/gateway.js'
import type { CallOutcome, Generation } from '../sandbox/generation.js'
import { type BreakerTicket, PluginBreaker } from './breaker.js'
import { isOwnFault } from './call-faults.js'
import type { PluginLog } from './plugin-log.js'

/** When the breaker of a function opens, and for how long. */
export interface FunctionBreakerOptions {
  /** Failures in a row. */
  readonly failuresMax: number
  readonly resetMs: number
}

/** How a run ended; `paused` when its breaker let it not begin. */
export type RunStatus = 'ok' | 'failed' | 'timeout' | 'paused'

export interface FunctionRunnerOptions {
  /** What it is, in the log: `stage`, `authenticator`. */
  readonly what: string
  readonly plugin: string
  readonly generation: Generation
  /** Name of the registration. */
  readonly name: string
  /** Name of the call kind. */
  readonly kind: string
  readonly timeoutMs: number
  readonly operationsMax: number
  readonly breaker: FunctionBreakerOptions
  readonly log: PluginLog
  /** Is told of each run. */
  readonly observe?: ((status: RunStatus) => void) | undefined
}

/** What a function is called with. */
export interface FunctionCall {
  /** In the form of its call kind. */
  readonly payload: string
  /** A character a byte; none when missing. */
  readonly body?: string
  readonly requestId: string
}

/**
 * How a run ended: with what it said; without, so that somebody else decides; or not at all because the
 * generation is no longer in service.
 */
export type FunctionRun<Value> =
  | { readonly kind: 'done'; readonly value: Value }
  | { readonly kind: 'unavailable' }
  | { readonly kind: 'gone' }

const late: CallOutcome = {
  ok: false,
  code: 'TIMEOUT',
  message: 'the call has not ended long after its time',
  blamed: false,
}

/** Runs one function of one generation that requests wait for, within its time and behind its breaker. Never rejects. */
export class FunctionRunner {
  readonly generation: Generation
  readonly #options: FunctionRunnerOptions
  readonly #breaker: PluginBreaker
  #isRetired = false
  /** True from the first failure to the next success: the log tells of a failing function once. */
  #isFailing = false

  constructor(options: FunctionRunnerOptions) {
    this.#options = options
    this.generation = options.generation
    const { breaker, log, name, plugin, what } = options
    this.#breaker = new PluginBreaker({
      ...breaker,
      onTrip: (failures) =>
        log.error({ plugin, [what]: name, failures }, `${a(what)} failed too often and is paused`),
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
   * @param use Acts on what Lua has said. What it throws counts as a failure of the function, so it changes nothing before it
   *   has looked at everything.
   */
  run<Value>(call: FunctionCall, use: (result: readonly unknown[]) => Value): Promise<FunctionRun<Value>> {
    if (this.#isRetired) return Promise.resolve({ kind: 'gone' })
    const ticket = this.#breaker.tryEnter()
    if (ticket === 'refused') {
      this.#observe('paused')
      return Promise.resolve({ kind: 'unavailable' })
    }
    return this.#call(call).then((outcome) => this.#settle(call, ticket, outcome, use))
  }

  #settle<Value>(
    call: FunctionCall,
    ticket: BreakerTicket,
    outcome: CallOutcome,
    use: (result: readonly unknown[]) => Value,
  ): FunctionRun<Value> {
    if (!outcome.ok) {
      if (outcome.code === 'CLOSED') {
        this.#breaker.neutral(ticket)
        return { kind: 'gone' }
      }
      return this.#fail(ticket, call, isOwnFault(outcome), outcome.code, outcome.message)
    }
    try {
      const value = use(outcome.result)
      this.#breaker.success(ticket)
      this.#isFailing = false
      this.#observe('ok')
      if (ticket === 'probe') this.#tellRecovered()
      return { kind: 'done', value }
    } catch (error) {
      return this.#fail(ticket, call, true, 'ERROR', messageOf(error))
    }
  }

  #observe(status: RunStatus): void {
    this.#options.observe?.(status)
  }

  #tellRecovered(): void {
    const { log, name, plugin, what } = this.#options
    log.info({ plugin, [what]: name }, `${a(what)} that was paused runs again`)
  }

  #fail(
    ticket: BreakerTicket,
    { requestId }: FunctionCall,
    isFault: boolean,
    code: string,
    error: string,
  ): { readonly kind: 'unavailable' } {
    if (!this.#isFailing) {
      this.#isFailing = true
      const { log, name, plugin, what } = this.#options
      const fields = { plugin, [what]: name, request_id: requestId, code, error }
      log.warn(fields, `${a(what)} failed; further failures in a row are not told one by one`)
    }
    this.#observe(code === 'TIMEOUT' ? 'timeout' : 'failed')
    if (isFault) this.#breaker.failure(ticket)
    else this.#breaker.neutral(ticket)
    return { kind: 'unavailable' }
  }

  /** Never rejects: what goes wrong on the way is an outcome too. */
  #call({ payload, body = '', requestId }: FunctionCall): Promise<CallOutcome> {
    const { generation, kind, timeoutMs, operationsMax } = this.#options
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
          payload,
          body,
          requestId,
          timeoutMs,
          operationsMax,
          // Everybody waits for it: routes of its plugin must not keep it from running.
          reserved: true,
        } as const
        generation.call(call).then(settle, lose)
      } catch (error) {
        lose(error)
      }
    })
  }
}

function a(what: string): string {
  return `${/^[aeiou]/.test(what) ? 'an' : 'a'} ${what}`
}
