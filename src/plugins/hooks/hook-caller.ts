import { messageOf } from '../../base/errors.js'
import { hookCallKind } from '../../capabilities/hooks/call-kind.js'
import { encodeHookCall } from '../../capabilities/hooks/wire.js'
import type { CallFailure, CallOutcome } from '../../sandbox/generation.js'
import type { Phase } from '../../sandbox/phase.js'
import { isForcedEnd, isOwnFault } from '../call-faults.js'
import type { HookEntry } from './hook-index.js'

/** One hook that has run, for metrics. */
export interface HookSample {
  readonly plugin: string
  readonly event: string
  /** Table that the hook is registered for; `*` for every table. */
  readonly table: string
  readonly status: 'ok' | 'error' | 'timeout' | 'veto'
  readonly durationMs: number
  readonly when: 'before' | 'after'
}

export type HookObserver = (sample: HookSample) => void

/** How one hook is called. */
export interface HookCallOptions {
  readonly phase: Phase
  /** The data table as JSON. */
  readonly json: string
  /** Of the call itself. */
  readonly requestId: string
  readonly timeoutMs: number
  readonly operationsMax: number
  /** Looks at the result of a call that succeeded: true for a refusal. */
  isVeto?(result: readonly unknown[]): boolean
}

/** How a hook ended: with a result, by its own fault, or not run at all. */
export type HookOutcome =
  | { readonly kind: 'done'; readonly result: readonly unknown[] }
  | { readonly kind: 'failed'; readonly failure: CallFailure }
  | { readonly kind: 'not-run'; readonly failure: CallFailure }

/** Calls single hooks and tells an observer how they ended. Never rejects. */
export class HookCaller {
  readonly #observe: HookObserver | undefined

  constructor(observe: HookObserver | undefined) {
    this.#observe = observe
  }

  async call(entry: HookEntry, options: HookCallOptions): Promise<HookOutcome> {
    const startedMs = performance.now()
    const outcome = await this.#run(entry, options)
    const durationMs = performance.now() - startedMs
    if (outcome.ok) {
      this.#note(entry, options.isVeto?.(outcome.result) ? 'veto' : 'ok', durationMs)
      return { kind: 'done', result: outcome.result }
    }
    if (!isOwnFault(outcome)) return { kind: 'not-run', failure: outcome }
    this.#note(entry, isForcedEnd(outcome) ? 'timeout' : 'error', durationMs)
    return { kind: 'failed', failure: outcome }
  }

  async #run(
    { generation, hook }: HookEntry,
    { phase, json, requestId, timeoutMs, operationsMax }: HookCallOptions,
  ): Promise<CallOutcome> {
    const payload = encodeHookCall({ key: hook.key, json })
    const call = { kind: hookCallKind, phase, payload, body: '', requestId, timeoutMs, operationsMax }
    try {
      return await generation.call({ ...call, reserved: true })
    } catch (error) {
      return { ok: false, code: 'CLOSED', message: messageOf(error), blamed: false }
    }
  }

  #note({ plugin, hook }: HookEntry, status: HookSample['status'], durationMs: number): void {
    const when = hook.event.startsWith('before_') ? 'before' : 'after'
    this.#observe?.({ plugin, event: hook.event, table: hook.table, status, durationMs, when })
  }
}

const depthMark = /(?:~\d+)+$/

/** The id of the request that led to a hook, without the mark of a depth. */
export function plainRequestId(requestId: string): string {
  return requestId.replace(depthMark, '')
}

/** The id of a hook's call: what it writes is known by the mark to come from so many hooks. */
export function hookRequestId(requestId: string, depth: number): string {
  return `${plainRequestId(requestId)}~${depth + 1}`
}
