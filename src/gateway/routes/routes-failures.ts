import { Area } from '../../areas/area.js'
import { defineError } from '../../base/errors.js'
import { monitorLimits } from '../../base/limits/gateway.js'

/** No credential, or one that is not valid. The same text for both, so that it tells nothing. */
export const credentialMissing = defineError(
  'UNAUTHORIZED',
  401,
  'This needs a credential, the admin token or an API key as "Authorization: Bearer <token>", or a session; the server prints at its start where the admin token is.',
)

/** A valid credential of a user who may not do this. */
export const permissionMissing = defineError(
  'FORBIDDEN',
  403,
  'User "{user}" has the role "{role}", which does not have the permission "{permission}" that this needs.',
)

/** A request that does not have its form; the text names the place. */
export const requestInvalid = defineError('GATEWAY_REQUEST_INVALID', 400, '{problem}')

/** A body above `monitorLimits.bodyBytesMax`. */
export const bodyTooLarge = defineError(
  'GATEWAY_BODY_TOO_LARGE',
  413,
  'The request body is larger than the limit of {limit} bytes.',
)

/** A body that is not JSON by its content type. */
export const bodyNotJson = defineError(
  'GATEWAY_REQUEST_INVALID',
  415,
  'The request body is not JSON by its content type. Send it as application/json, or send no body where none is needed.',
)

/** A path or method that there is not. */
export const pathUnknown = defineError(
  'NOT_FOUND',
  404,
  'There is no {method} {path}; /api/v1/openapi.json lists what there is.',
)

/** How the gateway answers failures: with `{error, code}`. */
export const gatewayAnswers = new Area({
  name: 'gateway',
  bodyBytesMax: monitorLimits.bodyBytesMax,
  mayBodyBeEmpty: true,
  refusals: { requestInvalid, bodyTooLarge, bodyNotJson, pathUnknown },
  // 503 and its like are about the load, or about others.
  isPlain: ({ status }) => status !== 500,
  envelope: ({ code, message }) => ({ error: message, code }),
})
