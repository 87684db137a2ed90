import { hookLimits } from '../../base/limits/hooks.js'
import type { CoreDatabase } from '../../database/database.js'
import type { HookDeliveryState } from '../../database/tables.js'

/** What a sweep did. */
export interface SweepResult {
  /** Deliveries that have become dead because they were too old. */
  readonly expired: number
  /** Dead deliveries that were forgotten. */
  readonly forgotten: number
}

/** Reason that stands at a delivery which nobody could make in time. */
const expiredText =
  'the delivery could not be made in time: its plugin did not run, or its hook was not approved'

/** Bounds what the outbox keeps, a few rows at a time, oldest first. */
export class DeliverySweep {
  readonly #database: CoreDatabase
  readonly #now: () => number

  constructor(database: CoreDatabase, now: () => number) {
    this.#database = database
    this.#now = now
  }

  async run(): Promise<SweepResult> {
    const now = this.#now()
    const oldestMs = now - hookLimits.deliveryAgeMsMax
    const expired = [
      ...(await this.#oldest('pending', oldestMs)),
      ...(await this.#oldest('running', oldestMs)),
    ]
    if (expired.length > 0) {
      await this.#database.withBusyRetry((kysely) =>
        kysely
          .updateTable('hook_deliveries')
          .set({ state: 'dead', error: expiredText })
          .where('id', 'in', expired)
          // One that is being made belongs to its worker for as long as that can be alive.
          .where((eb) => eb.or([eb('state', '=', 'pending'), eb('due_at', '<=', now)]))
          .execute(),
      )
    }
    const forgotten = [
      ...(await this.#oldest('dead', now - hookLimits.deadAgeMsMax)),
      ...(await this.#surplus()),
    ]
    if (forgotten.length > 0) {
      await this.#database.withBusyRetry((kysely) =>
        kysely
          .deleteFrom('hook_deliveries')
          .where('id', 'in', forgotten)
          .where('state', '=', 'dead')
          .execute(),
      )
    }
    await this.#comeBack(now)
    return { expired: expired.length, forgotten: forgotten.length }
  }

  /** The oldest deliveries of a state, as far as they were stored before a time. */
  async #oldest(state: HookDeliveryState, beforeMs: number): Promise<readonly number[]> {
    const rows = await this.#database.kysely
      .selectFrom('hook_deliveries')
      .select(['id', 'created_at'])
      .where('state', '=', state)
      .orderBy('id')
      .limit(hookLimits.deliverySweepRowsMax)
      .execute()
    return rows.filter((row) => row.created_at < beforeMs).map(({ id }) => id)
  }

  /** The oldest dead deliveries of plugins that have more than are kept. */
  async #surplus(): Promise<readonly number[]> {
    const plugins = await this.#database.kysely
      .selectFrom('hook_backlogs')
      .select(['plugin', 'dead'])
      .where('dead', '>', hookLimits.deliveriesDeadMax)
      .execute()
    const ids: number[] = []
    for (const { plugin, dead } of plugins) {
      const surplus = Math.min(dead - hookLimits.deliveriesDeadMax, hookLimits.deliverySweepRowsMax)
      const rows = await this.#database.kysely
        .selectFrom('hook_deliveries')
        .select('id')
        .where('plugin', '=', plugin)
        .where('state', '=', 'dead')
        .orderBy('due_at')
        .limit(surplus)
        .execute()
      ids.push(...rows.map(({ id }) => id))
    }
    return ids
  }

  /** A clock that was set back would leave deliveries waiting for a time that does not come. */
  async #comeBack(now: number): Promise<void> {
    const latest = now + hookLimits.deliveryPauseMsMax + hookLimits.deliveryRefusedPauseMs
    const plugins = await this.#database.kysely
      .selectFrom('hook_backlogs')
      .select('plugin')
      .where('waiting', '>', 0)
      .execute()
    for (const { plugin } of plugins) {
      const rows = await this.#database.kysely
        .selectFrom('hook_deliveries')
        .select('id')
        .where('plugin', '=', plugin)
        .where('state', '=', 'pending')
        .where('due_at', '>', latest)
        .limit(hookLimits.deliverySweepRowsMax)
        .execute()
      if (rows.length === 0) continue
      const ids = rows.map(({ id }) => id)
      await this.#database.withBusyRetry((kysely) =>
        kysely.updateTable('hook_deliveries').set({ due_at: now }).where('id', 'in', ids).execute(),
      )
    }
  }
}
