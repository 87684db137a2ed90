import { defineError } from '../base/errors.js'

/** No credential, or one that is not valid. The same text for both, so that it tells nothing. */
export const unauthorized = defineError(
  'UNAUTHORIZED',
  401,
  'this needs a credential, the admin token or an API key as "Authorization: Bearer <token>", or a session; the server prints at its start where the admin token is',
)

/** A valid credential of a user who may not do this. */
export const forbidden = defineError(
  'FORBIDDEN',
  403,
  'user "{user}" has the role "{role}", which does not have the permission "{permission}" that this needs',
)

/** A path or method that the admin API does not have. */
export const operationNotFound = defineError(
  'NOT_FOUND',
  404,
  'the admin API has no {method} {path}; /api/v1/openapi.json lists what it has',
)

/** A request that does not have the form of its schema, or that could not be read. */
export const invalidRequest = defineError('INVALID_REQUEST', 400, '{problem}')

/** A body above `adminLimits.bodyBytesMax`. */
export const bodyTooLarge = defineError(
  'INVALID_REQUEST',
  413,
  'the request body is larger than the limit of {limit} bytes; send the items in several requests',
)

/** A body that is not JSON by its content type. */
export const unsupportedMediaType = defineError(
  'INVALID_REQUEST',
  415,
  'the request body has the content type "{type}"; send it as application/json, or send no body where none is needed',
)

/** Some grants of a list are not asked for by a plugin; the others were approved or revoked. */
export const grantsNotFound = defineError(
  'GRANTS_NOT_FOUND',
  400,
  '{failed} of {total} {items} could not be {done}, see "errors"; the others were',
)

/** No breaker of that plugin and domain remembers a failure. */
export const breakerNotFound = defineError(
  'BREAKER_NOT_FOUND',
  404,
  'no circuit breaker keeps plugin "{plugin}" from "{domain}"; the list of breakers shows those that remember failures',
)

/** Some routes of a list are not registered by a running plugin; the others were approved or revoked. */
export const routesNotFound = defineError(
  'ROUTES_NOT_FOUND',
  400,
  '{failed} of {total} routes could not be {done}, see "errors"; the others were',
)

/** Fixed text of a load that failed: the reason holds Lua text, which stays out of 5xx answers. */
export const loadFailedText =
  'the plugin could not be loaded; its failed_reason (modulacms plugin info NAME) and the log line of this request tell why'

/** Fixed text of every other failure of the server. */
export const internalErrorText = 'the server failed to do this; the log line of this request tells why'

/** Codes of 5xx errors whose text the host writes by itself, without anything of a plugin in it. */
export const plainServerErrors: readonly string[] = ['PLUGINS_CLOSING', 'PLUGIN_DIRECTORY_UNREADABLE']
