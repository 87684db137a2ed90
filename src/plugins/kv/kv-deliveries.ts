import { kvDeliveryLimits } from '../../base/limits/kv.js'
import type { QueueStore } from '../../kv/queue-store.js'
import type { TriggerStore } from '../../kv/trigger-store.js'
import type { PluginDirectory } from '../plugin-directory.js'
import type { PluginLog } from '../plugin-log.js'
import type { ServiceFollower } from '../service-follower.js'
import { ListenerBreakers } from './listener-breakers.js'
import { ListenerIndex } from './listener-index.js'
import { type MessageSample, MessageWorker } from './message-worker.js'
import { TriggerFollower } from './trigger-follower.js'

export interface KvDeliveriesOptions {
  /** The plugins; asked only after `start()`. */
  readonly directory: () => PluginDirectory
  /** On a connection of this thread whose busy timeout is 0. */
  readonly queues: QueueStore
  readonly triggers: TriggerStore
  /** Has a function called after commits of any thread; gives how to end that. See `CommitSignal.listen`. */
  readonly onCommit: (listener: () => void) => () => void
  /** Functions of all plugins that run at once. */
  readonly concurrentMax: number
  /** Milliseconds of one function. */
  readonly timeoutMs: number
  readonly log: PluginLog
  /** Hears of every message that a function was called with. */
  readonly observe?: ((sample: MessageSample) => void) | undefined
  /** Milliseconds since 1970 that never go back. */
  readonly now: () => number
  /** When functions that fail are spared; the values of `kvDeliveryLimits` when missing. */
  readonly breaker?: { readonly failuresMax: number; readonly pauseMs: number }
}

/** Brings the messages and changes of the key-value store to the functions of plugins. */
export class KvDeliveries {
  readonly #options: KvDeliveriesOptions
  readonly #follower: TriggerFollower
  #worker: MessageWorker | undefined
  #unfollow: (() => void) | undefined

  constructor(options: KvDeliveriesOptions) {
    this.#options = options
    const { triggers: store, log, now } = options
    this.#follower = new TriggerFollower({ store, log, now, changed: () => this.#worker?.wake() })
  }

  /** For the plugin manager: keeps the triggers of plugins in line with what they registered. */
  get follower(): ServiceFollower {
    return this.#follower
  }

  /** Begins to bring messages, also those that an earlier process has left. */
  start(): void {
    if (this.#worker !== undefined) return
    const worker = this.#createWorker()
    this.#worker = worker
    this.#unfollow = this.#options.onCommit(() => worker.committed())
    worker.start()
  }

  /** Takes no further messages and waits for those that are being worked on; what waits stays for the next start. */
  async close(): Promise<void> {
    this.#unfollow?.()
    await this.#worker?.stop()
  }

  #createWorker(): MessageWorker {
    const { directory, log, breaker, observe, ...options } = this.#options
    return new MessageWorker({
      ...options,
      index: new ListenerIndex(directory()),
      breakers: new ListenerBreakers({
        failuresMax: breaker?.failuresMax ?? kvDeliveryLimits.failuresMax,
        pauseMs: breaker?.pauseMs ?? kvDeliveryLimits.breakerPauseMs,
        onTrip: ({ plugin, queue }, failures) =>
          log.error(
            { plugin, queue, failures },
            'a function failed too often and gets no messages for a while',
          ),
      }),
      log,
      observe: observe ?? (() => undefined),
      polled: () => void this.#follower.retry(),
    })
  }
}
