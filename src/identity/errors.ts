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
