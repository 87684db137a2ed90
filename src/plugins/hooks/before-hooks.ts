import { hookLimits } from '../../base/limits/hooks.js'
import { decodeWriteOpinion } from '../../capabilities/hooks/wire.js'
import type { HookContext, HookedWrite, HookRow } from '../../content/hook-runner.js'
import type { CallFailure } from '../../sandbox/generation.js'
import type { PluginLog } from '../plugin-log.js'
import { hookDenied, hookUnavailable, hookVetoed } from './errors.js'
import type { HookBreakers } from './hook-breakers.js'
import { type HookCaller, hookRequestId, plainRequestId } from './hook-caller.js'
import { encodeHookData } from './hook-data.js'
import type { HookEntry, HookIndex } from './hook-index.js'

/** What hooks that somebody waits for may use. */
export interface SynchronousHookLimits {
  /** Time of one hook. */
  readonly hookTimeoutMs: number
  /** Time of all hooks of one event. */
  readonly eventTimeoutMs: number
  /** Database operations of one hook. */
  readonly operationsMax: number
}

/** What the runners of hooks share. */
export interface HookParts {
  readonly index: HookIndex
  readonly breakers: HookBreakers
  readonly caller: HookCaller
  readonly limits: SynchronousHookLimits
  readonly log: PluginLog
}

/** Marks a chain under which a plugin was reloaded or stopped. */
const startOver = Symbol('start over')

/** Runs the hooks ahead of writes. */
export class BeforeHooks {
  readonly #parts: HookParts

  constructor(parts: HookParts) {
    this.#parts = parts
  }

  /**
   * Runs the hooks of a write one after the other, each on the row as the ones before left it.
   *
   * @returns The row as the last one left it.
   * @throws HostError HOOK_VETOED, HOOK_UNAVAILABLE, HOOK_ROW_TOO_LARGE.
   */
  async run(write: HookedWrite, context: HookContext): Promise<HookRow> {
    const endMs = performance.now() + this.#parts.limits.eventTimeoutMs
    let plugin = ''
    for (let attempt = 0; attempt < hookLimits.chainAttemptsMax; attempt += 1) {
      // Hooks ahead of writes store nothing, so that a chain can run again from its start; limits may count twice.
      const ended = await this.#chain(write, context, endMs, (entry) => {
        plugin = entry.plugin
      })
      if (ended !== startOver) return ended
    }
    throw hookUnavailable({ plugin }, { retryAfterSeconds: 1 })
  }

  async #chain(
    write: HookedWrite,
    context: HookContext,
    endMs: number,
    started: (entry: HookEntry) => void,
  ): Promise<HookRow | typeof startOver> {
    const { breakers, index } = this.#parts
    let { row } = write
    for (const entry of index.matching(`before_${write.event}`, write.table)) {
      if (breakers.isOpen(entry)) continue
      started(entry)
      const next = await this.#step(entry, { ...write, row }, context, endMs)
      if (next === startOver) return startOver
      row = next
    }
    return row
  }

  async #step(
    entry: HookEntry,
    write: HookedWrite,
    context: HookContext,
    endMs: number,
  ): Promise<HookRow | typeof startOver> {
    const { breakers, caller, limits } = this.#parts
    const leftMs = endMs - performance.now()
    if (leftMs < 1) throw this.#unavailable(entry, context, 'the hooks before it took all the time')
    const outcome = await caller.call(entry, {
      phase: 'before_hook',
      json: encodeHookData(write.row, membersOf(entry, write, context)),
      requestId: hookRequestId(context.requestId, context.depth),
      timeoutMs: Math.min(limits.hookTimeoutMs, leftMs),
      operationsMax: limits.operationsMax,
      isVeto: (result) => decodeWriteOpinion(result).deny !== undefined,
    })
    if (outcome.kind === 'done') {
      breakers.succeeded(entry)
      return this.#obey(entry, write, context, outcome.result)
    }
    const { failure } = outcome
    if (outcome.kind === 'not-run') {
      // The generation has gone, or its thread was lost because of another call: nothing speaks against a second try.
      if (failure.code === 'CLOSED' || failure.code === 'EXECUTOR_LOST') return startOver
      throw this.#unavailable(entry, context, failure.message)
    }
    // Who had less time than a hook is entitled to is not to blame for having used it up.
    if (failure.code !== 'TIMEOUT' || leftMs >= limits.hookTimeoutMs) breakers.failed(entry)
    this.#report(entry, context, failure)
    throw hookVetoed({ plugin: entry.plugin })
  }

  #obey(entry: HookEntry, { row }: HookedWrite, context: HookContext, result: readonly unknown[]): HookRow {
    const { deny, set } = decodeWriteOpinion(result)
    if (deny !== undefined) {
      const fields = { ...factsOf(entry, context), message: deny }
      this.#parts.log.info(fields, 'a hook refused a write')
      throw deny === ''
        ? hookVetoed({ plugin: entry.plugin })
        : hookDenied({ plugin: entry.plugin, message: deny })
    }
    return set === undefined ? row : { ...row, ...(JSON.parse(set) as HookRow) }
  }

  #unavailable(entry: HookEntry, context: HookContext, reason: string): Error {
    this.#parts.log.warn({ ...factsOf(entry, context), reason }, 'a hook could not be run')
    return hookUnavailable({ plugin: entry.plugin }, { retryAfterSeconds: 1 })
  }

  #report(entry: HookEntry, context: HookContext, { code, message }: CallFailure): void {
    this.#parts.log.warn({ ...factsOf(entry, context), code, error: message }, 'a hook failed')
  }
}

function membersOf({ hook }: HookEntry, write: HookedWrite, context: HookContext): Record<string, unknown> {
  return writeMembers(hook.event, write, context)
}

/** What hooks of writes get beside the columns. */
export function writeMembers(
  event: string,
  { table, old, event: write }: HookedWrite,
  { actor, identity, requestId }: HookContext,
): Record<string, unknown> {
  const hasOld = old !== undefined && write !== 'create' && write !== 'delete'
  return {
    _event: event,
    _table: table,
    // A column of such a name must not pass for what the host says.
    _old: hasOld ? old : undefined,
    _actor: actor === '' ? undefined : actor,
    _identity: identity,
    _request_id: plainRequestId(requestId),
    _delivery: undefined,
    _attempt: undefined,
  }
}

/** What log lines say of a hook that was called. */
export function factsOf({ plugin, hook }: HookEntry, { requestId }: HookContext): Record<string, unknown> {
  return { plugin, hook: hook.key, request_id: requestId }
}
