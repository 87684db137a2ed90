import { routeKey } from '../capabilities/http/route-rules.js'

/** What an approval holds for: the version that the plugin states, or the very bytes of its source. */
export type ApprovalBinding = 'version' | 'content'

/** A route as a plugin registered it. */
export interface DeclaredRoute {
  readonly method: string
  readonly path: string
  /** Whether it answers without a login. */
  readonly public: boolean
}

/** A route as it is stored, with its approval. */
export interface RouteApproval extends DeclaredRoute {
  readonly approved: boolean
  /** RFC 3339; null while the route is not approved. */
  readonly approvedAt: string | null
  readonly approvedBy: string | null
  /** Version that the approval holds for. */
  readonly version: string
  /** Content hash that the approval holds for; the one that was loaded while the route is not approved. */
  readonly contentHash: string
  readonly createdAt: string
}

export interface ApprovalChange {
  /** All that is stored for the plugin so far. */
  readonly stored: readonly RouteApproval[]
  /** All routes of the generation that goes into service. */
  readonly routes: readonly DeclaredRoute[]
  readonly version: string
  readonly contentHash: string
  readonly binding: ApprovalBinding
  /** RFC 3339. */
  readonly now: string
}

export interface ApprovalPlan {
  /** All that is to be stored for the plugin: one row per route, in the order of the routes. */
  readonly approvals: readonly RouteApproval[]
  /** Keys of the routes that were approved and are so no longer. */
  readonly withdrawn: readonly string[]
}

/**
 * Decides which approvals a new generation inherits. A route keeps its approval only when it is the same route
 * (method, path and `public`) of the same version, and with the binding `content` of the same source. A route
 * that is no longer registered loses its row, so that it asks again when it comes back.
 */
export function planApprovals(change: ApprovalChange): ApprovalPlan {
  const storedByKey = new Map(change.stored.map((row) => [keyOf(row), row]))
  const approvals = change.routes.map((route) => inherit(route, storedByKey.get(keyOf(route)), change))
  const approved = new Set(approvals.filter((row) => row.approved).map(keyOf))
  const withdrawn = change.stored
    .filter((row) => row.approved)
    .map(keyOf)
    .filter((key) => !approved.has(key))
  return { approvals, withdrawn }
}

function keyOf({ method, path }: DeclaredRoute): string {
  return routeKey(method, path)
}

function inherit(
  route: DeclaredRoute,
  stored: RouteApproval | undefined,
  change: ApprovalChange,
): RouteApproval {
  if (stored?.approved && isSame(route, stored, change)) return stored
  return {
    method: route.method,
    path: route.path,
    public: route.public,
    approved: false,
    approvedAt: null,
    approvedBy: null,
    version: change.version,
    contentHash: change.contentHash,
    createdAt: stored?.createdAt ?? change.now,
  }
}

function isSame(route: DeclaredRoute, stored: RouteApproval, change: ApprovalChange): boolean {
  if (stored.public !== route.public || stored.version !== change.version) return false
  // With the binding `version` the stored hash stays that of the approved source, so that a later change to
  // `content` asks again for what nobody has seen.
  return change.binding === 'version' || stored.contentHash === change.contentHash
}
