import { isDateTime } from '../base/date-time.js'
import { policyLimits } from '../base/limits/policies.js'
import type { Members } from './comparison.js'
import { contextInvalid } from './errors.js'
import type { SubjectKind } from './policy.js'
import { type Problem, problemDetails, tellProblems } from './problems.js'
import { contextSchema } from './schema.js'
import { findSchemaProblems } from './schema-check.js'

/** Who asks. */
export interface PolicySubject {
  readonly id: string
  readonly kind: SubjectKind
  readonly roles: readonly string[]
  readonly groups: readonly string[]
  readonly tenant?: string | undefined
  readonly claims: Members
}

/** What a decision is about. */
export interface PolicyContext {
  readonly subject: PolicySubject
  readonly resource: {
    readonly app?: string | undefined
    /** As the router reads it: decoded once, without a query. */
    readonly path?: string | undefined
    readonly type?: string | undefined
    readonly id?: string | undefined
    /** Whose it is says `owner`. */
    readonly attributes?: Members | undefined
  }
  readonly action: { readonly method?: string | undefined; readonly operation?: string | undefined }
  readonly environment?: {
    /** Address of the client; conditions on it cannot be evaluated when it is missing or no address. */
    readonly ip?: string | undefined
    /** Milliseconds since 1970; now when missing. */
    readonly time?: number | undefined
    readonly userAgent?: string | undefined
  }
}

/** A subject that nobody knows. */
export const anonymousSubject: PolicySubject = Object.freeze({
  id: 'anonymous',
  kind: 'anonymous',
  roles: Object.freeze([]),
  groups: Object.freeze([]),
  claims: Object.freeze({}),
})

type SentContext = {
  readonly [Name in keyof PolicyContext]?: Partial<PolicyContext[Name]>
} & { readonly environment?: { readonly time?: string | number } }

/**
 * Reads a context that somebody sent to have it tried. Without a subject it is about nobody that is known.
 *
 * @param sent As JSON gives it.
 * @throws `POLICY_CONTEXT_INVALID` with all problems.
 */
export function readContext(sent: unknown): PolicyContext {
  const problems = problemsOf(sent)
  if (problems.length > 0) {
    throw contextInvalid({ problems: tellProblems(problems) }, { details: problemDetails(problems) })
  }
  const { subject = {}, resource = {}, action = {}, environment = {} } = sent as SentContext
  const { time, ...others } = environment
  const kind = subject.id === undefined ? 'anonymous' : 'user'
  return {
    subject: { ...anonymousSubject, kind, ...subject },
    resource,
    action,
    environment: time === undefined ? others : { ...others, time: momentOf(time) },
  }
}

function problemsOf(sent: unknown): readonly Problem[] {
  let bytes: number
  try {
    bytes = Buffer.byteLength(JSON.stringify(sent) ?? '')
  } catch {
    return [{ path: '', rule: 'is no JSON, or nested too deep' }]
  }
  const { contextBytesMax } = policyLimits
  if (bytes > contextBytesMax)
    return [{ path: '', rule: `has ${bytes} bytes; the limit is ${contextBytesMax}` }]
  const problems = findSchemaProblems(contextSchema, sent)
  if (problems.length > 0) return problems
  const { resource, environment } = sent as SentContext
  const { path } = resource ?? {}
  const { time } = environment ?? {}
  return [
    ...(path === undefined || path.startsWith('/')
      ? []
      : [{ path: 'resource.path', rule: 'must start with "/"' }]),
    ...(time === undefined || Number.isFinite(momentOf(time))
      ? []
      : [{ path: 'environment.time', rule: 'must be RFC 3339, or milliseconds since 1970' }]),
  ]
}

const latestMs = 8.64e15

/** Milliseconds since 1970; NaN for no moment. */
function momentOf(time: string | number): number {
  if (typeof time === 'number') return Math.abs(time) <= latestMs ? time : Number.NaN
  return isDateTime(time) ? Date.parse(time) : Number.NaN
}
