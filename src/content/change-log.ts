import type { Transaction } from 'kysely'
import { monotonicFactory } from 'ulid'
import type { CoreTables } from '../database/tables.js'
import type { HookContext, HookedWrite, HookRow } from './hook-runner.js'

/** Keeps who did what to which row, in the transaction in which it was done. */
export class ChangeLog {
  readonly #createId = monotonicFactory()

  async record(
    transaction: Transaction<CoreTables>,
    { event, table, row, old }: HookedWrite,
    context: HookContext,
    now: string,
  ): Promise<void> {
    await transaction
      .insertInto('change_events')
      .values({
        id: this.#createId(),
        table_name: table,
        row_id: String(row.id),
        event,
        actor: context.actor,
        request_id: context.requestId,
        created_at: now,
        before: textOf(old),
        after: event === 'delete' ? null : textOf(row),
      })
      .execute()
  }
}

function textOf(row: HookRow | undefined): string | null {
  return row === undefined ? null : JSON.stringify(row)
}
