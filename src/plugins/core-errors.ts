import { defineError } from '../base/errors.js'

/** A table that no plugin can be let at. */
export const coreNotAccessible = defineError(
  'CORE_NOT_ACCESSIBLE',
  403,
  'core: table "{table}" is not accessible to plugins',
)

/** A table that plugins can only read. */
export const coreReadOnly = defineError(
  'CORE_READ_ONLY',
  403,
  'core: table "{table}" does not allow write access by plugins',
)

/** Neither access to the table was approved. */
export const coreWithoutApproval = defineError(
  'CORE_WITHOUT_APPROVAL',
  403,
  'core: plugin "{plugin}" has no approved access to table "{table}"; ask for "{access}" in core_access of plugin_info, and let an admin approve it',
)

/** Only the other access to the table was approved. */
export const coreNotApproved = defineError(
  'CORE_NOT_APPROVED',
  403,
  'core: plugin "{plugin}" is not approved for {access} access to table "{table}"',
)

/** A column that plugins do not see. */
export const coreColumnBlocked = defineError(
  'CORE_COLUMN_BLOCKED',
  403,
  'core: {clause} names the column "{column}" of "{table}", which is blocked for plugins',
)

/** A column that the table does not have, or that cannot be used in this place. */
export const coreColumnUnknown = defineError('CORE_COLUMN_UNKNOWN', 422, 'core: {problem}')

/** An operator of a condition that is not supported here. */
export const coreOperatorUnsupported = defineError(
  'CORE_OPERATOR_UNSUPPORTED',
  422,
  'core: the operator "{operator}" is not supported; use comparisons, IN, BETWEEN and IS NULL',
)

/** More rows match than one call may change; none was. */
export const coreTooManyRows = defineError(
  'CORE_TOO_MANY_ROWS',
  422,
  'core: more than {limit} rows of "{table}" match, exceeding safety limit of one call; nothing was changed',
)

/** The rows of a query are too large together. */
export const coreResultTooLarge = defineError(
  'CORE_RESULT_TOO_LARGE',
  422,
  'core: the rows have more than {limit} bytes; read fewer of them at a time',
)

/** One row of several failed. */
export const coreRowFailed = defineError(
  'CORE_ROW_FAILED',
  409,
  'core: {done} of {count} rows were written, then one failed: {reason}',
)

/** Hooks lead to one another without end. */
export const coreHooksTooDeep = defineError(
  'CORE_HOOKS_TOO_DEEP',
  409,
  'core: this write was refused because hooks led to it that were led to by hooks, more than {limit} deep',
)

/** A read waited for its plugin's other reads for longer than the call that asked for it has. */
export const coreReadTooLate = defineError(
  'CORE_READ_TOO_LATE',
  503,
  'core: this read waited for other reads of the plugin until the time of the call was over; read less at a time',
)
