import { defineError } from '../base/errors.js'

/** Raised once for everything that is wrong; `details.problems` holds each `path` and `rule`. */
export const policyInvalid = defineError('POLICY_INVALID', 400, 'The policy cannot be used: {problems}.')

/** Raised once for everything that is wrong; `details.problems` holds each `path` and `rule`. */
export const contextInvalid = defineError(
  'POLICY_CONTEXT_INVALID',
  400,
  'Nothing can be decided about this: {problems}.',
)

export const policyUnknown = defineError(
  'POLICY_NOT_FOUND',
  404,
  'There is no policy "{id}"; list the policies to see which there are.',
)

export const policyTaken = defineError(
  'POLICY_EXISTS',
  409,
  'There is a policy "{id}" already; replace it, or choose another id.',
)

/** Raised for changes of what the configuration says. */
export const policyStatic = defineError(
  'POLICY_STATIC',
  403,
  'The policy "{id}" is one of the configuration, and can only be changed there.',
)

/** Somebody else has changed the policy since it was read. */
export const policyVersionConflict = defineError(
  'POLICY_VERSION_CONFLICT',
  409,
  'The policy "{id}" has been changed by somebody else: this change was made for version {expected}, and there is version {version}. Read it again and repeat the change.',
)

export const policiesFull = defineError(
  'POLICIES_FULL',
  409,
  'There are {max} policies, which is the limit; delete one first.',
)

export const policiesTooLarge = defineError(
  'POLICIES_TOO_LARGE',
  409,
  'The policies of the database would have {bytes} bytes together, and the limit is {max}; delete or shorten some.',
)

/** Raised at start for policies of the configuration, and for seeds; `details.problems` holds each `path` and `rule`. */
export const configuredPoliciesInvalid = defineError(
  'POLICIES_INVALID',
  500,
  'The policies of {origin} cannot be used: {problems}.',
)

/** Raised at start for a file of seeds that is missing, too large or no JSON. */
export const seedFileInvalid = defineError(
  'POLICY_SEED_FILE_INVALID',
  500,
  'The file of policies {file} cannot be used: {problem}. It must hold a list of policies, or {"policies": […]}.',
)
