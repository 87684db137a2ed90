import type { MessagePort } from 'node:worker_threads'
import type { HostAsk } from './generation.js'
import { executorItem } from './protocol.js'

const itemsPerBatch = 4

/** Collects what an executor has to say and sends it in batches, so that the host wakes up once for several calls. */
export class ExecutorOutbox {
  readonly #port: MessagePort
  #batch: unknown[] = []
  #items = 0
  #generation = 0
  #isFlushing = false

  constructor(port: MessagePort) {
    this.#port = port
  }

  /**
   * Told before code of a generation runs. Results of another plugin never wait for it: should it get stuck, they
   * would be lost with the thread.
   */
  beforeRunning(generation: number): void {
    if (generation !== this.#generation) {
      this.#generation = generation
      this.flush()
    }
  }

  done(claim: number, values: readonly unknown[]): void {
    this.#batch.push(executorItem.done, claim, values.length, ...values)
    this.#added()
  }

  failed(claim: number, code: string, message: string): void {
    this.#batch.push(executorItem.failed, claim, code, message)
    this.#added()
  }

  report(kind: string, plugin: string, generation: number, data: unknown): void {
    this.#batch.push(executorItem.report, kind, plugin, generation, data)
    this.#added()
    this.#flushSoon()
  }

  /** Sent at once: a suspended call waits for the answer. */
  ask(question: number, ask: HostAsk): void {
    this.#batch.push(executorItem.ask, question, ask)
    this.flush()
  }

  ready(threadId: number): void {
    this.#batch.push(executorItem.ready, threadId)
    this.flush()
  }

  #added(): void {
    this.#items += 1
    if (this.#items >= itemsPerBatch) this.flush()
  }

  /** What is reported between calls, as by a timer, has no end of a call that sends it. */
  #flushSoon(): void {
    if (this.#isFlushing || this.#batch.length === 0) return
    this.#isFlushing = true
    setImmediate(() => {
      this.#isFlushing = false
      this.flush()
    })
  }

  flush(): void {
    if (this.#batch.length === 0) return
    const batch = this.#batch
    this.#batch = []
    this.#items = 0
    this.#port.postMessage(batch)
  }
}
