import type { Identity } from '../identity/identity.js'

/** What somebody wants to do. */
export interface AccessRequest {
  readonly identity: Identity
  /** `view`, `create`, `update`, `delete` by the method, or what a plugin calls it, e.g. `manage`. */
  readonly action: string
  /** Kind of what it is done to; `path` where nothing else is known. */
  readonly resourceType: string
  readonly resourceId: string | undefined
  /** What else is known of the resource, e.g. `tenantId`. */
  readonly attributes: Readonly<Record<string, unknown>>
  readonly method: string
  /** As the router reads it. */
  readonly path: string
  /** Address of the client. */
  readonly ip: string
  readonly requestId: string
  readonly userAgent: string | undefined
}

/** Whether something may be done; `reason` is for the caller. */
export type AccessDecision = { readonly allows: true } | { readonly allows: false; readonly reason: string }

/** Decides what somebody may do. What it throws is never an allow. */
export interface Authorizer {
  /** What rules name it by. */
  readonly name: string
  authorize(request: AccessRequest): AccessDecision | Promise<AccessDecision>
}

export const allowed: AccessDecision = Object.freeze({ allows: true })

/** Makes the decision against something. */
export function deny(reason: string): AccessDecision {
  return { allows: false, reason }
}

/** What a method does to what the path stands for. */
export function actionOf(method: string): string {
  switch (method) {
    case 'GET':
    case 'HEAD':
    case 'OPTIONS':
      return 'view'
    case 'POST':
      return 'create'
    case 'DELETE':
      return 'delete'
    default:
      return 'update'
  }
}
