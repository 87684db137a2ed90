import { setImmediate as nextTurn } from 'node:timers/promises'
import { messageOf } from '../../base/errors.js'
import { kvDeliveryLimits } from '../../base/limits/kv.js'
import { retryWhileBusy } from '../../database/busy-retry.js'
import { isBusy } from '../../database/sqlite.js'
import type { QueueStore, StoredMessage } from '../../kv/queue-store.js'
import type { TriggerStore } from '../../kv/trigger-store.js'
import type { PluginLog } from '../plugin-log.js'
import { WorkLoop } from '../work-loop.js'
import type { ListenerBreakers } from './listener-breakers.js'
import type { Listener, ListenerIndex } from './listener-index.js'
import { callListener, type MessageOutcome } from './message-caller.js'

/** One message that a function was called with, for metrics. */
export interface MessageSample {
  readonly plugin: string
  readonly queue: string
  /** `dead` when it failed for the last time. */
  readonly status: 'ok' | 'failed' | 'timeout' | 'dead'
  readonly durationMs: number
  /** Time from when the message was due to this call; undefined at its second try and later. */
  readonly lagMs: number | undefined
}

export interface MessageWorkerOptions {
  readonly queues: QueueStore
  readonly triggers: Pick<TriggerStore, 'busyNamespaces'>
  readonly index: ListenerIndex
  readonly breakers: ListenerBreakers
  /** Functions of all plugins that run at once. */
  readonly concurrentMax: number
  /** Time of one function. */
  readonly timeoutMs: number
  readonly log: PluginLog
  readonly observe: (sample: MessageSample) => void
  /** Is told now and then, for what could not be done earlier. */
  polled(): void
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/**
 * Brings messages and changes to the functions of plugins:
 *
 *   waiting ──taken──▶ leased ──worked off──▶ (removed)
 *      ▲                 │ │
 *      └──not called─────┘ └──failed──▶ waiting for its next try, or dead
 *
 * A message is leased for longer than its function may run. When the process ends under it, another takes it then.
 */
export class MessageWorker {
  readonly #options: MessageWorkerOptions
  readonly #loop: WorkLoop
  /** Functions that get nothing until a time of `performance.now()`, because nothing could be handed over. */
  readonly #pausedUntilMs = new Map<string, number>()

  constructor(options: MessageWorkerOptions) {
    this.#options = options
    this.#loop = new WorkLoop({
      concurrentMax: options.concurrentMax,
      pollMs: kvDeliveryLimits.pollMs,
      pauseMs: kvDeliveryLimits.lookPauseMs,
      take: () => this.#takeAll(),
      polled: () => options.polled(),
      failed: (error) =>
        options.log.warn({ error: messageOf(error) }, 'messages for plugins could not be taken'),
    })
  }

  /** Begins to take messages. */
  start(): void {
    this.#loop.start()
  }

  /** Looks for messages soon; many calls are one look. To be called after each commit. */
  committed(): void {
    this.#loop.soon()
  }

  /** Looks for messages, now or when the look under way has ended. */
  wake(): void {
    this.#loop.wake()
  }

  /** Takes no further messages and waits for those that are being worked on. */
  stop(): Promise<void> {
    return this.#loop.stop()
  }

  async #takeAll(): Promise<void> {
    const listeners = this.#options.index.approved()
    if (listeners.length === 0) return
    const busy = new Set(await retryWhileBusy(() => this.#options.triggers.busyNamespaces()))
    for (const listener of this.#loop.inTurn(listeners)) {
      if (this.#loop.isStopped) return
      if (busy.has(listener.namespace)) await this.#takeFor(listener)
    }
  }

  async #takeFor(listener: Listener): Promise<void> {
    const nowMs = performance.now()
    const pausedUntilMs = Math.max(
      this.#pausedUntilMs.get(nameOf(listener)) ?? 0,
      this.#options.breakers.openUntilMs(listener, nowMs) ?? 0,
    )
    if (pausedUntilMs > nowMs) {
      this.#loop.within(pausedUntilMs - nowMs)
      return
    }
    this.#pausedUntilMs.delete(nameOf(listener))
    const free = Math.min(this.#freeFor(listener), kvDeliveryLimits.takenMax)
    if (free <= 0) return
    const taken: StoredMessage[] = []
    const dueAtMs = await retryWhileBusy(() => this.#take(listener, free, taken))
    for (const message of taken) this.#begin(listener, message)
    if (taken.length === kvDeliveryLimits.takenMax) this.#loop.again()
    if (dueAtMs !== undefined) this.#lookAt(dueAtMs)
    // What is passed over is done without a call, and would follow at a stretch, with no request in between.
    if (taken.length > 0) await nextTurn()
  }

  /** @param dueAtMs Is past when so many messages had no tries left that more of them were not looked at. */
  #lookAt(dueAtMs: number): void {
    const pauseMs = dueAtMs - this.#options.now()
    if (pauseMs <= 0) this.#loop.again()
    else this.#loop.within(pauseMs)
  }

  /**
   * Takes messages, which are in `taken` also when it throws.
   *
   * @returns When the next one is due, where there were fewer than could have been taken.
   */
  #take({ namespace, queue }: Listener, count: number, taken: StoredMessage[]): number | undefined {
    const { queues, now, timeoutMs } = this.#options
    try {
      while (taken.length < count) {
        const message = queues.dequeue(namespace, queue, timeoutMs + kvDeliveryLimits.leaseMs, now())
        if (message === undefined) return queues.nextDueAt(namespace, queue)
        taken.push(message)
      }
    } catch (error) {
      // What is taken already is not left to wait for the lock.
      if (!isBusy(error) || taken.length === 0) throw error
      this.#loop.again()
    }
    return undefined
  }

  /** A plugin gets half of its VMs for messages, so that they neither stop its routes nor take all the turns. */
  #freeFor(listener: Listener): number {
    const { breakers } = this.#options
    const { plugin, generation } = listener
    const share = Math.ceil(generation.status().vmsTotal / 2)
    return Math.min(
      this.#loop.free,
      share - this.#loop.running(plugin),
      breakers.concurrencyOf(listener, performance.now()) - this.#loop.running(nameOf(listener)),
    )
  }

  #begin(listener: Listener, message: StoredMessage): void {
    this.#loop.run([listener.plugin, nameOf(listener)], () =>
      this.#deliver(listener, message).catch((error) => {
        // Nothing is lost: it is taken again when its lease is over.
        const fields = { ...factsOf(listener, message), error: messageOf(error) }
        this.#options.log.warn(fields, 'the state of a message could not be stored')
      }),
    )
  }

  async #deliver(listener: Listener, message: StoredMessage): Promise<void> {
    const lagMs = message.attempts > 1 ? undefined : Math.max(this.#options.now() - message.dueAt, 0)
    const startedMs = performance.now()
    const outcome = await callListener(listener, message, this.#options.timeoutMs)
    const durationMs = performance.now() - startedMs
    if (outcome.kind === 'not-run') return this.#putBack(listener, message)
    if (outcome.kind === 'failed') return this.#failed(listener, message, outcome, { durationMs, lagMs })
    if (outcome.kind === 'done') {
      this.#options.breakers.succeeded(listener)
      this.#note(listener, 'ok', { durationMs, lagMs })
    }
    await this.#settle(listener, message, 'ack')
  }

  async #failed(
    listener: Listener,
    message: StoredMessage,
    { problem, isTimeout }: Extract<MessageOutcome, { kind: 'failed' }>,
    times: Pick<MessageSample, 'durationMs' | 'lagMs'>,
  ): Promise<void> {
    const { breakers, log } = this.#options
    breakers.failed(listener, performance.now())
    this.#note(listener, message.isLastTry ? 'dead' : isTimeout ? 'timeout' : 'failed', times)
    const fields = { ...factsOf(listener, message), error: problem }
    if (message.isLastTry) log.error(fields, 'a message was given up; it is a dead letter of its queue')
    else log.warn(fields, 'a message failed and is tried again')
    await this.#settle(listener, message, 'nack', problem)
  }

  /** Puts back what was not tried, in the place that it had. */
  async #putBack(listener: Listener, message: StoredMessage): Promise<void> {
    if (this.#options.index.isCurrent(listener)) {
      this.#pausedUntilMs.set(nameOf(listener), performance.now() + kvDeliveryLimits.busyPauseMs)
    }
    await this.#settle(listener, message, 'release')
  }

  async #settle(
    listener: Listener,
    message: StoredMessage,
    step: 'ack' | 'nack' | 'release',
    problem = '',
  ): Promise<void> {
    const { queues, now, log } = this.#options
    const { namespace } = listener
    const isStored = await retryWhileBusy(() => {
      if (step === 'nack') return queues.nack(namespace, message, problem, now())
      return queues[step](namespace, message, now())
    })
    if (!isStored) log.warn(factsOf(listener, message), 'the lease of a message ended under its function')
  }

  #note(
    { plugin, queue }: Listener,
    status: MessageSample['status'],
    times: Pick<MessageSample, 'durationMs' | 'lagMs'>,
  ): void {
    this.#options.observe({ plugin, queue, status, ...times })
  }
}

function nameOf({ plugin, queue }: Listener): string {
  return `${plugin} ${queue}`
}

function factsOf({ plugin, queue }: Listener, { id, attempts }: StoredMessage): Record<string, unknown> {
  return { plugin, queue, message: id, attempts }
}
