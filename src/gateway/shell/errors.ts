import { defineError } from '../../base/errors.js'

/** A directory without a page to serve. */
export const shellDirInvalid = defineError(
  'SHELL_DIR_INVALID',
  500,
  'The shell directory "{dir}" cannot be served: {problem}. Build the shell so that "{dir}" has dist/index.html or index.html, or correct the path.',
)

/** A host whose shell cannot be told. */
export const shellHostInvalid = defineError(
  'SHELL_HOST_INVALID',
  500,
  'The host "{host}" of a shell {problem}; write each host once, without port, e.g. "app.example.com" or "*.example.com".',
)

/** A page above `shellLimits.pageBytesMax`. */
export const shellPageTooLarge = defineError(
  'SHELL_PAGE_TOO_LARGE',
  500,
  'The page "{file}" of the shell has {bytes} bytes, and the limit is {limit}; move scripts and styles into files of their own.',
)

/** There is no shell whose excludes could be shown or changed. */
export const shellNotConfigured = defineError('SHELL_NOT_CONFIGURED', 400, 'Shell not configured')

/** A body without a basename. */
export const basenameRequired = defineError('SHELL_BASENAME_REQUIRED', 400, 'basename is required')

/** Letters, digits, `_` and `-`, up to `shellLimits.basenameLengthMax`. */
export const basenameInvalid = defineError('SHELL_BASENAME_INVALID', 400, 'Invalid basename format')

/** The environment excludes it already. */
export const basenameInEnvironment = defineError(
  'SHELL_BASENAME_IN_ENVIRONMENT',
  400,
  'Already excluded via environment',
)

/** What the environment excludes stays excluded as long as the host runs. */
export const basenameNotRemovable = defineError(
  'SHELL_BASENAME_NOT_REMOVABLE',
  400,
  'Cannot remove environment-based exclude',
)

/** One basename more than may be kept. */
export const excludesExhausted = defineError(
  'SHELL_EXCLUDES_EXHAUSTED',
  409,
  '{max} basenames are excluded from the shell, and no more are kept. Remove one first.',
)

/** A request for a part of a file that it does not have. */
export const rangeNotSatisfiable = defineError(
  'SHELL_RANGE_NOT_SATISFIABLE',
  416,
  'The file does not have the bytes "{range}"; Content-Range has its length.',
)

/** A request for a version of a file that is not the present one. */
export const preconditionFailed = defineError(
  'SHELL_PRECONDITION_FAILED',
  412,
  'The file has changed; ask for it without If-Match and If-Unmodified-Since.',
)
