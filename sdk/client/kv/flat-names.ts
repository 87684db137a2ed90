import type { KvDuration } from './duration.js'
import type { KvListenOptions, KvMessageHandler } from './listen.js'
import type { KvQueues } from './queues.js'
import type { KvSearch } from './search.js'
import type {
  KvDeadLetter,
  KvDeadLetterOptions,
  KvEnqueueOptions,
  KvIndex,
  KvIndexOptions,
  KvLease,
  KvQueueStats,
  KvSubscription,
} from './types.js'
import type { KvKey, KvValue } from './value.js'

/** Dead letters under short names. */
export interface KvDlq {
  list(options?: KvDeadLetterOptions): Promise<readonly KvDeadLetter[]>
  get(id: string): Promise<KvDeadLetter | undefined>
  requeue(id: string): Promise<{ readonly newId: string } | undefined>
  delete(id: string): Promise<boolean>
  purge(queue?: string): Promise<number>
}

/** Members of `queues` and `search` under the names that they have in flat clients; there is nothing behind them. */
export abstract class FlatNames {
  abstract readonly queues: KvQueues
  abstract readonly search: KvSearch

  /** As `queues.enqueue`. */
  enqueue(value: KvValue, options?: KvEnqueueOptions): Promise<{ readonly ok: true; readonly id: string }> {
    return this.queues.enqueue(value, options)
  }

  /** As `queues.listen`. */
  listenQueue(handler: KvMessageHandler, options?: KvListenOptions): KvSubscription {
    return this.queues.listen(handler, options)
  }

  /** As `queues.ack`. */
  ackMessage(message: KvLease): Promise<boolean> {
    return this.queues.ack(message)
  }

  /** As `queues.nack`. */
  nackMessage(message: KvLease, error?: string): Promise<boolean> {
    return this.queues.nack(message, error)
  }

  /** As `queues.extend`. */
  extendMessage(message: KvLease, duration?: KvDuration): Promise<boolean> {
    return this.queues.extend(message, duration)
  }

  /** As `queues.stats`. */
  queueStats(queue?: string): Promise<KvQueueStats> {
    return this.queues.stats(queue)
  }

  /** The members of `queues` for dead letters. */
  get dlq(): KvDlq {
    const { queues } = this
    return {
      list: (options) => queues.deadLetters(options),
      get: (id) => queues.deadLetter(id),
      requeue: (id) => queues.requeue(id),
      delete: (id) => queues.deleteDeadLetter(id),
      purge: (queue) => queues.purgeDeadLetters(queue),
    }
  }

  /** As `search.createIndex`. */
  createIndex(prefix: KvKey, options: KvIndexOptions): Promise<void> {
    return this.search.createIndex(prefix, options)
  }

  /** As `search.removeIndex`. */
  removeIndex(prefix: KvKey): Promise<boolean> {
    return this.search.removeIndex(prefix)
  }

  /** As `search.indexes`. */
  listIndexes(): Promise<readonly KvIndex[]> {
    return this.search.indexes()
  }
}
