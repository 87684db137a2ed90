import { stageLimits } from '../../base/limits/gateway.js'
import { encodeStageCall, type SeenAnswer } from '../../capabilities/gateway/wire.js'
import type { Exchange } from '../../gateway/exchange.js'
import type { Generation } from '../../sandbox/generation.js'
import {
  type FunctionBreakerOptions,
  type FunctionRun,
  FunctionRunner,
  type RunStatus,
} from '../function-runner.js'
import type { PluginLog } from '../plugin-log.js'

/** One run of a stage, or of a function for keys. */
export interface ObservedStage {
  readonly plugin: string
  readonly stage: string
  readonly status: RunStatus
}

export interface StageRunnerOptions {
  readonly plugin: string
  readonly generation: Generation
  /** Name of the registration. */
  readonly name: string
  /** Name of the call kind. */
  readonly kind: string
  readonly timeoutMs: number
  readonly breaker: FunctionBreakerOptions
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

/** Runs one stage, or one function for keys, of one generation. Never rejects. */
export class StageRunner {
  readonly generation: Generation
  /** Time of one call. */
  readonly timeoutMs: number
  readonly #name: string
  readonly #runner: FunctionRunner

  constructor({ observe, ...options }: StageRunnerOptions) {
    const { generation, name: stage, plugin, timeoutMs } = options
    this.generation = generation
    this.timeoutMs = timeoutMs
    this.#name = stage
    this.#runner = new FunctionRunner({
      ...options,
      what: 'stage',
      operationsMax: stageLimits.operationsMax,
      observe: (status) => observe?.({ plugin, stage, status }),
    })
  }

  /** What operators see of it. */
  describe(): Readonly<Record<string, unknown>> {
    return this.#runner.describe()
  }

  /** True from when it has failed too often until a run succeeds again. */
  get isPaused(): boolean {
    return this.#runner.isPaused
  }

  /** Ends its service; runs that have begun go on. */
  retire(): void {
    this.#runner.retire()
  }

  /** @param use See `FunctionRunner.run`. */
  run<Value>(
    { exchange, answer, body = '' }: StageInput,
    use: (result: readonly unknown[]) => Value,
  ): Promise<FunctionRun<Value>> {
    const requestId = exchange.request.id
    return this.#runner.run({ payload: payloadOf(this.#name, exchange, answer), body, requestId }, use)
  }
}

function payloadOf(name: string, exchange: Exchange, answer: SeenAnswer | undefined): string {
  const request = {
    routeKey: name,
    method: exchange.method,
    path: exchange.path,
    query: exchange.query,
    rawHeaders: exchange.credentials.strip(exchange.request.raw.rawHeaders),
    params: {},
    clientIp: exchange.ip,
    user: exchange.user,
  }
  return encodeStageCall(answer === undefined ? { request } : { request, answer })
}
