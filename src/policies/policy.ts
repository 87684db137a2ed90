export const effects = ['permit', 'deny'] as const
export type Effect = (typeof effects)[number]

/** Kinds of subjects; those of identities. */
export const subjectKinds = ['user', 'key', 'service', 'worker', 'anonymous'] as const
export type SubjectKind = (typeof subjectKinds)[number]

export const operators = ['eq', 'neq', 'gt', 'lt', 'gte', 'lte', 'contains', 'in', 'exists'] as const
export type Operator = (typeof operators)[number]

export type Scalar = string | number | boolean | null

/** What claims and attributes are made of. */
export type JsonValue = Scalar | readonly JsonValue[] | { readonly [name: string]: JsonValue }

/** Compares a claim or an attribute with what the policy says. */
export interface Comparison {
  /** Names of members with dots between them; a member whose own name has the dots goes first. */
  readonly name: string
  /** `eq` when missing. */
  readonly operator?: Operator
  /** A list for `in`; for `exists` whether it has to be there, true when missing. */
  readonly value?: Scalar | readonly Scalar[]
}

/** Who; what is missing is no constraint. */
export interface SubjectItem {
  readonly id?: string
  readonly kind?: SubjectKind
  /** `*` is any number of characters. */
  readonly role?: string
  readonly group?: string
  readonly tenant?: string
  readonly claim?: Comparison
}

/** On what; what is missing is no constraint. */
export interface ResourceItem {
  /** `*` is any number of characters. */
  readonly app?: string
  /** Glob: `*` is one segment or a part of one, `**` any number of segments. */
  readonly path?: string
  readonly type?: string
  readonly id?: string
  /** The attribute `owner` of the resource is the id of the subject. */
  readonly owner?: 'self'
  readonly attribute?: Comparison
}

/** What is done; what is missing is no constraint. */
export interface ActionItem {
  /** In any case; `*` is any, and GET is HEAD as well. */
  readonly method?: string
  readonly operation?: string
}

/** What must hold beside who, on what and what is done. */
export type Condition =
  | TimeCondition
  | IpCondition
  | ({ readonly type: 'claim' | 'attribute' } & Comparison)
  | { readonly type: 'plugin'; readonly plugin: string; readonly name: string }
  | { readonly type: 'not'; readonly condition: Condition }
  | { readonly type: 'anyOf' | 'allOf'; readonly conditions: readonly Condition[] }

export interface TimeCondition {
  readonly type: 'time'
  /** HH:MM or RFC 3339; the moment itself belongs to it. */
  readonly after?: string
  /** HH:MM or RFC 3339; the moment itself does not belong to it. */
  readonly before?: string
  /** 1 is Monday, 7 Sunday; of a window across midnight the day on which it began. */
  readonly days?: readonly number[]
  /** IANA name; UTC when missing. */
  readonly timezone?: string
}

export interface IpCondition {
  readonly type: 'ip'
  /** Addresses and CIDR blocks. */
  readonly allow?: readonly string[]
  /** Go before those of `allow`. */
  readonly deny?: readonly string[]
}

/** A policy, complete and checked. In each list one item has to match, and an empty one means anything. */
export interface Policy {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly effect: Effect
  /** Larger ones are looked at first; equals in the order of their ids. */
  readonly priority: number
  /** One that is not enabled decides nothing. */
  readonly enabled: boolean
  readonly subjects: readonly SubjectItem[]
  readonly resources: readonly ResourceItem[]
  readonly actions: readonly ActionItem[]
  /** All of them must hold. */
  readonly conditions: readonly Condition[]
}

/** The order in which policies are looked at. */
export function byPriority(a: Pick<Policy, 'id' | 'priority'>, b: Pick<Policy, 'id' | 'priority'>): number {
  return b.priority - a.priority || (a.id < b.id ? -1 : Number(a.id > b.id))
}
