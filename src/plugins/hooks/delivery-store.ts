import type { Kysely, Selectable, Transaction } from 'kysely'
import { hookLimits } from '../../base/limits/hooks.js'
import type { CoreDatabase } from '../../database/database.js'
import type { CoreTables, HookDeliveriesTable, HookDeliveryState } from '../../database/tables.js'

/** A delivery to be stored. */
export interface OwedDelivery {
  readonly plugin: string
  readonly event: string
  readonly hookTable: string
  readonly ordinal: number
  readonly tableName: string
  readonly requestId: string
  readonly depth: number
}

/** A delivery that a worker has taken. */
export interface TakenDelivery extends OwedDelivery {
  readonly id: number
  /** Tries so far, this one included: names the taking, so that a worker that lost it changes nothing. */
  readonly attempts: number
  /** JSON of an object: what the hook gets. */
  readonly payload: string
}

/** What an operator sees of a delivery. */
export interface StoredDelivery {
  readonly id: number
  readonly plugin: string
  readonly event: string
  readonly hookTable: string
  readonly tableName: string
  readonly requestId: string
  readonly state: HookDeliveryState
  readonly attempts: number
  readonly dueAtMs: number
  readonly createdAtMs: number
  readonly error: string
}

/** Which deliveries a list is to have. */
export interface DeliveryFilter {
  readonly state?: HookDeliveryState
  readonly plugin?: string
  /** Only those with greater numbers. */
  readonly after?: number
}

/** SQLite takes 32,766 values in one statement. */
const rowsPerInsert = 500

/** The outbox of after-hooks in the database. */
export class DeliveryStore {
  readonly #database: CoreDatabase
  readonly #now: () => number

  /** @param now Milliseconds since 1970. */
  constructor(database: CoreDatabase, now: () => number) {
    this.#database = database
    this.#now = now
  }

  /** Adds deliveries in the transaction of the write that they tell of, with the one payload that they share. */
  async add(
    transaction: Transaction<CoreTables>,
    deliveries: readonly OwedDelivery[],
    payload: string,
  ): Promise<void> {
    if (deliveries.length === 0) return
    const now = this.#now()
    const { id: payloadId } = await transaction
      .insertInto('hook_payloads')
      .values({ payload })
      .returning('id')
      .executeTakeFirstOrThrow()
    for (let at = 0; at < deliveries.length; at += rowsPerInsert) {
      const rows = deliveries.slice(at, at + rowsPerInsert).map((delivery) => ({
        plugin: delivery.plugin,
        event: delivery.event,
        hook_table: delivery.hookTable,
        ordinal: delivery.ordinal,
        table_name: delivery.tableName,
        payload_id: payloadId,
        request_id: delivery.requestId,
        depth: delivery.depth,
        due_at: now,
        created_at: now,
      }))
      await transaction.insertInto('hook_deliveries').values(rows).execute()
    }
  }

  /** How many deliveries wait, by plugin; plugins without any may be missing. */
  async backlogs(kysely: Kysely<CoreTables> = this.#database.kysely): Promise<ReadonlyMap<string, number>> {
    const rows = await kysely
      .selectFrom('hook_backlogs')
      .select(['plugin', 'waiting'])
      .where('waiting', '>', 0)
      .execute()
    return new Map(rows.map(({ plugin, waiting }) => [plugin, waiting]))
  }

  /** Takes deliveries of a plugin that are due, and those of a worker that has not come back, until `untilMs`. */
  async take(plugin: string, count: number, untilMs: number): Promise<readonly TakenDelivery[]> {
    const ids = [
      ...(await this.#due(plugin, 'running', count)),
      ...(await this.#due(plugin, 'pending', count)),
    ]
    if (ids.length === 0) return []
    const now = this.#now()
    const rows = await this.#database.withBusyRetry((kysely) =>
      kysely
        .updateTable('hook_deliveries')
        .set((eb) => ({ state: 'running', due_at: untilMs, attempts: eb('attempts', '+', 1) }))
        .where('id', 'in', ids.slice(0, count))
        // Another process may have been faster.
        .where('state', '!=', 'dead')
        .where('due_at', '<=', now)
        .returningAll()
        .execute(),
    )
    const payloads = await this.#payloads(rows.map((row) => row.payload_id))
    return rows.flatMap((row) => {
      const payload = payloads.get(row.payload_id)
      // Without it, the delivery was discarded in between.
      return payload === undefined ? [] : [{ ...taken(row), payload }]
    })
  }

  async #payloads(ids: readonly number[]): Promise<ReadonlyMap<number, string>> {
    const rows = await this.#database.kysely
      .selectFrom('hook_payloads')
      .select(['id', 'payload'])
      .where('id', 'in', ids)
      .execute()
    return new Map(rows.map(({ id, payload }) => [id, payload]))
  }

  async #due(plugin: string, state: HookDeliveryState, count: number): Promise<readonly number[]> {
    const rows = await this.#database.kysely
      .selectFrom('hook_deliveries')
      .select('id')
      .where('plugin', '=', plugin)
      .where('state', '=', state)
      .where('due_at', '<=', this.#now())
      .orderBy('due_at')
      .limit(count)
      .execute()
    return rows.map(({ id }) => id)
  }

  /** Removes a delivery that was made. */
  async made({ id }: TakenDelivery): Promise<void> {
    await this.#database.withBusyRetry((kysely) =>
      kysely.deleteFrom('hook_deliveries').where('id', '=', id).execute(),
    )
  }

  /** Lets a delivery wait for its next try. `attempts` of one that was not tried is one less than it was taken with. */
  async postpone(taken: TakenDelivery, dueAtMs: number, attempts: number, error?: string): Promise<void> {
    await this.#change(taken, { state: 'pending', due_at: dueAtMs, attempts, ...errorOf(error) })
  }

  /** Gives a delivery up; it waits for an operator. */
  async bury(taken: TakenDelivery, error: string): Promise<void> {
    await this.#change(taken, { state: 'dead', due_at: this.#now(), ...errorOf(error) })
  }

  async #change(
    { id, attempts }: TakenDelivery,
    change: { state: HookDeliveryState; due_at: number; attempts?: number; error?: string },
  ): Promise<void> {
    await this.#database.withBusyRetry((kysely) =>
      kysely
        .updateTable('hook_deliveries')
        .set(change)
        .where('id', '=', id)
        .where('state', '=', 'running')
        .where('attempts', '=', attempts)
        .execute(),
    )
  }

  /** A page of deliveries in the order in which they were stored. */
  async list(filter: DeliveryFilter): Promise<readonly StoredDelivery[]> {
    let query = this.#database.kysely
      .selectFrom('hook_deliveries')
      .select(['id', 'plugin', 'event', 'hook_table', 'table_name', 'request_id'])
      .select(['state', 'attempts', 'due_at', 'created_at', 'error'])
      .where('id', '>', filter.after ?? 0)
    if (filter.state !== undefined) query = query.where('state', '=', filter.state)
    if (filter.plugin !== undefined) query = query.where('plugin', '=', filter.plugin)
    const rows = await query.orderBy('id').limit(hookLimits.deliveryPageMax).execute()
    return rows.map((row) => ({
      id: row.id,
      plugin: row.plugin,
      event: row.event,
      hookTable: row.hook_table,
      tableName: row.table_name,
      requestId: row.request_id,
      state: row.state,
      attempts: row.attempts,
      dueAtMs: row.due_at,
      createdAtMs: row.created_at,
      error: row.error,
    }))
  }

  /** Makes a delivery due with all its tries; what became of it. */
  async revive(id: number): Promise<'changed' | 'running' | 'absent'> {
    const now = this.#now()
    const { numUpdatedRows } = await this.#database.withBusyRetry((kysely) =>
      kysely
        .updateTable('hook_deliveries')
        .set({ state: 'pending', due_at: now, attempts: 0 })
        .where('id', '=', id)
        .where((eb) => eb.or([eb('state', '!=', 'running'), eb('due_at', '<=', now)]))
        .executeTakeFirstOrThrow(),
    )
    return numUpdatedRows > 0n ? 'changed' : this.#presence(id)
  }

  /** Removes a delivery that is not being made. */
  async discard(id: number): Promise<'changed' | 'running' | 'absent'> {
    const now = this.#now()
    const { numDeletedRows } = await this.#database.withBusyRetry((kysely) =>
      kysely
        .deleteFrom('hook_deliveries')
        .where('id', '=', id)
        .where((eb) => eb.or([eb('state', '!=', 'running'), eb('due_at', '<=', now)]))
        .executeTakeFirstOrThrow(),
    )
    return numDeletedRows > 0n ? 'changed' : this.#presence(id)
  }

  async #presence(id: number): Promise<'running' | 'absent'> {
    const query = this.#database.kysely.selectFrom('hook_deliveries').select('id').where('id', '=', id)
    return (await query.executeTakeFirst()) === undefined ? 'absent' : 'running'
  }
}

function taken(row: Selectable<HookDeliveriesTable>): Omit<TakenDelivery, 'payload'> {
  return {
    id: row.id,
    plugin: row.plugin,
    event: row.event,
    hookTable: row.hook_table,
    ordinal: row.ordinal,
    tableName: row.table_name,
    requestId: row.request_id,
    depth: row.depth,
    attempts: row.attempts,
  }
}

function errorOf(error: string | undefined): { error?: string } {
  return error === undefined ? {} : { error: error.slice(0, hookLimits.deliveryErrorCharactersMax) }
}
