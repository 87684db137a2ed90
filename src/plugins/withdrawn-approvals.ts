import { type Kysely, type Selectable, sql, type Transaction } from 'kysely'
import { grantLimits } from '../base/limits/plugins.js'
import type { CoreDatabase } from '../database/database.js'
import type { CoreTables, PluginWithdrawnApprovalsTable } from '../database/tables.js'

/** An approval that ended because the plugin changed. */
export interface WithdrawnApproval {
  readonly kind: PluginWithdrawnApprovalsTable['kind']
  /** As in the listing of its kind: `GET /tasks`, `before_create:content_data`. */
  readonly key: string
  /** Version that it held for. */
  readonly version: string
  /** RFC 3339. */
  readonly approvedAt: string
  readonly approvedBy: string
  /** RFC 3339. */
  readonly withdrawnAt: string
}

/** What is remembered of one plugin. */
export interface WithdrawnHistory {
  /** In alphabetical order of kind and key; some may have been approved again since. */
  readonly approvals: readonly WithdrawnApproval[]
  /** When something that is approved of the plugin was approved last, RFC 3339; empty when nothing is. */
  readonly lastApprovedAt: string
}

/** Remembers, for operators to compare, which approvals have ended. Nothing is granted because of it. */
export class WithdrawnApprovals {
  readonly #database: CoreDatabase

  constructor(database: CoreDatabase) {
    this.#database = database
  }

  /** Notes approvals that end with a swap. */
  async note(
    transaction: Transaction<CoreTables>,
    plugin: string,
    ended: readonly Omit<WithdrawnApproval, 'withdrawnAt'>[],
    now: string,
  ): Promise<void> {
    if (ended.length === 0) return
    for (const { kind, key, version, approvedAt, approvedBy } of ended) {
      const facts = {
        plugin_version: version,
        approved_at: approvedAt,
        approved_by: approvedBy,
        withdrawn_at: now,
      }
      await transaction
        .insertInto('plugin_withdrawn_approvals')
        .values({ plugin_name: plugin, kind, key, ...facts })
        .onConflict((conflict) => conflict.columns(['plugin_name', 'kind', 'key']).doUpdateSet(facts))
        .execute()
    }
    await forgetOldest(transaction, plugin)
  }

  /** Keys of the stages of a plugin among them. */
  async stages(reader: Kysely<CoreTables>, plugin: string): Promise<ReadonlySet<string>> {
    const rows = await reader
      .selectFrom('plugin_withdrawn_approvals')
      .select('key')
      .where('plugin_name', '=', plugin)
      .where('kind', '=', 'stage')
      .execute()
    return new Set(rows.map(({ key }) => key))
  }

  /** Forgets one of them, because an admin has decided against it. */
  async forget(plugin: string, kind: WithdrawnApproval['kind'], key: string): Promise<void> {
    await this.#database.withBusyRetry((kysely) =>
      kysely
        .deleteFrom('plugin_withdrawn_approvals')
        .where('plugin_name', '=', plugin)
        .where('kind', '=', kind)
        .where('key', '=', key)
        .execute(),
    )
  }

  /** What is remembered of a plugin. */
  async of(plugin: string): Promise<WithdrawnHistory> {
    return this.#database.withBusyRetry(async (kysely) => {
      const rows = await kysely
        .selectFrom('plugin_withdrawn_approvals')
        .selectAll()
        .where('plugin_name', '=', plugin)
        .orderBy('kind')
        .orderBy('key')
        .execute()
      return { approvals: rows.map(fromRow), lastApprovedAt: await lastDecision(kysely, plugin) }
    })
  }
}

function fromRow(row: Selectable<PluginWithdrawnApprovalsTable>): WithdrawnApproval {
  return {
    kind: row.kind,
    key: row.key,
    version: row.plugin_version,
    approvedAt: row.approved_at,
    approvedBy: row.approved_by,
    withdrawnAt: row.withdrawn_at,
  }
}

async function forgetOldest(transaction: Transaction<CoreTables>, plugin: string): Promise<void> {
  const newest = transaction
    .selectFrom('plugin_withdrawn_approvals')
    .select(sql<number>`rowid`.as('rowid'))
    .where('plugin_name', '=', plugin)
    .orderBy('withdrawn_at', 'desc')
    .limit(grantLimits.withdrawnMax)
  await transaction
    .deleteFrom('plugin_withdrawn_approvals')
    .where('plugin_name', '=', plugin)
    .where(sql<number>`rowid`, 'not in', newest)
    .execute()
}

/** When something of the plugin that is approved was approved last; empty when nothing is. */
async function lastDecision(reader: Kysely<CoreTables>, plugin: string): Promise<string> {
  let last = ''
  for (const table of ['plugin_routes', 'plugin_grants'] as const) {
    const row = await reader
      .selectFrom(table)
      .select(({ fn }) => fn.max('approved_at').as('at'))
      .where('plugin_name', '=', plugin)
      .executeTakeFirst()
    const at = row?.at ?? ''
    if (at > last) last = at
  }
  return last
}
