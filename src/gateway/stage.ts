import type { Readable } from 'node:stream'
import type { Exchange } from './exchange.js'
import type { OutgoingAnswer } from './outgoing-answer.js'

/** An answer that a stage gives in the place of what is behind it. */
export interface StageAnswer {
  readonly status: number
  /** Name, value, name, value. */
  readonly headers: readonly string[]
  readonly body: string | Uint8Array | Readable | undefined
}

/**
 * What a request stage decides: `undefined` lets the request go on (as it is, or as the stage has changed it by
 * methods of the exchange), an answer ends it, and `handled` says that the stage answers by itself, now or later.
 */
export type StageVerdict = StageAnswer | 'handled' | undefined

/** How a request ended. */
export interface Finish {
  /** 499 when the client went away before the head of an answer was sent. */
  readonly status: number
  readonly durationMs: number
}

/**
 * One step of the chain in front of everything that the host serves. Request functions run by ascending priority
 * until one answers; answer functions run in the reverse order, for every answer, whoever gave it. What a function
 * throws ends the request with 503.
 */
export interface Stage {
  /** Unique; what `after` and `before` of other stages name. */
  readonly name: string
  /** Lower ones see requests earlier and answers later; see `stagePriorities`. */
  readonly priority: number
  /** Stages that must come earlier whatever the priorities say; names of absent stages mean nothing. */
  readonly after?: readonly string[]
  /** Stages that must come later. */
  readonly before?: readonly string[]
  /** What operators see of it beside name and priority, e.g. paths and the state of a breaker. */
  describe?(): Readonly<Record<string, unknown>>
  onRequest?(exchange: Exchange): StageVerdict | Promise<StageVerdict>
  /**
   * Is asked after `onRequest` about a request that a stage behind has given another target: who guards that target, and
   * was not concerned before, decides now. Each change of the target asks again.
   */
  onRewritten?(exchange: Exchange): StageVerdict | Promise<StageVerdict>
  /** Sees the head and, where it is in memory, the body of an answer before it is sent, and may change both. */
  onAnswer?(exchange: Exchange, answer: OutgoingAnswer): void | Promise<void>
  /** Is told once of each request when its answer has been sent or its client has gone. Must not throw. */
  onFinish?(exchange: Exchange, finish: Finish): void
}

/** The place of each stage of the host. */
export const stagePriorities = {
  metrics: 0,
  proxy: 5,
  /** Who sends the request. */
  authn: 10,
  gateway: 15,
  /** Whether they may. */
  authz: 20,
  /** Stages of plugins that name none. */
  plugin: 50,
} as const
