import { defineError } from '../../base/errors.js'

/** Raised for a member of a rule that cannot be used. */
export const ruleInvalid = defineError('PROXY_RULE_INVALID', 400, 'The rule cannot be used: {reason}.')

export const ruleIncomplete = defineError('PROXY_RULE_INCOMPLETE', 400, 'pattern and target are required')

export const patternInvalid = defineError('PROXY_PATTERN_INVALID', 400, 'Invalid regex pattern: {reason}')

export const ruleUnknown = defineError('PROXY_RULE_NOT_FOUND', 404, 'Rule not found')

export const ruleStatic = defineError('PROXY_RULE_STATIC', 403, 'Cannot modify static rules')

export const rulesFull = defineError(
  'PROXY_RULES_FULL',
  409,
  'There are {max} rules, which is the limit; delete one first.',
)

/** Raised for a new order that does not name every dynamic rule exactly once. */
export const orderInvalid = defineError('PROXY_ORDER_INVALID', 400, 'The ids cannot be an order: {reason}.')

/** Raised at start for an entry of the allowed targets that is no host and no block. */
export const allowedTargetInvalid = defineError(
  'PROXY_ALLOWED_TARGET_INVALID',
  500,
  'The allowed target "{entry}" is no host, IP address or CIDR block; write e.g. "api.example", "10.0.0.0/8".',
)

/** The path behind a rule could be read as another server, or cannot be sent. */
export const pathRefused = defineError(
  'PROXY_PATH_REFUSED',
  400,
  'The path cannot be passed on; send it without doubled slashes at its start, dot segments and unusual characters.',
)

export const upgradeRefused = defineError(
  'UPGRADE_REFUSED',
  400,
  'There is no WebSocket at this address; send a plain request.',
)

export const tunnelsFull = defineError(
  'PROXY_TUNNELS_FULL',
  503,
  'Too many WebSocket connections are open; try again later.',
)

export const proxyLoop = defineError(
  'PROXY_LOOP',
  508,
  'The request has come through this server before; the target of a rule leads back to it.',
)

/** The target could not be reached, or its answer cannot be passed on. */
export const upstreamFailed = defineError(
  'BAD_GATEWAY',
  502,
  'The server behind this address did not answer.',
)

export const upstreamLate = defineError(
  'GATEWAY_TIMEOUT',
  504,
  'The server behind this address took too long to answer.',
)

/** Somebody has more roles and groups than a header can say. */
export const identityTooLong = defineError(
  'PROXY_IDENTITY_TOO_LONG',
  500,
  'Who sends this request takes {bytes} bytes to say to the server behind this address; the limit is {max}. Leave out roles and groups of the user that nothing needs, or turn off "identity" of the rule.',
)
