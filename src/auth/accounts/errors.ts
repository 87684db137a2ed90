import { defineError } from '../../base/errors.js'

/** No credential, or a cookie whose session is over. */
export const unauthorized = defineError(
  'UNAUTHORIZED',
  401,
  'This takes somebody who has signed in, an API key or the admin token. Sign in with POST /api/v1/auth/login.',
)

/** A valid credential of somebody who may not do this. */
export const forbidden = defineError(
  'FORBIDDEN',
  403,
  '"{user}" does not have the permission "{permission}" that this needs.',
)

/** A credential that stands for no user of this host, where one changes what is their own. */
export const accountRequired = defineError(
  'ACCOUNT_REQUIRED',
  403,
  '"{user}" is no user of this host that has signed in, so that nothing here is their own. Sign in, or name the user.',
)

/** Nobody of this name, another password, or a user who is not let in: the same for all of them. */
export const loginRefused = defineError('LOGIN_REFUSED', 401, 'The name or the password is wrong.')

/** The configuration does not let anybody sign in with a password. */
export const loginDisabled = defineError(
  'LOGIN_DISABLED',
  403,
  'Nobody signs in with a password here: auth.login.enabled or auth.enabled is false in the configuration.',
)

/** A page of another site has made a browser send this. */
export const loginForged = defineError(
  'AUTH_CSRF',
  403,
  '{reason} Sign in and out from a page of this host, or from a program that is no browser.',
)

/** The old password is another. It is no 401: who asks stays signed in. */
export const passwordWrong = defineError('PASSWORD_WRONG', 403, 'The old password is wrong.')

/** Somebody sets their own password without the old one. */
export const passwordOwn = defineError(
  'PASSWORD_OWN',
  409,
  'This is your own password. Change it with POST /api/v1/auth/password, which takes the old one.',
)

/** An id that no session of that user has. */
export const sessionNotFound = defineError('SESSION_NOT_FOUND', 404, 'There is no session {id} of this user.')

/** A time that cannot be read. */
export const timeInvalid = defineError(
  'INVALID_REQUEST',
  400,
  'expires_at is no time as RFC 3339 has it, e.g. "2031-01-31T12:00:00Z".',
)

/** A path or method that there is not. */
export const operationNotFound = defineError(
  'NOT_FOUND',
  404,
  'There is no {method} {path}; /api/v1/openapi.json lists what there is.',
)

/** A request that does not have the form of its schema, or that could not be read. */
export const invalidRequest = defineError('INVALID_REQUEST', 400, '{problem}')

/** A body above `accountLimits.bodyBytesMax`. */
export const bodyTooLarge = defineError(
  'INVALID_REQUEST',
  413,
  'The request body is larger than the limit of {limit} bytes.',
)

/** A body that is not JSON by its content type. */
export const bodyNotJson = defineError(
  'INVALID_REQUEST',
  415,
  'The request body has the content type "{type}". Send it as application/json.',
)
