import { ClientError } from '../client-error.js'
import { type ApiRequest, type KvApi, numberOf, textOf } from './api.js'
import { type KvDuration, optionalMilliseconds } from './duration.js'
import { type KvListenOptions, type KvMessageHandler, listenToQueue, pollMessages } from './listen.js'
import { checkOptions, wholeNumber } from './options.js'
import { deadLetterFromWire, enqueueOptionsToWire, messageFromWire, statsFromWire } from './queue-messages.js'
import { subscribe } from './subscription.js'
import type {
  KvDeadLetter,
  KvDeadLetterOptions,
  KvEnqueueOptions,
  KvLease,
  KvMessage,
  KvQueueStats,
  KvSubscription,
} from './types.js'
import type { KvValue } from './value.js'
import { toWire, type Wire } from './wire.js'

/** Queues of a namespace. A message is given out at least once, and again when its lease ends without an answer. */
export class KvQueues {
  readonly #api: KvApi

  constructor(api: KvApi) {
    this.#api = api
  }

  async enqueue(
    value: KvValue,
    options: KvEnqueueOptions = {},
  ): Promise<{ readonly ok: true; readonly id: string }> {
    const body = { value: toWire(value), options: enqueueOptionsToWire(options) }
    const { id } = await this.#api.object({ method: 'POST', path: '/queue/enqueue', body })
    return { ok: true, id: textOf(id, 'id') }
  }

  /** Takes the message that has been due for longest; undefined when none is. `lease` is the time that it is kept. */
  async dequeue(
    options: { readonly queue?: string; readonly lease?: KvDuration } = {},
  ): Promise<KvMessage | undefined> {
    checkOptions(options, 'dequeue', ['queue', 'lease'])
    const query = { queue: options.queue, lease: optionalMilliseconds(options.lease, 'lease') }
    const { message } = await this.#api.object({ method: 'GET', path: '/queue/poll', query })
    return message === null ? undefined : messageFromWire(message)
  }

  /**
   * Waits until a message is due and takes it, asking again and again; undefined once the signal is aborted. A message
   * that was taken before the signal was noticed is given out all the same.
   */
  async next(options: {
    readonly queue?: string
    readonly lease?: KvDuration
    readonly signal: AbortSignal
  }): Promise<KvMessage | undefined> {
    for await (const message of pollMessages(this.#api, options, options.signal)) return message
    return undefined
  }

  /** Ends a message. False when its lease has ended or it is not there. */
  ack({ id, lease }: KvLease): Promise<boolean> {
    return this.#answer('/queue/ack', { id, lease })
  }

  /** Gives a message back: it is tried again after its pause, or is dead. False as for `ack`. */
  nack({ id, lease }: KvLease, error?: string): Promise<boolean> {
    return this.#answer('/queue/nack', { id, lease, error })
  }

  /** Lets the lease end this long from now. False as for `ack`. */
  extend({ id, lease }: KvLease, duration?: KvDuration): Promise<boolean> {
    return this.#answer('/queue/extend', { id, lease, duration: optionalMilliseconds(duration, 'duration') })
  }

  /** Gives messages to a handler as they are due, until it is stopped; see `KvListenOptions`. */
  listen(handler: KvMessageHandler, options: KvListenOptions = {}): KvSubscription {
    const run = (signal: AbortSignal) => listenToQueue(this.#api, this, handler, options, signal)
    return subscribe(run, options.signal, options.onError)
  }

  /** Of one queue, or of all of the namespace when it is missing. */
  async stats(queue?: string): Promise<KvQueueStats> {
    return statsFromWire(await this.#api.object({ method: 'GET', path: '/queue/stats', query: { queue } }))
  }

  /** Newest failure first. */
  async deadLetters(options: KvDeadLetterOptions = {}): Promise<readonly KvDeadLetter[]> {
    checkOptions(options, 'deadLetters', ['queue', 'limit', 'offset'])
    const { queue, limit, offset } = options
    wholeNumber(limit, 'limit')
    wholeNumber(offset, 'offset', 0)
    const letters = await this.#api.array({
      method: 'GET',
      path: '/queue/dlq',
      query: { queue, limit, offset },
    })
    return letters.map(deadLetterFromWire)
  }

  /** Undefined when it is not there. */
  async deadLetter(id: string): Promise<KvDeadLetter | undefined> {
    if (!isId(id)) return undefined
    const letter = await this.#find({ method: 'GET', path: pathOf(id) })
    return letter === undefined ? undefined : deadLetterFromWire(letter)
  }

  /** Puts a dead letter back into its queue, with all its tries; undefined when it is not there. */
  async requeue(id: string): Promise<{ readonly newId: string } | undefined> {
    if (!isId(id)) return undefined
    const answer = await this.#find({ method: 'POST', path: `${pathOf(id)}/requeue` })
    return answer === undefined ? undefined : { newId: textOf(answer.newId, 'newId') }
  }

  /** False when it is not there. */
  async deleteDeadLetter(id: string): Promise<boolean> {
    if (!isId(id)) return false
    const { deletedCount } = await this.#api.object({ method: 'DELETE', path: pathOf(id) })
    return numberOf(deletedCount, 'deletedCount') > 0
  }

  /** @returns How many were deleted, of one queue or of all. */
  async purgeDeadLetters(queue?: string): Promise<number> {
    const answer = await this.#api.object({ method: 'DELETE', path: '/queue/dlq', query: { queue } })
    return numberOf(answer.deletedCount, 'deletedCount')
  }

  async #answer(path: string, body: KvLease & Readonly<Record<string, Wire>>): Promise<boolean> {
    if (!isId(body.id)) return false
    const { ok } = await this.#api.object({ method: 'POST', path, body })
    return ok === true
  }

  async #find(request: ApiRequest): Promise<Readonly<Record<string, Wire>> | undefined> {
    try {
      return await this.#api.object(request)
    } catch (thrown) {
      if (thrown instanceof ClientError && thrown.code === 'KV_DEAD_LETTER_NOT_FOUND') return undefined
      throw thrown
    }
  }
}

/** No message has another id; what is a path of its own, such as `..`, must not become a part of one. */
function isId(id: string): boolean {
  return /^[\w-]+$/.test(id)
}

function pathOf(id: string): string {
  return `/queue/dlq/${encodeURIComponent(id)}`
}
