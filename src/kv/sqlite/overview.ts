import { kvLimits } from '../../base/limits/kv.js'
import type { KvSession } from './session.js'

/** What a store holds, all namespaces together. */
export interface KvTotals {
  /** Messages that wait, delayed ones included. */
  readonly pending: number
  /** Messages that are leased. Counted up to `kvLimits.countedMessagesMax`. */
  readonly processing: number
  /** Dead letters, counted up to `kvLimits.countedMessagesMax`. */
  readonly dlq: number
  /** Those that have expired but are not removed yet included. */
  readonly entries: number
  /** As quotas count them. */
  readonly bytes: number
}

const leased =
  'select count(*) from (select due_at from kv_messages indexed by kv_messages_leased where lease is not null limit ?) where due_at > ?'
const dead = 'select count(*) from (select 1 from kv_dead_letters limit ?)'
const sums = 'select total(entries), total(bytes), total(messages) from kv_namespaces'

/** Looks at a store as a whole. What it costs is bounded, but for the number of namespaces. */
export class StoreOverview {
  readonly #session: KvSession

  constructor(session: KvSession) {
    this.#session = session
  }

  /** Names of the namespaces that something was written to, at most `kvLimits.namespacesShownMax`. */
  names(): readonly string[] {
    const rows = this.#session
      .statement('select name from kv_namespaces order by name limit ?')
      .all(kvLimits.namespacesShownMax) as readonly [string][]
    return rows.map(([name]) => name)
  }

  totals(nowMs: number): KvTotals {
    const max = kvLimits.countedMessagesMax
    return this.#session.snapshot(() => {
      const [entries, bytes, messages] = this.#row(sums) as [number, number, number]
      const [processing] = this.#row(leased, max, nowMs) as [number]
      const [dlq] = this.#row(dead, max) as [number]
      return { pending: Math.max(0, messages - processing), processing, dlq, entries, bytes }
    })
  }

  #row(text: string, ...values: readonly number[]): unknown {
    return this.#session.statement(text).get(...values)
  }
}
