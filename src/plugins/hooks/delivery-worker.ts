import { messageOf } from '../../base/errors.js'
import { hookLimits } from '../../base/limits/hooks.js'
import type { CallFailure } from '../../sandbox/generation.js'
import type { PluginLog } from '../plugin-log.js'
import { WorkLoop } from '../work-loop.js'
import type { DeliveryStore, TakenDelivery } from './delivery-store.js'
import type { DeliverySweep } from './delivery-sweep.js'
import { type HookCaller, hookRequestId } from './hook-caller.js'
import { addMembers } from './hook-data.js'
import type { HookEntry, HookIndex } from './hook-index.js'

/** What after-hooks may use. */
export interface DeliveryLimits {
  /** After-hooks of all plugins that run at once. */
  readonly concurrentMax: number
  /** Time of one hook. */
  readonly timeoutMs: number
  /** Database operations of one hook. */
  readonly operationsMax: number
}

/** How failed deliveries are tried again; the values of `hookLimits` when missing. */
export interface DeliveryRetry {
  readonly attemptsMax: number
  /** Pause before the second try. */
  readonly pauseMs: number
  readonly pauseMsMax: number
}

export interface DeliveryWorkerOptions {
  readonly store: DeliveryStore
  readonly sweep: DeliverySweep
  readonly index: HookIndex
  readonly caller: HookCaller
  readonly limits: DeliveryLimits
  readonly retry: DeliveryRetry
  readonly log: PluginLog
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/**
 * Makes the deliveries of after-hooks:
 *
 *   pending ──take──▶ running ──made──▶ (removed)
 *      ▲                 │ │
 *      └──not made───────┘ └──too often──▶ dead
 *
 * A delivery is taken for a time. When the process ends under it, another takes it after that time.
 */
export class DeliveryWorker {
  readonly #options: DeliveryWorkerOptions
  readonly #loop: WorkLoop
  #sweptAtMs = 0

  constructor(options: DeliveryWorkerOptions) {
    this.#options = options
    this.#loop = new WorkLoop({
      concurrentMax: options.limits.concurrentMax,
      pollMs: hookLimits.deliveryPollMs,
      take: () => this.#takeAll(),
      rested: () => this.#sweepNowAndThen(),
      failed: (error) =>
        options.log.warn({ error: messageOf(error) }, 'deliveries of hooks could not be read'),
    })
  }

  /** Begins to make deliveries. */
  start(): void {
    this.#loop.start()
  }

  /** Looks for deliveries, now or when the look under way has ended. */
  wake(): void {
    this.#loop.wake()
  }

  /** Takes no further deliveries and waits for those that are being made. */
  stop(): Promise<void> {
    return this.#loop.stop()
  }

  async #takeAll(): Promise<void> {
    const { index, store } = this.#options
    const waiting = [...(await store.backlogs()).keys()].filter((plugin) => index.isRunning(plugin)).sort()
    for (const plugin of this.#loop.inTurn(waiting)) {
      const free = this.#freeFor(plugin)
      if (free <= 0 || this.#loop.isStopped) continue
      const untilMs = this.#options.now() + this.#options.limits.timeoutMs + hookLimits.deliveryLeaseMs
      for (const taken of await store.take(plugin, free, untilMs)) this.#begin(taken)
    }
  }

  /** A plugin gets half of its VMs for deliveries, so that they neither stop its routes nor take all the turns. */
  #freeFor(plugin: string): number {
    const share = Math.ceil(this.#options.index.vmsOf(plugin) / 2)
    return Math.min(this.#loop.free, share - this.#loop.running(plugin))
  }

  #begin(taken: TakenDelivery): void {
    const { plugin, id } = taken
    this.#loop.run([plugin], () =>
      this.#deliver(taken).catch((error) => {
        // Nothing is lost: it is taken again when its time is over.
        const fields = { plugin, delivery: id, error: messageOf(error) }
        this.#options.log.warn(fields, 'the state of a delivery could not be stored')
      }),
    )
  }

  async #deliver(taken: TakenDelivery): Promise<void> {
    const { caller, index, limits, store, retry } = this.#options
    const { event, hookTable, id, ordinal, plugin, attempts } = taken
    if (attempts > retry.attemptsMax) {
      await this.#bury(taken, 'the process ended each time while it was made')
      return
    }
    const entry = index.find(plugin, event, hookTable, ordinal)
    if (entry === undefined || !entry.isApproved) {
      await this.#refuse(taken, entry)
      return
    }
    const outcome = await caller.call(entry, {
      phase: 'after_hook',
      json: addMembers(taken.payload, { _delivery: String(id), _attempt: attempts }),
      requestId: hookRequestId(taken.requestId, taken.depth),
      timeoutMs: limits.timeoutMs,
      operationsMax: limits.operationsMax,
    })
    if (outcome.kind === 'done') await store.made(taken)
    else if (outcome.kind === 'not-run') await this.#postpone(taken, hookLimits.deliveryBusyPauseMs)
    else await this.#failed(taken, outcome.failure)
  }

  /** Deals with a delivery whose hook may not, or cannot, be called. */
  async #refuse(taken: TakenDelivery, entry: HookEntry | undefined): Promise<void> {
    if (entry !== undefined) await this.#postpone(taken, hookLimits.deliveryRefusedPauseMs)
    else if (this.#options.index.isRunning(taken.plugin)) {
      await this.#bury(taken, 'the plugin registers no such hook any more')
    } else await this.#postpone(taken, hookLimits.deliveryBusyPauseMs)
  }

  /** Puts back what was not tried. */
  async #postpone(taken: TakenDelivery, pauseMs: number): Promise<void> {
    const jittered = withJitter(pauseMs)
    await this.#options.store.postpone(taken, this.#options.now() + jittered, taken.attempts - 1)
    this.#loop.within(jittered)
  }

  async #failed(taken: TakenDelivery, { code, message }: CallFailure): Promise<void> {
    const { log, now, retry, store } = this.#options
    const error = `${code}: ${message}`
    if (taken.attempts >= retry.attemptsMax) {
      await this.#bury(taken, error)
      return
    }
    const pauseMs = withJitter(Math.min(retry.pauseMs * 2 ** (taken.attempts - 1), retry.pauseMsMax))
    await store.postpone(taken, now() + pauseMs, taken.attempts, error)
    log.warn({ ...factsOf(taken), error, retry_in_ms: pauseMs }, 'an after-hook failed and is tried again')
    this.#loop.within(pauseMs)
  }

  async #bury(taken: TakenDelivery, error: string): Promise<void> {
    await this.#options.store.bury(taken, error)
    this.#options.log.error({ ...factsOf(taken), error }, 'an after-hook was given up')
  }

  async #sweepNowAndThen(): Promise<void> {
    const nowMs = performance.now()
    if (this.#sweptAtMs > 0 && nowMs - this.#sweptAtMs < hookLimits.deliverySweepMs) return
    this.#sweptAtMs = nowMs
    const { expired, forgotten } = await this.#options.sweep.run()
    if (expired + forgotten > 0) {
      this.#options.log.warn({ expired, forgotten }, 'deliveries of hooks were too old')
      // A full batch may have left more behind.
      if (Math.max(expired, forgotten) >= hookLimits.deliverySweepRowsMax) this.#sweptAtMs = 0
    }
  }
}

/** Half of each pause is random, so that what failed together is not tried together. */
function withJitter(pauseMs: number): number {
  return Math.round(pauseMs * (0.5 + Math.random() / 2))
}

function factsOf({
  id,
  plugin,
  event,
  hookTable,
  attempts,
  requestId,
}: TakenDelivery): Record<string, unknown> {
  return { plugin, hook: `${event}:${hookTable}`, delivery: id, attempts, request_id: requestId }
}
