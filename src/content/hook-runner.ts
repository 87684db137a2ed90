import type { Transaction } from 'kysely'
import type { CoreTables } from '../database/tables.js'

/** What is done to a row. */
export const writeEvents = ['create', 'update', 'delete', 'publish', 'archive'] as const

export type WriteEvent = (typeof writeEvents)[number]

/** A row as hooks see it: JSON values by column. */
export type HookRow = Readonly<Record<string, unknown>>

/** Who writes, in the words of plugins. */
export interface HookIdentity {
  readonly type: string
  readonly id: string
  readonly name?: string | undefined
  readonly tenant_id?: string | undefined
}

/** On whose behalf something is written or read. */
export interface HookContext {
  readonly requestId: string
  /** Name of the user; empty when nobody is known. */
  readonly actor: string
  /** Who the user is, as far as hooks may know; undefined for plugins and for an embedding application. */
  readonly identity?: HookIdentity | undefined
  /** How many hooks led to this write: 0 for a write of a client. */
  readonly depth: number
}

/** A write that is about to happen, or has. */
export interface HookedWrite {
  readonly event: WriteEvent
  readonly table: string
  /** The row as it will be, or was when it is deleted. */
  readonly row: HookRow
  /** The row as it was; undefined for a new one. */
  readonly old: HookRow | undefined
}

/** A published entry that is being delivered. */
export interface HookedRead {
  readonly slug: string
  /** Lower-case names, without the caller's credentials. */
  readonly headers: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  readonly clientIp: string
}

/** What read hooks have to say. `answer` takes the place of the entry; `state` is given to the after-hooks. */
export interface ReadVerdict {
  readonly answer:
    | { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly json: unknown }
    | undefined
  readonly state: HookRow
}

/**
 * Runs the hooks of plugins around writes and reads. Implemented by the plugin host; services that write only know
 * this much of it.
 */
export interface HookRunner {
  /**
   * Runs the before-hooks of a write, one after the other. Never call it inside a transaction: no code of a plugin
   * runs while a lock is held.
   *
   * @returns The row as the hooks left it; the caller validates it again and stores it only when the row in the
   *   database is still the one that the hooks have seen.
   * @throws HostError HOOK_VETOED (422) naming the plugin, HOOK_UNAVAILABLE (503) when a hook could not be run.
   */
  before(write: HookedWrite, context: HookContext): Promise<HookRow>
  /** Stores the deliveries of the after-hooks of a write, in the transaction of the write itself. */
  enqueue(transaction: Transaction<CoreTables>, write: HookedWrite, context: HookContext): Promise<void>
  /** To be told when a transaction with deliveries has been committed. */
  committed(): void
  /** Runs the read hooks ahead of a delivery. Never rejects: what fails is skipped. */
  beforeRead(read: HookedRead, context: HookContext): Promise<ReadVerdict>
  /** Runs the read hooks behind a delivery; gives the headers that they add. Never rejects. */
  afterRead(read: HookedRead, state: HookRow, context: HookContext): Promise<Readonly<Record<string, string>>>
}
