import { type Approval, type ApprovalTerms, type InheritancePlan, planInheritance } from '../approvals.js'
import { type DeclaredGrant, GrantTable } from './grant-table.js'

/** A grant as it is stored, with its approval. */
export type GrantApproval = DeclaredGrant & Approval

export interface GrantChange extends ApprovalTerms {
  /** All that is stored for the plugin so far. */
  readonly stored: readonly GrantApproval[]
  /** All that the generation asks for. */
  readonly grants: readonly DeclaredGrant[]
}

export type GrantPlan = InheritancePlan<DeclaredGrant>

/** Decides which grants a new generation inherits. Their descriptions are the plugin's own words and decide nothing. */
export function planGrants({ stored, grants, ...terms }: GrantChange): GrantPlan {
  return planInheritance<DeclaredGrant>({
    stored,
    declared: grants,
    terms,
    keyOf: ({ kind, key }) => `${kind} ${key}`,
    isSame: () => true,
  })
}

/**
 * Gives the table of a generation whose grants have been planned.
 *
 * @param formerStages Keys of stages whose approval has ended because the plugin changed; none when missing.
 */
export function grantTableOf(
  { approvals }: Pick<GrantPlan, 'approvals'>,
  formerStages: ReadonlySet<string> = new Set(),
): GrantTable {
  return GrantTable.create(
    approvals.map(({ kind, key, description, approved }) => ({
      kind,
      key,
      description,
      approved,
      ...(kind === 'stage' && !approved && formerStages.has(key) ? { held: true } : {}),
    })),
  )
}
