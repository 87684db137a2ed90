import { defineError } from '../base/errors.js'

/** Raised for a request without credentials where a rule asks for some. */
export const credentialRequired = defineError(
  'AUTH_REQUIRED',
  401,
  'This path takes a credential: {accepted}.',
)

/** Raised for a credential that is malformed, unknown or not signed by who it should be. */
export const credentialInvalid = defineError(
  'AUTH_INVALID',
  401,
  '{reason} Sign in again, or send another one.',
)

/** Raised for a credential whose time is over. */
export const credentialExpired = defineError(
  'AUTH_EXPIRED',
  401,
  '{reason} Sign in again, or fetch a new one.',
)

/** Raised for a credential that was taken back. */
export const credentialRevoked = defineError(
  'AUTH_REVOKED',
  401,
  '{reason} Ask whoever has given it to you for another one.',
)

/** Raised for somebody who has tried to sign in too often. */
export const loginThrottled = defineError(
  'LOGIN_THROTTLED',
  429,
  'Too many tries to sign in have failed. Wait {seconds} seconds before the next one.',
)

/** Raised for a request that a browser may have been made to send by another site. */
export const forgedRequest = defineError(
  'AUTH_CSRF',
  403,
  '{reason} Send the csrf_token of the session, which GET /api/v1/auth/session gives, as header X-CSRF-Token.',
)

/** Raised when it cannot be found out who sends a request. */
export const authUnavailable = defineError(
  'AUTH_UNAVAILABLE',
  503,
  'It cannot be checked at the moment who sends this request. Try again in a moment; the log line of this request tells why.',
)

/** Raised for a path that servers may read in ways for which different rules hold. */
export const pathUnclear = defineError(
  'AUTH_PATH_UNCLEAR',
  400,
  'Different rules hold for the ways in which this path can be read. Write it without double slashes, encoded slashes, ";" and a slash at its end, and in the letters of the rule.',
)

/** Raised for a request that says twice who sends it. */
export const credentialRepeated = defineError(
  'AUTH_REPEATED',
  400,
  'The request has the header {header} {count} times. Send it once.',
)

/** Raised when somebody known may not do what they ask for. */
export const accessDenied = defineError('AUTH_DENIED', 403, 'Access is denied: {reason}.')

/** Raised when it cannot be found out whether somebody may do what they ask for. */
export const authorizerFailed = defineError(
  'AUTHORIZER_FAILED',
  500,
  'It cannot be decided whether this is allowed, so it is not. The log line of this request tells why.',
)

/** Raised for a check of a plugin that handles no request at that moment, or of one that cannot be told from another. */
export const checkOutsideOfRequest = defineError(
  'AUTH_CHECK_OUTSIDE',
  409,
  'auth.check works only while a request is handled. Check in the handler, and not in what goes on behind it.',
)

/** Raised at the start for settings of `auth` that cannot be used; `{problems}` lists all. */
export const authSettingsInvalid = defineError(
  'AUTH_SETTINGS_INVALID',
  500,
  'The section "auth" of the configuration cannot be used:\n{problems}',
)

/** Raised for a name that no provider has. */
export const providerUnknown = defineError(
  'AUTH_PROVIDER_UNKNOWN',
  404,
  'There is no provider {name} to sign in at; GET /api/v1/auth/providers lists them.',
)

/** Raised for a place to go to after a sign-in that may be another host's. */
export const redirectRefused = defineError(
  'AUTH_REDIRECT_REFUSED',
  400,
  'A sign-in leads to a path of this host, e.g. redirect=/app, of at most {max} characters; this is none.',
)

/** Raised for an answer of a provider to a sign-in that this browser has not begun, or has finished. */
export const signInUnknown = defineError(
  'AUTH_SIGN_IN_UNKNOWN',
  400,
  'This browser has not begun this sign-in, has finished it already, or has taken longer than {minutes} minutes. Begin again.',
)

/** Raised when a provider does not confirm who somebody is; `{reason}` is a sentence. */
export const signInRefused = defineError(
  'AUTH_SIGN_IN_REFUSED',
  401,
  'The provider {name} has not confirmed who you are. {reason} Begin again.',
)

/** Raised for somebody whom a provider vouches for and who is no user. */
export const signUpClosed = defineError(
  'AUTH_SIGN_UP_CLOSED',
  403,
  'You have no account here, and this provider makes none. Ask an admin for one.',
)

/** Raised for somebody whose account has been disabled. */
export const accountDisabled = defineError(
  'AUTH_ACCOUNT_DISABLED',
  403,
  'Your account is disabled. Ask an admin why.',
)

/** Raised for somebody of whom a provider says what cannot be stored; `{problem}` is what. */
export const accountUnusable = defineError(
  'AUTH_ACCOUNT_UNUSABLE',
  403,
  'What the provider says of you cannot be stored: {problem}. Ask whoever runs the provider.',
)

/** Raised for a client that begins too many sign-ins. */
export const signInsTooMany = defineError(
  'AUTH_SIGN_INS_TOO_MANY',
  429,
  'There are too many requests from this address. Try again in a moment.',
)
