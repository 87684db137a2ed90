import { routeKey } from '../capabilities/http/route-rules.js'
import { type Requirement, requirementText } from '../identity/requirement.js'

/** What an approval holds for: the version that the plugin states, or the very bytes of its source. */
export type ApprovalBinding = 'version' | 'content'

/** What is stored of the approval of anything that a plugin asks for. */
export interface Approval {
  readonly approved: boolean
  /** RFC 3339; null while it is not approved. */
  readonly approvedAt: string | null
  readonly approvedBy: string | null
  /** Version that the approval holds for. */
  readonly version: string
  /** Content hash that the approval holds for; the one that was loaded while it is not approved. */
  readonly contentHash: string
  readonly createdAt: string
}

/** The generation that goes into service, as far as approvals depend on it. */
export interface ApprovalTerms {
  readonly version: string
  readonly contentHash: string
  readonly binding: ApprovalBinding
  /** RFC 3339. */
  readonly now: string
}

/** What is stored for a plugin and what its next generation declares. */
export interface Inheritance<Item> {
  readonly stored: readonly (Item & Approval)[]
  readonly declared: readonly Item[]
  readonly terms: ApprovalTerms
  keyOf(item: Item): string
  /** Whether an approval of one would hold for the other, which has the same key. */
  isSame(one: Item, other: Item): boolean
}

/** What is to be stored for the plugin. */
export interface InheritancePlan<Item> {
  /** One row for each declaration, in their order. */
  readonly approvals: readonly (Item & Approval)[]
  /** The stored rows that were approved and are so no longer. */
  readonly withdrawn: readonly (Item & Approval)[]
}

/** A route as a plugin registered it. */
export interface DeclaredRoute {
  readonly method: string
  readonly path: string
  /** Whether it answers without a login. */
  readonly public: boolean
  /** What it needs of its callers beside that; nothing when missing. */
  readonly requires?: Requirement
}

/** A route as it is stored, with its approval. */
export type RouteApproval = DeclaredRoute & Approval

export interface ApprovalChange extends ApprovalTerms {
  /** All that is stored for the plugin so far. */
  readonly stored: readonly RouteApproval[]
  /** All routes of the generation that goes into service. */
  readonly routes: readonly DeclaredRoute[]
}

export type ApprovalPlan = InheritancePlan<DeclaredRoute>

/**
 * Decides which approvals a new generation inherits. What it declares keeps its approval only when it is the same
 * thing of the same version, and with the binding `content` of the same source. What is no longer declared loses
 * its row, so that it asks again when it comes back. Nothing becomes approved here that was not.
 */
export function planInheritance<Item extends object>(change: Inheritance<Item>): InheritancePlan<Item> {
  const { stored, declared, keyOf } = change
  const storedByKey = new Map(stored.map((row) => [keyOf(row), row]))
  const approvals = declared.map((item) => inherit(item, storedByKey.get(keyOf(item)), change))
  const approved = new Set(approvals.filter((row) => row.approved).map(keyOf))
  const withdrawn = stored.filter((row) => row.approved && !approved.has(keyOf(row)))
  return { approvals, withdrawn }
}

/** Decides which of its routes a new generation inherits the approval of; one that asks more or less of its callers is another. */
export function planApprovals({ stored, routes, ...terms }: ApprovalChange): ApprovalPlan {
  return planInheritance<DeclaredRoute>({
    stored,
    declared: routes.map(declaredRoute),
    terms,
    keyOf: ({ method, path }) => routeKey(method, path),
    isSame: (one, other) =>
      one.public === other.public && requirementText(one.requires) === requirementText(other.requires),
  })
}

/** Takes what an approval is about out of a route. */
export function declaredRoute({ method, path, public: isPublic, requires }: DeclaredRoute): DeclaredRoute {
  return { method, path, public: isPublic, ...(requires !== undefined && { requires }) }
}

function inherit<Item extends object>(
  item: Item,
  stored: (Item & Approval) | undefined,
  { terms, isSame }: Inheritance<Item>,
): Item & Approval {
  if (stored?.approved && isSame(item, stored) && holdsFor(stored, terms)) return { ...stored, ...item }
  return {
    ...item,
    approved: false,
    approvedAt: null,
    approvedBy: null,
    version: terms.version,
    contentHash: terms.contentHash,
    createdAt: stored?.createdAt ?? terms.now,
  }
}

function holdsFor(stored: Approval, { version, contentHash, binding }: ApprovalTerms): boolean {
  if (stored.version !== version) return false
  // With the binding `version` the stored hash stays that of the approved source, so that a later change to
  // `content` asks again for what nobody has seen.
  return binding === 'version' || stored.contentHash === contentHash
}
