import type { Kysely, Selectable, Transaction } from 'kysely'
import type { CoreDatabase } from '../../database/database.js'
import type { CoreTables, PluginGrantsTable } from '../../database/tables.js'
import {
  type ApprovalColumns,
  type ApprovalDecision,
  approvalColumns,
  approvalFromRow,
  approvedColumns,
  withdrawnColumns,
} from '../approval-columns.js'
import { type GrantApproval, type GrantChange, type GrantPlan, planGrants } from './grant-plan.js'
import type { GrantKind } from './grant-table.js'

/** Names one grant of one plugin. */
export interface GrantReference {
  readonly plugin: string
  readonly kind: GrantKind
  readonly key: string
}

/** What an approval is given for, and by whom. */
export type GrantDecision = GrantReference & ApprovalDecision

/** The stored approvals of what plugins ask for beside routes. */
export class GrantStore {
  readonly #database: CoreDatabase

  constructor(database: CoreDatabase) {
    this.#database = database
  }

  /** All that is stored for a plugin. */
  of(plugin: string): Promise<readonly GrantApproval[]> {
    return this.#database.withBusyRetry((kysely) => selectGrants(kysely, plugin))
  }

  /** Brings the rows of one plugin in line with a generation that goes into service. */
  async apply(
    transaction: Transaction<CoreTables>,
    plugin: string,
    change: Omit<GrantChange, 'stored'>,
  ): Promise<GrantPlan> {
    const plan = planGrants({ ...change, stored: await selectGrants(transaction, plugin) })
    await transaction.deleteFrom('plugin_grants').where('plugin_name', '=', plugin).execute()
    if (plan.approvals.length > 0) {
      const values = plan.approvals.map((approval) => toRow(plugin, approval))
      await transaction.insertInto('plugin_grants').values(values).execute()
    }
    return plan
  }

  /** Stores an approval; false when the grant has no row. */
  approve(decision: GrantDecision): Promise<boolean> {
    return this.#set(decision, approvedColumns(decision))
  }

  /** Withdraws an approval, also that of a plugin that does not run; false when the grant has no row. */
  revoke(reference: GrantReference): Promise<boolean> {
    return this.#set(reference, withdrawnColumns)
  }

  #set({ plugin, kind, key }: GrantReference, values: Partial<ApprovalColumns>): Promise<boolean> {
    return this.#database.withBusyRetry(async (kysely) => {
      const { numUpdatedRows } = await kysely
        .updateTable('plugin_grants')
        .set(values)
        .where('plugin_name', '=', plugin)
        .where('kind', '=', kind)
        .where('key', '=', key)
        .executeTakeFirst()
      return numUpdatedRows > 0n
    })
  }
}

async function selectGrants(reader: Kysely<CoreTables>, plugin: string): Promise<readonly GrantApproval[]> {
  const rows = await reader
    .selectFrom('plugin_grants')
    .selectAll()
    .where('plugin_name', '=', plugin)
    .execute()
  return rows.map(fromRow)
}

function fromRow(row: Selectable<PluginGrantsTable>): GrantApproval {
  return {
    kind: row.kind,
    key: row.key,
    description: row.description,
    ...approvalFromRow(row),
  }
}

function toRow(plugin: string, approval: GrantApproval): Selectable<PluginGrantsTable> {
  return {
    plugin_name: plugin,
    kind: approval.kind,
    key: approval.key,
    description: approval.description,
    ...approvalColumns(approval),
  }
}
