import { defineError } from '../base/errors.js'

/** The row is not there, or for the public not published. */
export const contentNotFound = defineError('CONTENT_NOT_FOUND', 404, 'There is no {what} "{id}".')

/** Values that break the rules of the table or the schema of the datatype. */
export const contentInvalid = defineError('CONTENT_INVALID', 422, '{problems}')

/** Somebody else has changed the row since it was read, or while hooks ran. */
export const contentVersionConflict = defineError(
  'CONTENT_VERSION_CONFLICT',
  409,
  '{table} "{id}" has been changed by somebody else: this write was made for version {expected}. Read it again and repeat the change on the version there is.',
)

/** A unique value that another row has. */
export const contentDuplicate = defineError(
  'CONTENT_DUPLICATE',
  409,
  'Another row of {table} has this {column} already. Choose another {column}.',
)

/** The datatype was changed or deleted between the check of an entry and its write. */
export const contentDatatypeChanged = defineError(
  'CONTENT_DATATYPE_CHANGED',
  409,
  'The datatype "{datatype}" was changed while this entry was written. Try again: the entry is checked against the new schema.',
)

/** A datatype that entries still have. */
export const contentDatatypeInUse = defineError(
  'CONTENT_DATATYPE_IN_USE',
  409,
  'The datatype "{datatype}" still has entries. Delete them or give them another datatype first.',
)

/** A hook changed a column that hooks may not change, or made the row invalid. */
export const contentHookResultInvalid = defineError(
  'CONTENT_HOOK_RESULT_INVALID',
  422,
  'A hook of a plugin made this row invalid, and nothing was written: {problems}',
)

/** A query of a list that is not understood. */
export const contentQueryInvalid = defineError('CONTENT_QUERY_INVALID', 400, '{problem}')

/** A cursor that no list gave, or one of a list with another order. */
export const contentCursorInvalid = defineError(
  'CONTENT_CURSOR_INVALID',
  400,
  'The cursor does not belong to this list. Leave it out to start at the beginning, and keep sort as it was while you follow it.',
)
