import type { Generated } from 'kysely'

/** A policy that was added while the host ran. */
export interface PoliciesTable {
  /** As the policy says it; primary key. */
  id: string
  /** From 1; a policy that is created again goes on with the number of the deleted one. */
  version: number
  /** The row of `policy_history` with its last change. */
  sequence: number
  /** Of `policy_json`. */
  bytes: number
  /** Milliseconds since 1970. */
  created_at: number
  /** Milliseconds since 1970. */
  changed_at: number
  changed_by: string
  /** JSON object. */
  policy_json: string
}

/** What was done to a policy. */
export type PolicyChange = 'create' | 'replace' | 'update' | 'delete' | 'seed'

/** One version of a policy; the last ones are kept, those of deleted policies too. */
export interface PolicyHistoryTable {
  /** Rises with every change of any policy, and is never used again; primary key. */
  sequence: Generated<number>
  policy_id: string
  /** Unique with the policy. */
  version: number
  change: PolicyChange
  /** Milliseconds since 1970. */
  changed_at: number
  changed_by: string
  /** JSON object; null when the policy was deleted. */
  policy_json: string | null
}

/** A policy that the configuration had the host begin with: one that was deleted does not come back. */
export interface PolicySeedsTable {
  /** Primary key. */
  policy_id: string
  /** Milliseconds since 1970. */
  seeded_at: number
}

/** The tables of policies. */
export interface PolicyTables {
  policies: PoliciesTable
  policy_history: PolicyHistoryTable
  policy_seeds: PolicySeedsTable
}
