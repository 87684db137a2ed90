import { kvLuaLimits } from '../../base/limits/kv.js'
import type { StoredEntry } from '../../kv/store.js'
import { compileStoredWhere } from '../../kv/where/compile-where.js'
import type { LuaValue } from '../../sandbox/lua-value.js'
import type { KvUse } from './bind.js'
import { readWhere } from './read-values.js'

/** Tells entries that are wanted from others. */
export type Matches = (entry: StoredEntry) => boolean

/** Makes the filter of an option `where`; undefined when there is none. */
export function readFilter(use: KvUse, where: LuaValue): Matches | undefined {
  const filter = readWhere(where)
  return filter && compileStoredWhere(filter, use.clock())
}

/**
 * Counts the entries that are looked at, and ends the call between two of them when its time is over or others need
 * its executor.
 */
export class Scan {
  looked = 0
  readonly #use: KvUse
  #charged = 0

  constructor(use: KvUse) {
    this.#use = use
  }

  /** Wraps a filter; all entries match where there is none. */
  watching(matches: Matches | undefined): Matches {
    return (entry) => {
      this.looked += 1
      if (this.looked % kvLuaLimits.entriesPerLook === 0) this.#use.call.budget.checkTime()
      return matches === undefined || matches(entry)
    }
  }

  /** Charges for what was looked at since the last time; the operation of the call itself pays for the first ones. */
  charge(): void {
    const due = Math.max(0, Math.ceil(this.looked / kvLuaLimits.entriesPerOperation) - 1)
    if (due > this.#charged) this.#use.call.budget.charge(due - this.#charged)
    this.#charged = Math.max(due, this.#charged)
    this.#use.call.budget.checkTime()
  }
}
