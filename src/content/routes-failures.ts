import { Area } from '../areas/area.js'
import { defineError } from '../base/errors.js'
import { contentLimits } from '../base/limits/content.js'

/** No credential, or one that is not valid. */
export const credentialMissing = defineError(
  'UNAUTHORIZED',
  401,
  'This needs a credential, the admin token or an API key as "Authorization: Bearer <token>", or a session. Published entries are at /api/v1/content/by-slug/<slug> for everybody.',
)

/** A valid credential of a user who may not do this. */
export const permissionMissing = defineError(
  'FORBIDDEN',
  403,
  'User "{user}" has the role "{role}", which does not have the permission "{permission}" that this needs.',
)

/** More deliveries to one address than plugin_rate_limit allows. */
export const deliveriesLimited = defineError(
  'RATE_LIMITED',
  429,
  'Too many requests from this address. Wait a second and send fewer.',
)

/** A body, or a condition such as If-Match, that cannot be read. */
export const requestUnreadable = defineError('INVALID_REQUEST', 400, '{problem}')

/** A body above `contentLimits.bodyBytesMax`. */
export const bodyTooLarge = defineError(
  'INVALID_REQUEST',
  413,
  'The request body is larger than the limit of {limit} bytes.',
)

/** A body that is not JSON by its content type. */
export const bodyNotJson = defineError(
  'INVALID_REQUEST',
  415,
  'The request body is not JSON by its content type. Send it as application/json, or send no body where none is needed.',
)

/** A path or method that the content API does not have. */
export const pathUnknown = defineError(
  'NOT_FOUND',
  404,
  'The content API has no {method} {path}; /api/v1/openapi.json lists what it has.',
)

/** Codes of 5xx errors whose text the host writes by itself, without anything of a plugin in it. */
const plainServerErrors: readonly string[] = ['DATABASE_BUSY', 'DATABASE_CLOSED', 'HOOK_UNAVAILABLE']

/** How the content API answers failures. */
export const contentAnswers = new Area({
  name: 'content',
  bodyBytesMax: contentLimits.bodyBytesMax,
  refusals: { requestInvalid: requestUnreadable, bodyTooLarge, bodyNotJson, pathUnknown },
  isPlain: ({ code }) => plainServerErrors.includes(code),
  envelope: ({ code, message }, { id }) => ({ error: { code, message, request_id: id } }),
})
