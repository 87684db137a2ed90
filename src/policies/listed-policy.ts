import type { PolicyChange } from '../database/policy-tables.js'
import type { Policy } from './policy.js'
import type { Problem } from './problems.js'

/** A policy, and where it comes from. */
export interface ListedPolicy {
  readonly id: string
  /** Undefined when what is stored cannot be used; it then counts as one that denies and cannot be evaluated. */
  readonly policy: Policy | undefined
  /** Why it cannot be used; empty when it can. */
  readonly problems: readonly Problem[]
  /** Larger is looked at first; what can be read of it when it cannot be used. */
  readonly priority: number
  /** Those of the configuration can only be changed there. */
  readonly source: 'config' | 'database'
  /** Undefined for those of the configuration, as everything below. */
  readonly version: number | undefined
  /** Milliseconds since 1970. */
  readonly createdAt: number | undefined
  /** Milliseconds since 1970. */
  readonly changedAt: number | undefined
  readonly changedBy: string | undefined
}

/** A version of a policy that was or is in force. */
export interface PolicyVersion {
  readonly version: number
  readonly change: PolicyChange
  /** Milliseconds since 1970. */
  readonly changedAt: number
  readonly changedBy: string
  /** Undefined when the policy was deleted. */
  readonly policy: unknown
}
