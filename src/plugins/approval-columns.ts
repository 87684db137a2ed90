import type { Selectable } from 'kysely'
import type { PluginGrantsTable, PluginRoutesTable } from '../database/tables.js'
import type { Approval } from './approvals.js'

/** What an approval is given for, and by whom. */
export interface ApprovalDecision {
  readonly version: string
  readonly contentHash: string
  readonly actor: string
  /** RFC 3339. */
  readonly now: string
}

/** The columns of an approval, which the rows of routes and those of all other grants have in common. */
export type ApprovalColumns = Pick<
  Selectable<PluginRoutesTable> & Selectable<PluginGrantsTable>,
  'approved' | 'approved_at' | 'approved_by' | 'plugin_version' | 'content_hash' | 'created_at'
>

/** The columns that a withdrawal writes; what the approval was for stays. */
export const withdrawnColumns: Pick<ApprovalColumns, 'approved' | 'approved_at' | 'approved_by'> = {
  approved: 0,
  approved_at: null,
  approved_by: null,
}

/** Gives the columns that an approval writes. */
export function approvedColumns({
  version,
  contentHash,
  actor,
  now,
}: ApprovalDecision): Omit<ApprovalColumns, 'created_at'> {
  return {
    approved: 1,
    approved_at: now,
    approved_by: actor,
    plugin_version: version,
    content_hash: contentHash,
  }
}

/** Reads the approval from a row. */
export function approvalFromRow(row: ApprovalColumns): Approval {
  return {
    approved: row.approved === 1,
    approvedAt: row.approved_at,
    approvedBy: row.approved_by,
    version: row.plugin_version,
    contentHash: row.content_hash,
    createdAt: row.created_at,
  }
}

/** Gives the columns of an approval for a row; the inverse of `approvalFromRow`. */
export function approvalColumns(approval: Approval): ApprovalColumns {
  return {
    approved: approval.approved ? 1 : 0,
    approved_at: approval.approvedAt,
    approved_by: approval.approvedBy,
    plugin_version: approval.version,
    content_hash: approval.contentHash,
    created_at: approval.createdAt,
  }
}
