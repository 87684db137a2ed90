/** What policies decide. */
export type PolicyEffect = 'permit' | 'deny'

/** A policy; docs/auth.md says what its members mean. */
export interface PolicyDocument {
  readonly id: string
  readonly name?: string
  readonly description?: string
  readonly effect: PolicyEffect
  /** Larger goes first; 0 when missing. */
  readonly priority?: number
  readonly enabled?: boolean
  /** Who; an empty list is anybody. */
  readonly subjects: readonly object[]
  /** On what; an empty list is anything. */
  readonly resources: readonly object[]
  /** What is done; an empty list is anything. */
  readonly actions: readonly object[]
  /** All of them must hold. */
  readonly conditions?: readonly object[]
}

/** A policy, and where it comes from. */
export interface ListedPolicy {
  readonly id: string
  /** Missing when what is stored cannot be used. */
  readonly policy?: PolicyDocument
  /** Why it cannot be used; empty when it can. */
  readonly problems: readonly { readonly path: string; readonly rule: string }[]
  readonly priority: number
  /** Those of `config` cannot be changed; what follows is missing for them. */
  readonly source: 'config' | 'database'
  readonly version?: number
  /** Milliseconds since 1970. */
  readonly createdAt?: number
  /** Milliseconds since 1970. */
  readonly changedAt?: number
  readonly changedBy?: string
}

/** A part of all policies, in the order in which they are looked at. */
export interface PolicyPage {
  readonly policies: readonly ListedPolicy[]
  /** Where the next page begins; missing when this is the last. */
  readonly nextCursor?: string
}

/** A version of a policy that was or is in force. */
export interface PolicyVersion {
  readonly version: number
  readonly change: 'create' | 'replace' | 'update' | 'delete' | 'seed'
  /** Milliseconds since 1970. */
  readonly changedAt: number
  readonly changedBy: string
  /** Missing when the policy was deleted. */
  readonly policy?: PolicyDocument
}

/** What a decision is about; what is missing is not known. */
export interface PolicyContext {
  readonly subject?: {
    readonly id?: string
    readonly kind?: 'user' | 'key' | 'service' | 'worker' | 'anonymous'
    readonly roles?: readonly string[]
    readonly groups?: readonly string[]
    readonly tenant?: string
    readonly claims?: object
  }
  readonly resource?: {
    readonly app?: string
    readonly path?: string
    readonly type?: string
    readonly id?: string
    readonly attributes?: object
  }
  readonly action?: { readonly method?: string; readonly operation?: string }
  readonly environment?: {
    readonly ip?: string
    /** RFC 3339, or milliseconds since 1970; now when missing. */
    readonly time?: string | number
    readonly userAgent?: string
  }
}

export interface PolicyDecision {
  readonly effect: PolicyEffect
  /** Id of the policy; missing when none applied. */
  readonly decidedBy?: string
  /** What whoever is denied something reads. */
  readonly reason: string
  readonly algorithm: string
  /** Why a policy could not be evaluated. */
  readonly failure?: string
}

/** Whether something holds; `error` where nobody can tell. */
export type PolicyTruth = boolean | 'error' | 'pending'

export type PolicyOutcome = PolicyEffect | 'notApplicable' | 'indeterminate'

/** What a condition came to; of those inside of it as well. */
export interface PolicyConditionResult {
  readonly type: string
  readonly result: PolicyTruth
  readonly reason: string
  readonly conditions?: readonly PolicyConditionResult[]
}

/** A decision, and how it came about. */
export interface PolicyExplanation {
  readonly decision: PolicyDecision
  /** All there are, in the order in which they are looked at. */
  readonly policies: readonly {
    readonly id: string
    readonly name: string
    readonly priority: number
    readonly enabled: boolean
    readonly policyEffect: PolicyEffect
    readonly matched: Readonly<Record<'subject' | 'resource' | 'action', PolicyTruth>>
    readonly conditions: readonly PolicyConditionResult[]
    readonly effect: PolicyOutcome
    readonly decided: boolean
  }[]
  readonly combining: {
    readonly algorithm: string
    readonly considered: readonly {
      readonly id: string
      readonly effect: PolicyOutcome
      readonly decided: boolean
    }[]
    readonly conclusion: string
  }
}

/** How policies decide, at a glance. */
export interface PolicyStatus {
  readonly algorithm: string
  readonly defaultEffect: PolicyEffect
  readonly policies: number
  readonly enabled: number
  /** Stored ones that cannot be read. */
  readonly unusable: number
  /** False where no rule names the authorizer `policies`: nothing is decided then. */
  readonly inUse: boolean
}
