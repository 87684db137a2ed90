import { Deferred } from '../base/deferred.js'
import type { ExecutorOutbox } from './executor-outbox.js'
import type { HostAsk } from './generation.js'
import { LuaRaise } from './lua-value.js'

/** What suspended calls of this thread have asked the host and wait for. */
export class Questions {
  readonly #outbox: ExecutorOutbox
  readonly #open = new Map<number, Deferred<unknown>>()
  #asked = 0

  constructor(outbox: ExecutorOutbox) {
    this.#outbox = outbox
  }

  /** Resolves to the host's answer; rejects with a `LuaRaise` when the host refuses. */
  ask(ask: HostAsk): Promise<unknown> {
    this.#asked += 1
    const answer = new Deferred<unknown>()
    this.#open.set(this.#asked, answer)
    this.#outbox.ask(this.#asked, ask)
    return answer.promise
  }

  /** To be told each answer of the host, which answers everything, also what nobody waits for any more. */
  answered(question: number, ok: boolean, value: unknown): void {
    const answer = this.#open.get(question)
    this.#open.delete(question)
    if (ok) answer?.resolve(value)
    else answer?.reject(new LuaRaise(String(value)))
  }
}
