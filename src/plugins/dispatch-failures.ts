import type { FastifyReply } from 'fastify'
import type { CallFailureCode } from '../sandbox/generation.js'

/** An answer of the host in the place of a plugin. */
export interface DispatchFailure {
  readonly code: string
  readonly status: number
  /** Fixed text: nothing that Lua said is ever in it. */
  readonly message: string
  readonly headers?: Readonly<Record<string, string>>
}

/** The failures of a request before it reaches Lua, and those that Lua code can cause. */
export const dispatchFailures = {
  routeNotFound: {
    code: 'ROUTE_NOT_FOUND',
    status: 404,
    message: 'No route answers this method and path.',
  },
  unauthorized: {
    code: 'UNAUTHORIZED',
    status: 401,
    message: 'This route needs valid credentials. Send a bearer token or sign in.',
    headers: { 'www-authenticate': 'Bearer' },
  },
  rateLimited: {
    code: 'RATE_LIMITED',
    status: 429,
    message: 'Too many requests from this address. Wait a second and send fewer.',
    headers: { 'retry-after': '1' },
  },
  pluginUnavailable: {
    code: 'PLUGIN_UNAVAILABLE',
    status: 503,
    message: 'The plugin is not running. Try again later.',
  },
  breakerOpen: {
    code: 'CIRCUIT_BREAKER_OPEN',
    status: 503,
    message: 'The plugin failed too often and is paused. Try again later.',
  },
  poolExhausted: {
    code: 'POOL_EXHAUSTED',
    status: 503,
    message: 'The plugin is busy. Try again in a second.',
    headers: { 'retry-after': '1' },
  },
  executorLost: {
    code: 'EXECUTOR_LOST',
    status: 503,
    message: 'The request was lost while it ran. It may have had effects; check before it is sent again.',
  },
  handlerError: {
    code: 'HANDLER_ERROR',
    status: 500,
    message: 'The plugin failed to answer. The log has the reason under the request id.',
  },
  handlerTimeout: {
    code: 'HANDLER_TIMEOUT',
    status: 504,
    message: 'The plugin took too long to answer. The log has the reason under the request id.',
  },
  responseTooLarge: {
    code: 'RESPONSE_TOO_LARGE',
    status: 500,
    message:
      'The response of the plugin is larger than the limit. The log has the reason under the request id.',
  },
  secretInResponse: {
    code: 'SECRET_IN_RESPONSE',
    status: 500,
    message: 'The response of the plugin was withheld. The log has the reason under the request id.',
  },
  internalError: {
    code: 'INTERNAL_ERROR',
    status: 500,
    message: 'The server failed to answer. The log has the reason under the request id.',
  },
  bodyTooSlow: {
    code: 'INVALID_REQUEST',
    status: 408,
    message: 'The request body did not arrive in time. Send it faster or in smaller requests.',
    // The rest of the body may arrive at any time: no other request can follow it.
    headers: { connection: 'close' },
  },
  contentTypeMalformed: {
    code: 'INVALID_REQUEST',
    status: 415,
    message: 'The Content-Type header is malformed. Send one such as application/json, or none.',
  },
} as const satisfies Readonly<Record<string, DispatchFailure>>

/**
 * Makes the failure for a caller who is known and may not use the route.
 *
 * @param missing What the route needs and they lack.
 */
export function callerLacks(missing: string): DispatchFailure {
  return { code: 'AUTH_DENIED', status: 403, message: `This route needs ${missing}, which you do not have.` }
}

/**
 * Makes the failure for a body beyond the limit.
 *
 * @param bytes Declared size; undefined when the body was counted as it came and is not at its end.
 */
export function bodyTooLarge(bytes: number | undefined, bytesMax: number): DispatchFailure {
  const size = bytes === undefined ? `more than ${bytesMax}` : String(bytes)
  return {
    code: 'INVALID_REQUEST',
    status: 413,
    message: `The request body is too large: it has ${size} bytes and the limit is ${bytesMax}. Send less at once.`,
  }
}

/** What becomes of a call that ended without a result. */
export interface CallVerdict {
  readonly failure: DispatchFailure
  /** Whether the breaker of the plugin counts it. */
  readonly counts: boolean
}

const callVerdicts: Readonly<Record<CallFailureCode, CallVerdict>> = {
  ERROR: { failure: dispatchFailures.handlerError, counts: true },
  TIMEOUT: { failure: dispatchFailures.handlerTimeout, counts: true },
  INSTRUCTIONS: { failure: dispatchFailures.handlerTimeout, counts: true },
  MEMORY: { failure: dispatchFailures.handlerError, counts: true },
  RESULT_TOO_LARGE: { failure: dispatchFailures.responseTooLarge, counts: true },
  SECRET_IN_RESPONSE: { failure: dispatchFailures.secretInResponse, counts: true },
  POOL_EXHAUSTED: { failure: dispatchFailures.poolExhausted, counts: false },
  EVICTED: { failure: dispatchFailures.poolExhausted, counts: true },
  EXECUTOR_LOST: { failure: dispatchFailures.executorLost, counts: false },
  CLOSED: { failure: dispatchFailures.pluginUnavailable, counts: false },
}

const blamedVerdict: CallVerdict = { failure: dispatchFailures.handlerTimeout, counts: true }

/** Looks up what a failed call means for the caller and for the breaker. */
export function verdictOf(code: CallFailureCode, blamed: boolean): CallVerdict {
  // The call that made the supervisor terminate the thread is the one that took too long.
  return code === 'EXECUTOR_LOST' && blamed ? blamedVerdict : callVerdicts[code]
}

/** Writes the body of a failure: one line of JSON; the request id is left out when there is none. */
export function failureBody(failure: DispatchFailure, requestId: string): string {
  const error = { code: failure.code, message: failure.message }
  return `${JSON.stringify({ error: requestId === '' ? error : { ...error, request_id: requestId } })}\n`
}

/** Sends a failure. */
export function sendFailure(reply: FastifyReply, failure: DispatchFailure, requestId: string): void {
  reply.code(failure.status).header('content-type', 'application/json')
  if (failure.headers !== undefined) reply.headers(failure.headers)
  reply.serializer(asIs).send(failureBody(failure, requestId))
}

/** A serializer that leaves texts alone; with one, Fastify adds no charset to the content type. */
export function asIs(payload: unknown): string {
  return payload as string
}
