import { HostError } from '../base/errors.js'
import { policyLimits } from '../base/limits/policies.js'
import { policyInvalid } from './errors.js'
import type { Policy } from './policy.js'
import { checkRules } from './policy-rules.js'
import { type Problem, problemDetails, tellProblems } from './problems.js'
import { policySchema } from './schema.js'
import { findSchemaProblems } from './schema-check.js'

/** A policy, or everything that is wrong with what was sent for one. */
export type ReadPolicy =
  | { readonly policy: Policy; readonly text: string }
  | { readonly problems: readonly Problem[] }

/**
 * Reads what somebody sent as a policy, and completes it: an enabled one of priority 0 without conditions.
 *
 * @returns The policy, which nobody can change, and its JSON; or all problems with their paths.
 */
export function tryReadPolicy(sent: unknown): ReadPolicy {
  const copy = copyOf(sent)
  if ('problem' in copy) return { problems: [{ path: '', rule: copy.problem }] }
  const problems = [...findSchemaProblems(policySchema, copy.value)]
  if (problems.length > 0) return { problems }
  const policy = complete(copy.value as Policy)
  checkRules(policy, (path, rule) => problems.push({ path, rule }))
  return problems.length > 0 ? { problems } : { policy: freeze(policy), text: JSON.stringify(policy) }
}

/**
 * Reads what somebody sent as a policy, as `tryReadPolicy`.
 *
 * @throws `POLICY_INVALID` with all problems.
 */
export function readPolicy(sent: unknown): { readonly policy: Policy; readonly text: string } {
  const read = tryReadPolicy(sent)
  if ('policy' in read) return read
  throw policyInvalid({ problems: tellProblems(read.problems) }, { details: problemDetails(read.problems) })
}

/** Gives the problems that a `POLICY_INVALID` carries; undefined for anything else. */
export function problemsOf(error: unknown): readonly Problem[] | undefined {
  if (!(error instanceof HostError) || error.code !== 'POLICY_INVALID') return undefined
  return error.details?.problems as readonly Problem[]
}

/** What was sent may be an object that somebody still changes, or none that JSON can say. */
function copyOf(sent: unknown): { readonly value: unknown } | { readonly problem: string } {
  let text: string | undefined
  try {
    text = JSON.stringify(sent)
  } catch {
    return { problem: 'is no JSON, or nested too deep' }
  }
  if (text === undefined) return { problem: 'must be an object' }
  const bytes = Buffer.byteLength(text)
  const { policyBytesMax } = policyLimits
  if (bytes > policyBytesMax) return { problem: `has ${bytes} bytes; the limit is ${policyBytesMax}` }
  return { value: JSON.parse(text) }
}

function complete(sent: Policy): Policy {
  return {
    id: sent.id,
    name: sent.name ?? '',
    description: sent.description ?? '',
    effect: sent.effect,
    priority: sent.priority ?? 0,
    enabled: sent.enabled ?? true,
    subjects: sent.subjects,
    resources: sent.resources,
    actions: sent.actions,
    conditions: sent.conditions ?? [],
  }
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const member of Object.values(value)) freeze(member)
  return Object.freeze(value)
}
