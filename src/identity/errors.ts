import { defineError } from '../base/errors.js'

/** Raised for a token in the environment that is too short, too long or cannot be sent in a header. */
export const adminTokenInvalid = defineError(
  'ADMIN_TOKEN_INVALID',
  500,
  'MODULACMS_ADMIN_TOKEN {problem}; it takes {min} to {max} visible ASCII characters without spaces. Unset it to let the host make one.',
)

/** Raised for a token file that the host has not made or cannot keep to itself; `{reason}` is what is wrong with it. */
export const adminTokenFileRefused = defineError(
  'ADMIN_TOKEN_FILE_REFUSED',
  500,
  'The admin token file {file} is not used: {reason}. Remove it and start again to have a new one made, or set MODULACMS_ADMIN_TOKEN.',
)

/** Raised when the token file can be neither read nor made; `{reason}` is what the system says. */
export const adminTokenFileFailed = defineError(
  'ADMIN_TOKEN_FILE_FAILED',
  500,
  'The admin token file {file} can be neither read nor made: {reason}. Check that this user may write its folder, or set MODULACMS_ADMIN_TOKEN.',
)

/** Raised for a password that nobody should have; it never repeats the password. */
export const passwordRefused = defineError(
  'PASSWORD_REFUSED',
  400,
  'The password {problem}; it takes {min} to {max} characters of any kind that are not easily guessed. Choose another, e.g. four random words.',
)

/** Raised when too many passwords are being checked. */
export const passwordsBusy = defineError(
  'PASSWORDS_BUSY',
  503,
  'More than {waiting} passwords wait to be checked; try again in a moment.',
)

/** Raised for a user that cannot be stored; `{problem}` names the field. */
export const userInvalid = defineError('USER_INVALID', 400, 'The user cannot be stored: {problem}.')

/** Raised for a name, an address or an external identity that another user has. */
export const userDuplicate = defineError(
  'USER_DUPLICATE',
  409,
  'Another user has this {field}; upper and lower case count as the same. Choose another, or change that user first.',
)

/** Raised for an id that no user has. */
export const userNotFound = defineError(
  'USER_NOT_FOUND',
  404,
  'There is no user {id}. GET /api/v1/auth/users lists those that you may see.',
)

/** Raised for a role that cannot be stored; `{problem}` names the field. */
export const roleInvalid = defineError('ROLE_INVALID', 400, 'The role cannot be stored: {problem}.')

/** Raised for a name that a role has already; `{source}` says where. */
export const roleDuplicate = defineError(
  'ROLE_DUPLICATE',
  409,
  'There is a role {name} already ({source}). Choose another name, or change that role.',
)

/** Raised for a change of a role that is not in the database. */
export const roleFixed = defineError(
  'ROLE_FIXED',
  409,
  'The role {name} is {source} and cannot be changed here. Add a role of another name.',
)

/** Raised for a name that no role of the database has. */
export const roleNotFound = defineError(
  'ROLE_NOT_FOUND',
  404,
  'There is no role {name} in the database. GET /api/v1/auth/roles lists all roles.',
)

/** Raised when somebody has the role that is to be deleted. */
export const roleInUse = defineError(
  'ROLE_IN_USE',
  409,
  'The role {name} is not deleted: {holders} have it. Take it from them first.',
)

/** Raised for one role too many. */
export const rolesExhausted = defineError(
  'ROLES_EXHAUSTED',
  409,
  'There are {max} roles, the limit; delete one that nobody has.',
)

/** Raised for an API key that cannot be made; `{problem}` names the field. */
export const keyInvalid = defineError('KEY_INVALID', 400, 'The API key cannot be made: {problem}.')

/** Raised for an id that no key has. */
export const keyNotFound = defineError(
  'KEY_NOT_FOUND',
  404,
  'There is no API key {id}. GET /api/v1/auth/keys lists those that you may see.',
)

/** Raised for one key too many. */
export const keysExhausted = defineError(
  'KEYS_EXHAUSTED',
  409,
  'This user has {max} API keys in force, the limit; revoke one that is no longer used.',
)

/** Raised for a page of users or keys that cannot be given; `{problem}` says why. */
export const accountQueryInvalid = defineError(
  'ACCOUNT_QUERY_INVALID',
  400,
  'The list cannot be given: {problem}.',
)

/** Raised for somebody who would give away more than they have. */
export const grantExceeded = defineError(
  'GRANT_EXCEEDED',
  403,
  'Nobody gives what they do not have themselves: {missing}. Ask somebody who has it.',
)

/** Raised for somebody who wants to change a user who may do more than they. */
export const userBeyondReach = defineError(
  'USER_BEYOND_REACH',
  403,
  'This user has what you do not have: {missing}. Ask somebody who has it to make this change.',
)
