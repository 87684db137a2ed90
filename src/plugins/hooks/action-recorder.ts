import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../base/errors.js'
import { hookLimits } from '../../base/limits/hooks.js'
import { hostActionsTable } from '../../capabilities/hooks/events.js'
import type { HookContext, HookedWrite, HookRow, WriteEvent } from '../../content/hook-runner.js'
import type { CoreDatabase } from '../../database/database.js'
import type { RecordAction, RecordedAction } from '../../identity/recorded-action.js'
import type { PluginLog } from '../plugin-log.js'
import { encodeHookData } from './hook-data.js'
import type { HookEngine } from './hook-engine.js'

/** Why actions were lost. */
export type ActionLoss = 'full' | 'invalid' | 'unwritten' | 'closed'

export interface ActionRecorderOptions {
  readonly hooks: Pick<HookEngine, 'isAwaited' | 'enqueue' | 'committed'>
  readonly database: Pick<CoreDatabase, 'transaction'>
  readonly log: PluginLog
  /** Hears of actions that nobody will get. */
  readonly lost?: (reason: ActionLoss, count: number) => void
  /** Milliseconds since 1970; the system's clock when missing. */
  readonly now?: () => number
}

interface Waiting {
  readonly write: HookedWrite
  readonly context: HookContext
  readonly isOfPlugin: boolean
}

const event: WriteEvent = 'create'

/**
 * Brings what is done in the administration to the hooks that plugins have for the table `host_actions`. Actions are
 * collected in memory for as long as one transaction takes, and then are in the outbox of after-hooks.
 */
export class ActionRecorder {
  readonly #options: ActionRecorderOptions
  readonly #now: () => number
  readonly #stop = new AbortController()
  #waiting: Waiting[] = []
  #ofPlugins = 0
  #writing: Promise<void> | undefined
  #isFull = false

  constructor(options: ActionRecorderOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /** Records an action of the host. Nothing is kept when no hook waits for one. */
  readonly record: RecordAction = (action) => this.#take(action, false)

  /** Records what a plugin says of itself; `action` begins with its name. */
  readonly recordOfPlugin: RecordAction = (action) => this.#take(action, true)

  /** Takes no further action, and writes those that wait. */
  async close(): Promise<void> {
    this.#stop.abort()
    await this.#writing
  }

  #take(action: RecordedAction, isOfPlugin: boolean): void {
    try {
      if (!this.#options.hooks.isAwaited(event, hostActionsTable)) return
      if (this.#stop.signal.aborted) this.#lose('closed', 1, 'the host is closing')
      else if (this.#hasRoom(isOfPlugin)) this.#add(toWaiting(action, isOfPlugin, this.#now()))
    } catch (error) {
      this.#lose('invalid', 1, messageOf(error))
    }
  }

  #hasRoom(isOfPlugin: boolean): boolean {
    const { actionsWaitingMax, pluginActionsWaitingMax } = hookLimits
    const isFull = this.#waiting.length >= actionsWaitingMax
    if (!isFull && !(isOfPlugin && this.#ofPlugins >= pluginActionsWaitingMax)) {
      this.#isFull = false
      return true
    }
    this.#options.lost?.('full', 1)
    if (!this.#isFull) {
      this.#isFull = true
      this.#options.log.error(
        { waiting: this.#waiting.length },
        'too many actions wait: further ones are lost',
      )
    }
    return false
  }

  #add(waiting: Waiting): void {
    this.#waiting.push(waiting)
    if (waiting.isOfPlugin) this.#ofPlugins += 1
    this.#writing ??= this.#writeAll()
  }

  /** Never rejects. */
  async #writeAll(): Promise<void> {
    // What one request does after the other goes into one transaction.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, hookLimits.actionsPerWrite)
      this.#ofPlugins -= batch.filter(({ isOfPlugin }) => isOfPlugin).length
      await this.#write(batch)
    }
    this.#writing = undefined
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const { actionAttemptsMax, actionPauseMs } = hookLimits
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#store(batch)
        return
      } catch (error) {
        if (attempt >= actionAttemptsMax) {
          this.#lose('unwritten', batch.length, messageOf(error))
          return
        }
        await this.#pause(actionPauseMs * 2 ** (attempt - 1))
      }
    }
  }

  async #store(batch: readonly Waiting[]): Promise<void> {
    const { database, hooks } = this.#options
    await database.transaction(async (transaction) => {
      for (const { write, context, isOfPlugin } of batch) {
        const { deliveriesWaitingMax, pluginActionsOwedMax } = hookLimits
        const waitingMax = isOfPlugin ? pluginActionsOwedMax : deliveriesWaitingMax
        await hooks.enqueue(transaction, write, context, waitingMax)
      }
    })
    hooks.committed()
  }

  async #pause(ms: number): Promise<void> {
    try {
      await sleep(ms, undefined, { signal: this.#stop.signal })
    } catch {
      // The host closes: the tries that are left are made at once.
    }
  }

  #lose(reason: ActionLoss, count: number, error: string): void {
    const { lost, log } = this.#options
    lost?.(reason, count)
    log.error({ reason, count, error }, 'actions could not be recorded')
  }
}

function toWaiting(action: RecordedAction, isOfPlugin: boolean, nowMs: number): Waiting {
  const { actor, requestId = '' } = action
  const row = toRow(action, isOfPlugin, new Date(nowMs).toISOString())
  const context = { requestId, actor: cut(actor.name ?? actor.id) ?? '', depth: 0 }
  return { write: { event, table: hostActionsTable, row, old: undefined }, context, isOfPlugin }
}

function toRow(action: RecordedAction, isOfPlugin: boolean, at: string): HookRow {
  const { actor, resource, details = {} } = action
  return {
    action: cut(action.action),
    outcome: action.outcome,
    actor_kind: actor.kind,
    actor_id: cut(actor.id),
    actor_name: cut(actor.name),
    actor_tenant: cut(actor.tenant),
    resource_type: cut(resource.type),
    resource_id: cut(resource.id),
    tenant: cut(actor.tenant),
    details: boundedDetails(details, isOfPlugin ? { plugin: details.plugin } : {}),
    client_ip: cut(action.clientIp),
    request_id: cut(action.requestId),
    at,
  }
}

/**
 * An action without its details is worth more than none.
 *
 * @param kept Which of them stay all the same.
 */
function boundedDetails(
  details: Readonly<Record<string, unknown>>,
  kept: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  let bytes: number
  try {
    bytes = Buffer.byteLength(encodeHookData(details, {}))
  } catch (error) {
    return { left_out: messageOf(error), ...kept }
  }
  return bytes <= hookLimits.actionDetailsBytesMax ? details : { left_out: `${bytes} bytes`, ...kept }
}

function cut(text: string | undefined): string | undefined {
  return text?.slice(0, hookLimits.actionTextCharactersMax)
}
