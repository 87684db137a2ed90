import type { Transaction } from 'kysely'
import { messageOf } from '../../base/errors.js'
import { hookLimits } from '../../base/limits/hooks.js'
import type { HookEvent } from '../../capabilities/hooks/events.js'
import type {
  HookContext,
  HookedRead,
  HookedWrite,
  HookRow,
  HookRunner,
  ReadVerdict,
  WriteEvent,
} from '../../content/hook-runner.js'
import type { CoreDatabase } from '../../database/database.js'
import type { CoreTables } from '../../database/tables.js'
import type { PluginDirectory } from '../plugin-directory.js'
import type { PluginLog } from '../plugin-log.js'
import { BeforeHooks, type SynchronousHookLimits, writeMembers } from './before-hooks.js'
import {
  type DeliveryFilter,
  DeliveryStore,
  type OwedDelivery,
  type StoredDelivery,
} from './delivery-store.js'
import { DeliverySweep } from './delivery-sweep.js'
import { type DeliveryRetry, DeliveryWorker } from './delivery-worker.js'
import { deliveryNotFound, deliveryRunning, hookDepthExceeded, hookNotFound } from './errors.js'
import type { HookAdministration, HookDeliveryListing, HookDeliveryPage } from './hook-administration.js'
import { type HookBreakerListing, HookBreakers, type HookReference } from './hook-breakers.js'
import { HookCaller, type HookObserver, plainRequestId } from './hook-caller.js'
import { encodeHookData } from './hook-data.js'
import { type HookApproval, type HookEntry, HookIndex } from './hook-index.js'
import { ReadHooks } from './read-hooks.js'

/** What hooks may use, and when one is switched off. */
export interface HookEngineLimits extends SynchronousHookLimits {
  /** Errors in a row that switch a hook off. */
  readonly failuresMax: number
  /** After-hooks of all plugins that run at once. */
  readonly concurrentAfterMax: number
  /** Time of one after-hook. */
  readonly afterTimeoutMs: number
}

export interface HookEngineOptions {
  readonly directory: PluginDirectory
  readonly database: CoreDatabase
  readonly limits: HookEngineLimits
  readonly log: PluginLog
  /** Which hooks may run; what the plugin's grants say when missing. Asked when a plugin or its grants change. */
  readonly isApproved?: HookApproval
  /** Hears of every hook that has run. */
  readonly observe?: HookObserver
  /** How failed deliveries are tried again, where it differs from `hookLimits`. */
  readonly retry?: Partial<DeliveryRetry>
  /** Milliseconds since 1970; the system's clock when missing. */
  readonly now?: () => number
}

/** Runs the hooks of all plugins: around writes and reads, and after writes from an outbox that outlives the process. */
export class HookEngine implements HookRunner, HookAdministration {
  readonly #log: PluginLog
  readonly #now: () => number
  readonly #index: HookIndex
  readonly #breakers: HookBreakers
  readonly #before: BeforeHooks
  readonly #reads: ReadHooks
  readonly #store: DeliveryStore
  readonly #worker: DeliveryWorker
  /** Plugins whose outbox is full, so that the log tells of it once. */
  readonly #full = new Set<string>()
  /** True from the time that deliveries are added until their transaction is said to be committed. */
  #owes = false

  constructor(options: HookEngineOptions) {
    const { database, directory, limits, log } = options
    const now = options.now ?? Date.now
    const isApproved: HookApproval =
      options.isApproved ?? (({ grants }, key) => grants.isApproved('hook', key))
    const index = new HookIndex(directory, isApproved)
    const caller = new HookCaller(options.observe)
    const breakers = new HookBreakers({
      failuresMax: limits.failuresMax,
      onTrip: (hook, failures) =>
        log.error(
          { ...hook, failures },
          'a hook failed too often and is switched off until its plugin is reloaded',
        ),
    })
    const parts = { index, breakers, caller, limits, log }
    const store = new DeliveryStore(database, now)
    this.#log = log
    this.#now = now
    this.#index = index
    this.#breakers = breakers
    this.#before = new BeforeHooks(parts)
    this.#reads = new ReadHooks(parts)
    this.#store = store
    this.#worker = new DeliveryWorker({
      store,
      sweep: new DeliverySweep(database, now),
      index,
      caller,
      limits: {
        concurrentMax: limits.concurrentAfterMax,
        timeoutMs: limits.afterTimeoutMs,
        operationsMax: limits.operationsMax,
      },
      retry: {
        attemptsMax: options.retry?.attemptsMax ?? hookLimits.deliveryAttemptsMax,
        pauseMs: options.retry?.pauseMs ?? hookLimits.deliveryPauseMs,
        pauseMsMax: options.retry?.pauseMsMax ?? hookLimits.deliveryPauseMsMax,
      },
      log,
      now,
    })
  }

  /** Begins to make deliveries, also those that an earlier process has left. */
  start(): void {
    this.#worker.start()
  }

  /** Makes no further deliveries and waits for those under way. Writes can still add some for the next start. */
  close(): Promise<void> {
    return this.#worker.stop()
  }

  async before(write: HookedWrite, context: HookContext): Promise<HookRow> {
    if (context.depth > hookLimits.depthMax && this.#concerns(write)) {
      throw hookDepthExceeded({ depth: context.depth, limit: hookLimits.depthMax })
    }
    return this.#before.run(write, context)
  }

  /** Tells whether an after-hook may run that is for an event of a table. */
  isAwaited(event: WriteEvent, table: string): boolean {
    return this.#index.matching(`after_${event}`, table).length > 0
  }

  async enqueue(
    transaction: Transaction<CoreTables>,
    write: HookedWrite,
    context: HookContext,
    waitingMax: number = hookLimits.deliveriesWaitingMax,
  ): Promise<void> {
    const event: HookEvent = `after_${write.event}`
    const entries = this.#index.matching(event, write.table)
    if (entries.length === 0) return
    const _at = new Date(this.#now()).toISOString()
    const payload = encodeHookData(write.row, { ...writeMembers(event, write, context), _at })
    const backlogs = await this.#store.backlogs(transaction)
    const admitted = entries.filter((entry) =>
      this.#admits(entry, backlogs.get(entry.plugin) ?? 0, waitingMax),
    )
    this.#owes = true
    await this.#store.add(
      transaction,
      admitted.map((entry) => owedTo(entry, write, context)),
      payload,
    )
  }

  committed(): void {
    // Most writes concern no after-hook, and need no look into the outbox.
    if (!this.#owes) return
    this.#owes = false
    this.#worker.wake()
  }

  async beforeRead(read: HookedRead, context: HookContext): Promise<ReadVerdict> {
    try {
      return await this.#reads.before(read, context)
    } catch (error) {
      this.#log.error({ request_id: context.requestId, error: messageOf(error) }, 'read hooks were skipped')
      return { answer: undefined, state: {} }
    }
  }

  async afterRead(
    read: HookedRead,
    state: HookRow,
    context: HookContext,
  ): Promise<Readonly<Record<string, string>>> {
    try {
      return await this.#reads.after(read, state, context)
    } catch (error) {
      this.#log.error({ request_id: context.requestId, error: messageOf(error) }, 'read hooks were skipped')
      return {}
    }
  }

  async deliveries(filter: DeliveryFilter): Promise<HookDeliveryPage> {
    const rows = await this.#store.list(filter)
    const last = rows.at(-1)
    const isFull = rows.length === hookLimits.deliveryPageMax
    return {
      deliveries: rows.map(toListing),
      next: isFull && last !== undefined ? String(last.id) : undefined,
    }
  }

  async retryDelivery(id: number, actor: string): Promise<void> {
    assertChanged(id, await this.#store.revive(id))
    this.#log.info({ delivery: id, actor }, 'a delivery is made again')
    this.#worker.wake()
  }

  async discardDelivery(id: number, actor: string): Promise<void> {
    assertChanged(id, await this.#store.discard(id))
    this.#log.info({ delivery: id, actor }, 'a delivery was discarded')
  }

  breakers(): readonly HookBreakerListing[] {
    return this.#breakers.list(this.#index.approved())
  }

  resetBreaker({ plugin, event, table }: HookReference, actor: string): void {
    const entry = this.#index
      .approved()
      .find((each) => each.plugin === plugin && each.hook.event === event && each.hook.table === table)
    if (entry === undefined) throw hookNotFound({ plugin, event, table })
    this.#breakers.reset(entry)
    this.#log.info({ plugin, event, table, actor }, 'the breaker of a hook was reset')
  }

  #concerns({ event, table }: HookedWrite): boolean {
    const count = (when: 'before' | 'after') => this.#index.matching(`${when}_${event}`, table).length
    return count('before') + count('after') > 0
  }

  /** One plugin that does not keep up must neither fill the disk nor stop the writes of all. */
  #admits({ plugin, hook }: HookEntry, waiting: number, limit: number): boolean {
    const bound = `${plugin} ${limit}`
    if (waiting < limit) {
      this.#full.delete(bound)
      return true
    }
    if (!this.#full.has(bound)) {
      this.#full.add(bound)
      const fields = { plugin, hook: hook.key, waiting, limit }
      this.#log.error(fields, 'too many deliveries wait for a plugin: further ones are dropped')
    }
    return false
  }
}

/** Creates the engine; `start()` begins deliveries, `close()` ends them. */
export function createHookEngine(options: HookEngineOptions): HookEngine {
  return new HookEngine(options)
}

function owedTo(
  { plugin, hook }: HookEntry,
  { table }: HookedWrite,
  { requestId, depth }: HookContext,
): OwedDelivery {
  return {
    plugin,
    event: hook.event,
    hookTable: hook.table,
    ordinal: hook.ordinal,
    tableName: table,
    requestId: plainRequestId(requestId),
    depth,
  }
}

function toListing(row: StoredDelivery): HookDeliveryListing {
  return {
    id: String(row.id),
    plugin: row.plugin,
    event: row.event,
    table: row.hookTable,
    written_table: row.tableName,
    request_id: row.requestId,
    state: row.state,
    attempts: row.attempts,
    error: row.error,
    due_at: new Date(row.dueAtMs).toISOString(),
    created_at: new Date(row.createdAtMs).toISOString(),
  }
}

function assertChanged(id: number, change: 'changed' | 'running' | 'absent'): void {
  if (change === 'absent') throw deliveryNotFound({ id })
  if (change === 'running') throw deliveryRunning({ id })
}
