import { isBelow, looseReading } from '../../gateway/request-path.js'
import type { PolicyContext } from '../../policies/context.js'
import type { Decision } from '../../policies/decision.js'
import { type AccessDecision, type AccessRequest, type Authorizer, allowed, deny } from '../authorizer.js'

/** Decides by policies; `PolicyService` does. */
export interface PolicyDecider {
  evaluate(context: PolicyContext): Promise<Decision>
}

/** Below it stand the routes of plugins, each behind the name of its plugin. */
const pluginRoutes = '/api/v1/plugins'

/**
 * Creates the authorizer `policies`. What no policy can tell throws, so that it is answered as the failure of any other
 * authorizer.
 */
export function createPolicyAuthorizer(policies: PolicyDecider): Authorizer {
  return {
    name: 'policies',
    async authorize(request) {
      for (const path of readingsOf(request.path)) {
        const decision = await decide(policies, request, path)
        if (!decision.allows) return decision
      }
      return allowed
    },
  }
}

/** Servers may join slashes, decode them, or leave parameters out: what is denied is denied in these spellings, too. */
function readingsOf(path: string): readonly string[] {
  const loose = looseReading(path)
  return loose === path ? [path] : [path, loose]
}

async function decide(
  policies: PolicyDecider,
  request: AccessRequest,
  path: string,
): Promise<AccessDecision> {
  const { effect, reason, failure } = await policies.evaluate(contextOf(request, path))
  if (effect === 'permit') return allowed
  if (failure !== undefined) throw new Error(failure)
  return deny(reason.replace(/\.$/, ''))
}

/** Says what a request is about in the words of policies. */
function contextOf(request: AccessRequest, path: string): PolicyContext {
  const { identity, action, resourceType, resourceId, attributes, method, ip, userAgent } = request
  const { sub: id, kind, roles, groups, tenant, claims } = identity
  // A path by itself is nothing of a type.
  const named = resourceType === 'path' ? {} : { type: resourceType, id: resourceId }
  return {
    subject: { id, kind, roles, groups, tenant, claims },
    resource: {
      app: appOf(path),
      path,
      ...named,
      attributes: attributes as NonNullable<PolicyContext['resource']['attributes']>,
    },
    action: { method, operation: action },
    environment: { ip, userAgent, time: Date.now() },
  }
}

/** The plugin whose route a path is. */
function appOf(path: string): string | undefined {
  if (!isBelow(path, pluginRoutes)) return undefined
  return path.slice(pluginRoutes.length + 1).split('/', 1)[0] || undefined
}
