import type { Algorithm } from '../../src/policies/combining.js'
import { compilePolicy } from '../../src/policies/compiled-policy.js'
import type { PolicyContext, PolicySubject } from '../../src/policies/context.js'
import type { Condition, Policy } from '../../src/policies/policy.js'
import { PolicyEngine, type PolicyEngineOptions } from '../../src/policies/policy-engine.js'
import { readPolicy } from '../../src/policies/policy-reader.js'

/** What a test says of a policy; the rest is about anybody and anything. */
export type PolicyParts = Partial<Policy> & Pick<Policy, 'id'>

/** A policy as somebody would send it. */
export function document(parts: PolicyParts): object {
  return { effect: 'permit', subjects: [], resources: [], actions: [], ...parts }
}

export function policy(parts: PolicyParts): Policy {
  return readPolicy(document(parts)).policy
}

export function engineOf(
  policies: readonly PolicyParts[],
  options: Omit<PolicyEngineOptions, 'policies'> = {},
): PolicyEngine {
  return new PolicyEngine({ ...options, policies: policies.map((parts) => compilePolicy(policy(parts))) })
}

/** What a test says of a context; the rest is a user without roles who reads `/`. */
export interface ContextParts {
  readonly subject?: Partial<PolicySubject>
  readonly resource?: PolicyContext['resource']
  readonly action?: PolicyContext['action']
  readonly environment?: PolicyContext['environment']
}

export function context({ subject, resource, action, environment }: ContextParts = {}): PolicyContext {
  return {
    subject: { id: 'u1', kind: 'user', roles: [], groups: [], claims: {}, ...subject },
    resource: { path: '/', ...resource },
    action: { method: 'GET', operation: 'view', ...action },
    environment: { ip: '192.0.2.1', time: Date.parse('2026-03-04T12:00:00Z'), ...environment },
  }
}

/** Whether one policy, and nothing else, permits something. */
export async function permits(parts: Partial<Policy>, about: ContextParts = {}): Promise<boolean> {
  const { effect } = await engineOf([{ id: 'p', ...parts }]).evaluate(context(about))
  return effect === 'permit'
}

/** What a condition of a policy comes to. */
export async function resultOf(
  condition: Condition,
  about: ContextParts = {},
  options: Omit<PolicyEngineOptions, 'policies'> = {},
): Promise<{ readonly result: unknown; readonly reason: string }> {
  const engine = engineOf([{ id: 'p', conditions: [condition] }], options)
  const { policies } = await engine.explain(context(about))
  const [{ result, reason } = { result: undefined, reason: '' }] = policies[0]?.conditions ?? []
  return { result, reason }
}

export const allAlgorithms: readonly Algorithm[] = [
  'deny-overrides',
  'permit-overrides',
  'first-applicable',
  'deny-unless-permit',
  'permit-unless-deny',
]
