import { Area, type ToldFailure } from '../../areas/area.js'
import { defineError, type HostError } from '../../base/errors.js'
import { kvHttpLimits } from '../../base/limits/kv.js'

/** No credential, or one that is not valid. The same text for both, so that it tells nothing. */
export const credentialMissing = defineError(
  'UNAUTHORIZED',
  401,
  'The key-value store needs a credential, the admin token or an API key as "Authorization: Bearer <token>", or a session.',
)

/** A valid credential of a user who may not do this. */
export const permissionMissing = defineError(
  'FORBIDDEN',
  403,
  'User "{user}" has the role "{role}", which does not have the permission "{permission}" that this needs.',
)

/** More requests of one client than keyval.rate_limit allows. */
export const requestsLimited = defineError(
  'RATE_LIMITED',
  429,
  'Too many requests from this address. Wait as long as Retry-After says, or put several operations into one request: /keys/batch and /atomic take many.',
)

/** A stream more than one client may have. */
export const streamsOfClientExhausted = defineError(
  'KV_STREAMS_EXHAUSTED',
  429,
  'This address has {max} streams open, and no more are allowed. Close one, or watch several keys with one stream.',
)

/** A stream more than all clients together may have. */
export const streamsExhausted = defineError(
  'KV_STREAMS_EXHAUSTED',
  503,
  'All clients together have {max} streams open, and no more are allowed. Use the polls, /watch/poll and /queue/poll.',
)

/** A request that does not have its form; the text names the place. */
export const requestInvalid = defineError('KV_REQUEST_INVALID', 400, '{problem}')

/** A body above `kvHttpLimits.bodyBytesMax`. */
export const bodyTooLarge = defineError(
  'KV_BODY_TOO_LARGE',
  413,
  'The request body is larger than the limit of {limit} bytes. Split it over several requests.',
)

/** A body that is not JSON by its content type. */
export const bodyNotJson = defineError(
  'KV_REQUEST_INVALID',
  415,
  'The request body is not JSON by its content type. Send it as application/json, or send no body where none is needed.',
)

/** An answer above a limit of `kvHttpLimits`. */
export const answerTooLarge = defineError(
  'KV_ANSWER_TOO_LARGE',
  413,
  'The answer would be larger than {limit} bytes. {remedy}',
)

/** A key without an entry. */
export const keyNotFound = defineError('KV_KEY_NOT_FOUND', 404, 'Key not found')

/** An id that no dead letter of this namespace has. */
export const deadLetterNotFound = defineError('KV_DEAD_LETTER_NOT_FOUND', 404, 'Message not found in DLQ')

/** A path or method that the key-value store does not have. */
export const pathUnknown = defineError(
  'NOT_FOUND',
  404,
  'The key-value store has no {method} {path}; /api/v1/openapi.json lists what it has.',
)

/** Codes of 5xx errors whose text the host writes by itself. */
const plainServerErrors = /^(?:KV_|DATABASE_BUSY$|DATABASE_CLOSED$)/

/** How the key-value store answers failures: with `{error, code}`. */
export const kvAnswers = new Area({
  name: 'kv',
  bodyBytesMax: kvHttpLimits.bodyBytesMax,
  refusals: { requestInvalid, bodyTooLarge, bodyNotJson, pathUnknown },
  // 507 is about what the caller has stored, and 503 about the load.
  isPlain: ({ code }) => plainServerErrors.test(code),
  envelope: failureBody,
})

/** The body of a failure, and what a stream tells its client when it has to end. */
export function failureBody({ message, code }: ToldFailure): {
  readonly error: string
  readonly code: string
} {
  return { error: message, code }
}

/** Tells the client of a request how long to wait, before it is refused. */
export function rejectRate(waitMs: number): HostError {
  return requestsLimited({}, { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) })
}
