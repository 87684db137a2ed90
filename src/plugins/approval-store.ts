import type { Selectable, Transaction } from 'kysely'
import type { CoreDatabase } from '../database/database.js'
import type { CoreTables, PluginRoutesTable } from '../database/tables.js'
import { type ApprovalChange, type ApprovalPlan, planApprovals, type RouteApproval } from './approvals.js'

/** What an approval is given for, and by whom. */
export interface ApprovalGrant {
  readonly plugin: string
  readonly method: string
  readonly path: string
  readonly version: string
  readonly contentHash: string
  readonly actor: string
  /** RFC 3339. */
  readonly now: string
}

/** The stored approvals of routes. */
export class ApprovalStore {
  readonly #database: CoreDatabase

  constructor(database: CoreDatabase) {
    this.#database = database
  }

  /** Brings the rows of one plugin in line with a generation that goes into service. */
  async apply(
    transaction: Transaction<CoreTables>,
    plugin: string,
    change: Omit<ApprovalChange, 'stored'>,
  ): Promise<ApprovalPlan> {
    const rows = await selectRows(transaction, plugin)
    const plan = planApprovals({ ...change, stored: rows.map(fromRow) })
    await transaction.deleteFrom('plugin_routes').where('plugin_name', '=', plugin).execute()
    if (plan.approvals.length > 0) {
      const values = plan.approvals.map((approval) => toRow(plugin, approval))
      await transaction.insertInto('plugin_routes').values(values).execute()
    }
    return plan
  }

  /** Stores an approval; false when the route has no row. */
  approve(grant: ApprovalGrant): Promise<boolean> {
    return this.#database.withBusyRetry(async (kysely) => {
      const { numUpdatedRows } = await kysely
        .updateTable('plugin_routes')
        .set({
          approved: 1,
          approved_at: grant.now,
          approved_by: grant.actor,
          plugin_version: grant.version,
          content_hash: grant.contentHash,
        })
        .where('plugin_name', '=', grant.plugin)
        .where('method', '=', grant.method)
        .where('path', '=', grant.path)
        .executeTakeFirst()
      return numUpdatedRows > 0n
    })
  }

  /** Withdraws an approval, also that of a plugin that does not run; false when the route has no row. */
  revoke(plugin: string, method: string, path: string): Promise<boolean> {
    return this.#database.withBusyRetry(async (kysely) => {
      const { numUpdatedRows } = await kysely
        .updateTable('plugin_routes')
        .set({ approved: 0, approved_at: null, approved_by: null })
        .where('plugin_name', '=', plugin)
        .where('method', '=', method)
        .where('path', '=', path)
        .executeTakeFirst()
      return numUpdatedRows > 0n
    })
  }
}

function selectRows(
  transaction: Transaction<CoreTables>,
  plugin: string,
): Promise<Selectable<PluginRoutesTable>[]> {
  return transaction.selectFrom('plugin_routes').selectAll().where('plugin_name', '=', plugin).execute()
}

function fromRow(row: Selectable<PluginRoutesTable>): RouteApproval {
  return {
    method: row.method,
    path: row.path,
    public: row.public === 1,
    approved: row.approved === 1,
    approvedAt: row.approved_at,
    approvedBy: row.approved_by,
    version: row.plugin_version,
    contentHash: row.content_hash,
    createdAt: row.created_at,
  }
}

function toRow(plugin: string, approval: RouteApproval): Selectable<PluginRoutesTable> {
  return {
    plugin_name: plugin,
    method: approval.method,
    path: approval.path,
    public: approval.public ? 1 : 0,
    approved: approval.approved ? 1 : 0,
    approved_at: approval.approvedAt,
    approved_by: approval.approvedBy,
    plugin_version: approval.version,
    content_hash: approval.contentHash,
    created_at: approval.createdAt,
  }
}
