import { retryWhileBusy } from '../../database/busy-retry.js'
import type { KvDeadLetter, KvEnqueueOptions, KvMessage, KvQueueStats, KvQueues } from '../kv.js'
import { checkOptions, invalid, readText, show } from '../options.js'
import {
  anyQueueName,
  deadLetterQuery,
  encodeMessage,
  enqueueOptionNames,
  leaseLength,
  messageId,
  queueName,
} from '../queue-options.js'
import type { QueueStore, Receipt, StoredDeadLetter, StoredMessage } from '../queue-store.js'
import { decodeValue } from '../stored-value.js'
import type { KvValue } from '../value.js'
import type { Submit } from './atomic.js'
import type { QueueWaits } from './queue-waits.js'
import type { Turn } from './turn.js'

/** What the queues of a namespace act on. */
export interface QueueDoors {
  readonly namespace: string
  readonly store: QueueStore
  readonly waits: QueueWaits
  readonly submit: Submit
  readonly turn: Turn
  readonly clock: () => number
  /** Throws `KV_CLOSED` once the store is closed. */
  readonly assertOpen: () => void
}

type Held = Pick<KvMessage, 'id' | 'lease'>

/** The queues of one namespace on the HTTP thread: a locked file is tried again on a timer. */
export class NamespaceQueues implements KvQueues {
  readonly #doors: QueueDoors

  constructor(doors: QueueDoors) {
    this.#doors = doors
  }

  async enqueue(
    value: KvValue,
    options?: KvEnqueueOptions,
  ): Promise<{ readonly ok: true; readonly id: string }> {
    checkOptions(options, 'enqueue', enqueueOptionNames)
    const message = encodeMessage(value, options ?? {}, this.#doors.clock())
    const { messageIds } = await this.#doors.submit(
      { checks: [], mutations: [{ type: 'enqueue', message }] },
      message.value.bytes,
    )
    return { ok: true, id: String(messageIds[0]) }
  }

  async dequeue(options?: {
    readonly queue?: string
    readonly lease?: number
  }): Promise<KvMessage | undefined> {
    checkOptions(options, 'dequeue', ['queue', 'lease'])
    const queue = queueName(options?.queue)
    const leaseMs = leaseLength(options?.lease)
    const message = await this.#run((store, namespace, nowMs) =>
      store.dequeue(namespace, queue, leaseMs, nowMs),
    )
    return message && toMessage(message)
  }

  async next(options: {
    readonly queue?: string
    readonly lease?: number
    readonly signal: AbortSignal
  }): Promise<KvMessage | undefined> {
    checkOptions(options, 'next', ['queue', 'lease', 'signal'])
    const { signal, ...wanted } = options
    if (!(signal instanceof AbortSignal)) {
      throw invalid(`The option "signal" is ${show(signal)}; it must be an AbortSignal.`)
    }
    const { waits, namespace } = this.#doors
    while (!signal.aborted) {
      const message = await this.dequeue(wanted)
      if (message !== undefined) return message
      await waits.wait(namespace, queueName(wanted.queue), signal)
    }
    return undefined
  }

  async ack(message: Held): Promise<boolean> {
    const receipt = readReceipt(message)
    return this.#run((store, namespace, nowMs) => store.ack(namespace, receipt, nowMs))
  }

  async nack(message: Held, error?: string): Promise<boolean> {
    const receipt = readReceipt(message)
    const reason = readText(error, 'error', '')
    return this.#run((store, namespace, nowMs) => store.nack(namespace, receipt, reason, nowMs))
  }

  async extend(message: Held, lease?: number): Promise<boolean> {
    const receipt = readReceipt(message)
    const leaseMs = leaseLength(lease)
    return this.#run((store, namespace, nowMs) => store.extend(namespace, receipt, leaseMs, nowMs))
  }

  async stats(queue?: string): Promise<KvQueueStats> {
    const name = readQueue(queue)
    const { pending, processing, dead } = await this.#run((store, namespace, nowMs) =>
      store.queueCounts(namespace, name, nowMs),
    )
    return { pending, processing, dlq: dead, total: pending + processing + dead }
  }

  async deadLetters(options?: {
    readonly queue?: string
    readonly limit?: number
    readonly offset?: number
  }): Promise<readonly KvDeadLetter[]> {
    checkOptions(options, 'deadLetters', ['queue', 'limit', 'offset'])
    const query = deadLetterQuery(options)
    const letters = await this.#run((store, namespace) => store.deadLetters(namespace, query))
    return letters.map(toDeadLetter)
  }

  async deadLetter(id: string): Promise<KvDeadLetter | undefined> {
    const number = readId(id)
    const letter = await this.#run((store, namespace) => store.deadLetter(namespace, number))
    return letter && toDeadLetter(letter)
  }

  async requeue(id: string): Promise<{ readonly newId: string } | undefined> {
    const number = readId(id)
    const newId = await this.#run((store, namespace, nowMs) => store.requeue(namespace, number, nowMs))
    return newId === undefined ? undefined : { newId: String(newId) }
  }

  async deleteDeadLetter(id: string): Promise<boolean> {
    const number = readId(id)
    return this.#run((store, namespace) => store.deleteDeadLetter(namespace, number))
  }

  async purgeDeadLetters(queue?: string): Promise<number> {
    const name = readQueue(queue)
    let total = 0
    for (;;) {
      const count = await this.#run((store, namespace) => store.purgeDeadLetters(namespace, name))
      if (count === 0) return total
      total += count
      await this.#doors.turn.next()
    }
  }

  async #run<T>(work: (store: QueueStore, namespace: string, nowMs: number) => T): Promise<T> {
    const { store, namespace, clock, turn, assertOpen } = this.#doors
    turn.begin()
    const result = await retryWhileBusy(() => {
      assertOpen()
      return work(store, namespace, clock())
    })
    if (turn.isOver()) await turn.next()
    return result
  }
}

function readQueue(queue: string | undefined): string | undefined {
  return queue === undefined ? undefined : anyQueueName(queue)
}

function readReceipt(message: Held): Receipt {
  const { id, lease } = (message ?? {}) as Partial<Held>
  if (typeof lease !== 'string') {
    throw invalid(`The option "lease" is ${show(lease)}; it must be the text that the message has.`)
  }
  return { id: readId(id), lease }
}

function readId(id: unknown): number {
  if (typeof id === 'string') return messageId(id)
  throw invalid(`The option "id" is ${show(id)}; it must be the text that the message has.`)
}

function toMessage({ id, queue, attempts, lease, leasedUntil, ...value }: StoredMessage): KvMessage {
  return { id: String(id), queue, value: decodeValue(value), attempts, lease, leasedUntil }
}

function toDeadLetter(letter: StoredDeadLetter): KvDeadLetter {
  return {
    id: String(letter.id),
    originalId: String(letter.messageId),
    queue: letter.queue,
    value: decodeValue(letter),
    errorMessage: letter.error,
    attempts: letter.attempts,
    originalCreatedAt: letter.createdAt,
    failedAt: letter.failedAt,
  }
}
