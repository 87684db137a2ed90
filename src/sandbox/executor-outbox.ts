import type { MessagePort } from 'node:worker_threads'
import { executorItem } from './protocol.js'

/**
 * Sends what an executor has to say, each item at once: the host reads several at a wake-up anyway, works on the first
 * while the executor is at the next, and no result waits behind a call that gets stuck.
 */
export class ExecutorOutbox {
  readonly #port: MessagePort

  constructor(port: MessagePort) {
    this.#port = port
  }

  done(claim: number, values: readonly unknown[]): void {
    this.#port.postMessage([executorItem.done, claim, values.length, ...values])
  }

  failed(claim: number, code: string, message: string): void {
    this.#port.postMessage([executorItem.failed, claim, code, message])
  }

  report(kind: string, plugin: string, generation: number, data: unknown): void {
    this.#port.postMessage([executorItem.report, kind, plugin, generation, data])
  }

  ready(threadId: number): void {
    this.#port.postMessage([executorItem.ready, threadId])
  }
}
