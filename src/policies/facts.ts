import { canonicalIp } from '../base/ip-address.js'
import { policyLimits } from '../base/limits/policies.js'
import type { PolicyContext } from './context.js'
import type { Questions } from './questions.js'
import type { Truth } from './truth.js'

/** A context as policies look at it: everything in the one form in which it is compared. */
export interface Facts {
  readonly subject: PolicyContext['subject']
  readonly resource: PolicyContext['resource']
  /** Without a slash at its end; undefined when it is missing. */
  readonly path: string | undefined
  /** In capitals; undefined when it is missing. */
  readonly method: string | undefined
  readonly operation: string | undefined
  /** Milliseconds since 1970. */
  readonly timeMs: number
  /** Canonical; undefined when it is missing or no address. */
  readonly ip: string | undefined
  readonly questions: Questions
}

/** Whether a condition without others inside holds of facts, and why. */
export interface Finding {
  readonly truth: Truth
  readonly reason: string
}

/**
 * Brings a context into the form in which it is compared.
 *
 * @param nowMs Milliseconds since 1970, for a context without a time.
 * @throws RangeError for a path that is too long to be looked at, TypeError for a context without a subject: to most
 *   policies it would look like somebody whom they are not about.
 */
export function factsOf(context: PolicyContext, questions: Questions, nowMs: number): Facts {
  const { subject, resource, action, environment = {} } = context
  if (typeof subject.id !== 'string' || !Array.isArray(subject.roles) || !Array.isArray(subject.groups)) {
    throw new TypeError('the context has no subject with an id, roles and groups')
  }
  return {
    subject,
    resource,
    path: resource.path === undefined ? undefined : trimPath(resource.path),
    method: action.method?.toUpperCase(),
    operation: action.operation,
    timeMs: environment.time ?? nowMs,
    ip: environment.ip === undefined ? undefined : canonicalIp(environment.ip),
    questions,
  }
}

/** Takes the slash at the end away, as `/a/` and `/a` lead to one place; the root keeps its own. */
export function trimPath(path: string): string {
  const { pathCharactersMax } = policyLimits
  if (path.length > pathCharactersMax) {
    throw new RangeError(`a path has ${path.length} characters; the limit is ${pathCharactersMax}`)
  }
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}
