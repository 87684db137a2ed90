import type { Selectable, Transaction } from 'kysely'
import type { CoreDatabase } from '../database/database.js'
import type { CoreTables, PluginRoutesTable } from '../database/tables.js'
import { requirementOf, requirementText } from '../identity/requirement.js'
import {
  type ApprovalColumns,
  type ApprovalDecision,
  approvalColumns,
  approvalFromRow,
  approvedColumns,
  withdrawnColumns,
} from './approval-columns.js'
import { type ApprovalChange, type ApprovalPlan, planApprovals, type RouteApproval } from './approvals.js'

/** Names one route of one plugin. */
export interface StoredRoute {
  readonly plugin: string
  readonly method: string
  readonly path: string
}

/** What an approval is given for, and by whom. */
export type RouteDecision = StoredRoute & ApprovalDecision

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

  /** The approved routes of a plugin, whether it runs or not. */
  approvedOf(plugin: string): Promise<readonly RouteApproval[]> {
    return this.#database.withBusyRetry(async (kysely) => {
      const rows = await kysely
        .selectFrom('plugin_routes')
        .selectAll()
        .where('plugin_name', '=', plugin)
        .where('approved', '=', 1)
        .execute()
      return rows.map(fromRow)
    })
  }

  /** Stores an approval; false when the route has no row. */
  approve(decision: RouteDecision): Promise<boolean> {
    return this.#set(decision, approvedColumns(decision))
  }

  /** Withdraws an approval, also that of a plugin that does not run; false when the route has no row. */
  revoke(reference: StoredRoute): Promise<boolean> {
    return this.#set(reference, withdrawnColumns)
  }

  #set({ plugin, method, path }: StoredRoute, values: Partial<ApprovalColumns>): Promise<boolean> {
    return this.#database.withBusyRetry(async (kysely) => {
      const { numUpdatedRows } = await kysely
        .updateTable('plugin_routes')
        .set(values)
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
  const requires = requirementOf(row.requires)
  return {
    method: row.method,
    path: row.path,
    public: row.public === 1,
    ...(requires !== undefined && { requires }),
    ...approvalFromRow(row),
  }
}

function toRow(plugin: string, approval: RouteApproval): Selectable<PluginRoutesTable> {
  return {
    plugin_name: plugin,
    method: approval.method,
    path: approval.path,
    public: approval.public ? 1 : 0,
    requires: requirementText(approval.requires),
    ...approvalColumns(approval),
  }
}
