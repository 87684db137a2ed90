import { defineError } from '../../base/errors.js'

/** A before-hook refused a write with a message of its own. */
export const hookDenied = defineError('HOOK_VETOED', 422, 'Plugin "{plugin}" refused this: {message}')

/** A before-hook refused a write without a message, raised an error, or used up its time. */
export const hookVetoed = defineError(
  'HOOK_VETOED',
  422,
  'A hook of plugin "{plugin}" refused this. The log has the reason under the request id.',
)

/** A before-hook could not be run, so that nobody knows what it would have said; nothing was written. */
export const hookUnavailable = defineError(
  'HOOK_UNAVAILABLE',
  503,
  'A hook of plugin "{plugin}" could not be run. Nothing was written; try again in a second.',
)

/** A row with more bytes, values or levels than hooks can be given; nothing was written. */
export const hookRowTooLarge = defineError(
  'HOOK_ROW_TOO_LARGE',
  413,
  'The row is too large for the hooks of its table: it has {size}; the limit is {limit}. Store less in one row.',
)

/** A row that an application handed in cannot be written as JSON. */
export const hookRowInvalid = defineError(
  'HOOK_ROW_INVALID',
  400,
  'The row cannot be given to hooks: {reason}. Use plain JSON values by column.',
)

/** An application asked for an event that hooks of writes do not have. */
export const hookEventUnknown = defineError(
  'HOOK_EVENT_UNKNOWN',
  400,
  'There is no hook event "{event}" of a write. Use one of {events}.',
)

/** Hooks set off each other: each after-hook wrote what set off the next. */
export const hookDepthExceeded = defineError(
  'HOOK_DEPTH_EXCEEDED',
  422,
  'This write was set off by {depth} hooks one after the other; the limit is {limit}. Let a hook write only what has to change.',
)

/** No approved hook of a running plugin has this event and table. */
export const hookNotFound = defineError(
  'HOOK_NOT_FOUND',
  404,
  'Plugin "{plugin}" has no approved hook {event}:{table} that runs.',
)

/** No delivery has this number: it was made, discarded or forgotten. */
export const deliveryNotFound = defineError(
  'HOOK_DELIVERY_NOT_FOUND',
  404,
  'There is no delivery {id}. It may have been made in the meantime.',
)

/** The delivery is being made at this moment. */
export const deliveryRunning = defineError(
  'HOOK_DELIVERY_RUNNING',
  409,
  'Delivery {id} is being made at this moment. Look again in a few seconds.',
)
