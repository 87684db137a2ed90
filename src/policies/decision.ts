import type { Algorithm } from './combining.js'
import type { Effect } from './policy.js'

/** What policies have decided. */
export interface Decision {
  readonly effect: Effect
  /** Id of the policy that decided; missing when none applied. */
  readonly decidedBy?: string
  /** For whoever is permitted or denied something: the description of that policy, or what holds without one. */
  readonly reason: string
  readonly algorithm: Algorithm
  /** Why a policy could not be evaluated, for the log; it may name what the one who is denied must not know. */
  readonly failure?: string
}
