import { serverLimits } from '../base/limits/server.js'

/** Why a client was refused or cut off before or beside its requests. */
export type RefusalReason =
  | 'max_connections'
  | 'max_connections_per_address'
  | 'headers_timeout'
  | 'request_timeout'
  | 'headers_too_large'
  | 'url_too_long'
  | 'too_many_parameters'
  | 'malformed'
  | 'pipelined'
  | 'stalled'
  | 'unread_bytes'

/** The part of a logger that refusals are written to. */
export interface RefusalLog {
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** Counts refused clients, and logs each kind now and then: whoever is refused must not be able to flood the log. */
export class Refusals {
  readonly #log: RefusalLog
  readonly #count: (reason: RefusalReason) => void
  readonly #unlogged = new Map<RefusalReason, { count: number; loggedMs: number }>()

  /** @param count Is told each of them. */
  constructor(log: RefusalLog, count: (reason: RefusalReason) => void) {
    this.#log = log
    this.#count = count
  }

  /** @param address Of the client; undefined when it is gone. */
  note(reason: RefusalReason, address: string | undefined): void {
    this.#count(reason)
    const nowMs = performance.now()
    const state = this.#unlogged.get(reason) ?? { count: 0, loggedMs: Number.NEGATIVE_INFINITY }
    state.count += 1
    if (nowMs - state.loggedMs >= serverLimits.refusalLogMs) {
      const { count } = state
      this.#log.warn({ reason, count, address }, 'clients were refused or cut off')
      state.count = 0
      state.loggedMs = nowMs
    }
    this.#unlogged.set(reason, state)
  }
}
