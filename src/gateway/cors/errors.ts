import { defineError } from '../../base/errors.js'

/** A rule cannot be read; the problem names the member. */
export const corsRuleInvalid = defineError('INVALID_CORS_RULE', 400, '{problem}')

/** A rule has no name. */
export const corsNameRequired = defineError(
  'CORS_NAME_REQUIRED',
  400,
  'name is missing or empty; give the rule a name of 1 to {max} characters.',
)

/** A rule has no origins. */
export const corsOriginsRequired = defineError(
  'CORS_ORIGINS_REQUIRED',
  400,
  'origins is missing or empty; name at least one, e.g. "https://app.example.com", "*.example.com" or "*".',
)

/** Browsers refuse this, and every site could act for a user who is logged in. */
export const corsCredentialsWildcard = defineError(
  'CORS_CREDENTIALS_WILDCARD',
  400,
  'credentials cannot be allowed to the origin "*"; name the origins that may send them, or set credentials to false.',
)

/** A rule has a method that no rule can allow. */
export const corsMethodInvalid = defineError(
  'CORS_INVALID_METHOD',
  400,
  'methods has {method}; it takes only {methods}.',
)

/** The time for which a preflight is remembered is no usable number. */
export const corsMaxAgeInvalid = defineError(
  'CORS_INVALID_MAX_AGE',
  400,
  'maxAge is {value}; it must be a number of seconds from 0 to {max}.',
)

/** There are as many rules as there can be. */
export const corsRulesFull = defineError(
  'CORS_RULES_FULL',
  409,
  'There are {max} rules already, which is the limit; remove one, or add the origins to a rule that exists.',
)

/** No rule has the id. */
export const corsRuleNotFound = defineError(
  'CORS_RULE_NOT_FOUND',
  404,
  'Rule not found: none has the id {id}.',
)

/** The rule of the configuration is changed where it stands. */
export const corsRuleConfigured = defineError(
  'CORS_RULE_CONFIGURED',
  400,
  'This rule stands in the configuration of the gateway; change "cors" there and restart, or add a rule, which comes before it.',
)

/** A page of another site asks for a WebSocket, which browsers open for every site and with the cookies of this one. */
export const upgradeOriginRefused = defineError(
  'CORS_UPGRADE_REFUSED',
  403,
  'Pages of this origin may not open a WebSocket here; no rule for other origins names it.',
)
