import { defineError } from '../base/errors.js'

/** A key that no store takes. */
export const kvKeyInvalid = defineError('KV_KEY_INVALID', 400, 'The key cannot be used: {problem}')

/** A value that cannot be stored, or an operand that does not fit its operation. */
export const kvValueInvalid = defineError('KV_VALUE_INVALID', 400, 'The value cannot be stored: {problem}')

/** A value whose stored form is too large. */
export const kvValueTooLarge = defineError(
  'KV_VALUE_TOO_LARGE',
  413,
  'The value takes {bytes} bytes, and {bytesMax} are allowed. Split it over several keys.',
)

/** More values than are read at one moment. */
export const kvReadTooLarge = defineError(
  'KV_READ_TOO_LARGE',
  413,
  'The values of these keys take {bytes} bytes, and {bytesMax} are allowed. Read fewer keys at once.',
)

/** A stored value of a type that the operation does not work on. */
export const kvTypeMismatch = defineError(
  'KV_TYPE_MISMATCH',
  400,
  '"{operation}" needs {expected}, but the key {key} holds {found}. Nothing of this commit was written.',
)

/** A result that its type cannot hold. */
export const kvOverflow = defineError(
  'KV_OVERFLOW',
  400,
  'The result of "{operation}" at the key {key} is {result}, outside of what a {type} holds ({range}). Nothing of this commit was written.',
)

/** An option that is missing, misspelt or out of its range. */
export const kvOptionInvalid = defineError('KV_OPTION_INVALID', 400, '{problem}')

/** A cursor that no list of this range gave. */
export const kvCursorInvalid = defineError(
  'KV_CURSOR_INVALID',
  400,
  'The cursor does not belong to this list. Leave it out to start at the beginning, and keep prefix, start, end and reverse as they were while you follow it.',
)

/** A commit that is larger than one transaction may be. */
export const kvCommitTooLarge = defineError(
  'KV_COMMIT_TOO_LARGE',
  413,
  'The commit has {count} {what}, and {max} are allowed. Split it into several commits.',
)

/** A namespace that has used up its room. */
export const kvQuotaExceeded = defineError(
  'KV_QUOTA_EXCEEDED',
  507,
  'The namespace {namespace} holds {bytes} bytes, and {bytesMax} are allowed. Delete entries or let them expire, or raise keyval.namespace_bytes.',
)

/** Queues of a namespace that nobody works off. */
export const kvQueueFull = defineError(
  'KV_QUEUE_FULL',
  507,
  'The queues of the namespace {namespace} hold {messages} messages, and {messagesMax} are allowed. Nothing was written. Let consumers catch up, or send less.',
)

/** A name that no queue can have. */
export const kvQueueInvalid = defineError(
  'KV_QUEUE_INVALID',
  400,
  '"{name}" is not the name of a queue: 1 to {charactersMax} lower-case letters, digits, "_" and "-", beginning with a letter. Names that begin with "$" belong to the host.',
)

/** A name that no namespace can have. */
export const kvNamespaceInvalid = defineError(
  'KV_NAMESPACE_INVALID',
  400,
  '"{name}" is not the name of a namespace: 1 to {charactersMax} lower-case letters, digits, "_" and "-", beginning with a letter.',
)

/** A store that is shutting down. */
export const kvClosed = defineError('KV_CLOSED', 503, 'The key-value store is closed.')

/** More commits than memory is given to while they wait. */
export const kvOverloaded = defineError(
  'KV_OVERLOADED',
  503,
  'Commits of {bytes} bytes wait to be written already, and {bytesMax} are allowed. Try again, and wait for commits before you ask for more.',
)

/** A builder of a commit, or a transaction, that goes on after its end. */
export const kvUsedAfterEnd = defineError(
  'KV_USED_AFTER_END',
  400,
  'The {what} has ended. Begin another one for further reads and writes.',
)

/** A namespace that has as many watchers as one may have. */
export const kvWatchersMax = defineError(
  'KV_WATCHERS_MAX',
  429,
  'The namespace {namespace} has {max} watchers, which is the limit. End one, or follow more keys with one watcher.',
)

/** A host that has as many watchers as it can. */
export const kvWatchersFull = defineError(
  'KV_WATCHERS_FULL',
  503,
  'There are {max} watchers in all namespaces, which is the limit. Try again later.',
)

/** A filter that cannot be understood; nothing was read or deleted. */
export const kvWhereInvalid = defineError(
  'KV_WHERE_INVALID',
  400,
  'The filter is wrong at {place}: {problem}',
)

/** A definition of a search index that cannot be used. */
export const kvIndexInvalid = defineError(
  'KV_INDEX_INVALID',
  400,
  'The search index cannot be made: {problem}',
)

/** A namespace, or a store, that has as many search indexes as it may. */
export const kvIndexLimit = defineError(
  'KV_INDEX_LIMIT',
  409,
  '{holder} has {count} search indexes, removed ones that are being taken apart included, and {max} are allowed. Remove one, or wait until removed ones are gone.',
)

/** A search below a prefix that no index covers. */
export const kvIndexMissing = defineError(
  'KV_INDEX_MISSING',
  404,
  'No search index of the namespace {namespace} covers the keys below {prefix}. Create one for this prefix or for one above it.',
)

/** A query in which nothing can be looked for. */
export const kvQueryInvalid = defineError(
  'KV_QUERY_INVALID',
  400,
  'The search query cannot be used: {problem}',
)

/** A search that would look at more than one search may. */
export const kvSearchTooBroad = defineError(
  'KV_SEARCH_TOO_BROAD',
  400,
  'The search was ended because {problem}. {remedy}',
)

/** More entries than one look for changes gives at once. */
export const kvResetTooLarge = defineError(
  'KV_RESET_TOO_LARGE',
  413,
  'What is followed takes more than {bytesMax} bytes, which is too much for one answer. Follow it with a watch, which gives it in parts, or follow less.',
)
