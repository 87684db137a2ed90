import { kvLimits, kvLuaLimits } from '../../base/limits/kv.js'
import type { ClassDoc } from '../define.js'

type FieldDoc = ClassDoc['fields'][number]

const fields = (...rows: readonly (readonly [name: string, luaType: string, doc: string])[]): FieldDoc[] =>
  rows.map(([name, luaType, doc]) => ({ name, luaType, doc }))

const where: FieldDoc = {
  name: 'where',
  luaType: 'table?',
  doc: [
    'A filter over values: `{ ["author.name"] = "ann", age = { ["$gte"] = 18 } }`; all members must hold. Operators are',
    '`$eq $ne $gt $gte $lt $lte $between $in $nin $contains $notContains $startsWith $endsWith`, the same with an `i` at',
    'the end for any case, `$null $empty $notEmpty`, and `$and $or $not`. A missing member counts as null.',
  ].join(' '),
}

const range: readonly FieldDoc[] = fields(
  ['prefix', 'kv.Key?', 'Entries below this key; all when missing.'],
  ['start', 'kv.Key?', 'From this key on, itself included.'],
  ['stop', 'kv.Key?', 'Up to this key, itself left out.'],
  ['reverse', 'boolean?', 'Last key first.'],
  ['cursor', 'string?', 'Goes on behind where another list over the same range stood.'],
  ['keys_only', 'boolean?', 'Leaves the values out.'],
)

const valueClasses: readonly ClassDoc[] = [
  {
    name: 'kv.Key',
    doc: [
      'A list of parts. Keys sort part by part: bytes before strings, numbers, large integers, booleans. `1` and `1.0` are',
      'the same part.',
    ].join(' '),
    alias: '(string|number|boolean|kv.Bytes|kv.Bigint)[]',
    fields: [],
  },
  {
    name: 'kv.Value',
    doc: 'What can be stored: strings (as text where they are UTF-8, as bytes otherwise), numbers, booleans, `json.null`, tables of them.',
    alias: 'string|number|boolean|table|lightuserdata|kv.Bytes|kv.U64|kv.Bigint|kv.Now',
    fields: [],
  },
  {
    name: 'kv.Bytes',
    doc: 'Bytes, made by `kv.bytes`.',
    fields: fields(['value', 'string', 'The bytes.']),
  },
  {
    name: 'kv.U64',
    doc: 'A counter of 64 bits, made by `kv.u64`.',
    fields: fields(['value', 'string', 'Its decimal digits.']),
  },
  {
    name: 'kv.Bigint',
    doc: 'An integer of any size, made by `kv.bigint`.',
    fields: fields(['value', 'string', 'Its decimal digits.']),
  },
  {
    name: 'kv.Now',
    doc: 'The time of the write, made by `kv.now`.',
    fields: fields(
      ['offset_ms', 'integer', 'Milliseconds that are added.'],
      ['add', 'fun(self: kv.Now, ms: integer): kv.Now', 'Gives a later time.'],
      ['sub', 'fun(self: kv.Now, ms: integer): kv.Now', 'Gives an earlier time.'],
    ),
  },
]

const entryClasses: readonly ClassDoc[] = [
  {
    name: 'kv.Entry',
    doc: 'An entry, or the absence of one.',
    fields: fields(
      ['key', 'kv.Key', 'Where it is.'],
      ['value', 'any', 'Nil where there is no entry; `json.null` where null is stored.'],
      [
        'versionstamp',
        'string?',
        'Of the commit that wrote it, nil where there is no entry. Later ones sort later.',
      ],
    ),
  },
  {
    name: 'kv.SetOptions',
    doc: 'How long an entry stays.',
    fields: fields([
      'expires_in',
      'integer?',
      `Milliseconds, from 1 to ${kvLimits.expiryMsMax}; the entry is gone after them. In steps other than \`set\`, what the entry had stays when missing.`,
    ]),
  },
  {
    name: 'kv.SetResult',
    doc: 'Outcome of a write.',
    fields: fields(['ok', 'true', 'It was written.'], ['versionstamp', 'string', 'Of the commit.']),
  },
  {
    name: 'kv.DeleteOptions',
    doc: 'What `kv.delete` deletes.',
    fields: [
      ...fields(['exact', 'boolean?', 'False deletes what is below the key too; true when missing.']),
      where,
    ],
  },
  { name: 'kv.CountOptions', doc: 'What `kv.count` counts.', fields: [where] },
  {
    name: 'kv.PageOptions',
    doc: 'Which entries `kv.paginate` gives.',
    fields: [
      ...range,
      ...fields(['limit', 'integer?', `Entries of the page; ${kvLimits.pageEntriesDefault} when missing.`]),
      where,
    ],
  },
  {
    name: 'kv.Page',
    doc: 'A page of entries.',
    fields: fields(
      ['entries', 'kv.Entry[]', 'In the order of their keys.'],
      ['cursor', 'string?', 'For the next page; nil on the last one.'],
      ['has_more', 'boolean', 'True when there is a next page.'],
    ),
  },
  {
    name: 'kv.ListOptions',
    doc: 'Which entries `kv.list` gives.',
    fields: [
      ...range,
      ...fields(
        ['limit', 'integer?', 'Entries altogether; all when missing.'],
        ['batch', 'integer?', `Entries that are read at once; ${kvLimits.pageEntriesDefault} when missing.`],
      ),
      where,
    ],
  },
  {
    name: 'kv.List',
    doc: 'What `kv.list` gives: called by a `for`, it gives entry after entry.',
    fields: fields([
      'cursor',
      'fun(self: kv.List): string?',
      'Where the list stands, for another one to go on; nil before its first entry, and when there is nothing left.',
    ]),
  },
]

const steps = (self: string): readonly FieldDoc[] => {
  const integer = `fun(self: ${self}, key: kv.Key, value: integer|kv.U64|kv.Bigint, options?: kv.SetOptions): ${self}`
  const items = `fun(self: ${self}, key: kv.Key, items: kv.Value[], options?: kv.SetOptions): ${self}`
  return fields(
    [
      'set',
      `fun(self: ${self}, key: kv.Key, value: kv.Value, options?: kv.SetOptions): ${self}`,
      'Writes an entry.',
    ],
    ['delete', `fun(self: ${self}, key: kv.Key): ${self}`, 'Deletes the entry at a key.'],
    [
      'sum',
      integer,
      'Adds to an integer, or sets it where there is no entry. The type of the entry is kept.',
    ],
    ['max', integer, 'Keeps the larger of two integers.'],
    ['min', integer, 'Keeps the smaller of two integers.'],
    ['append', items, 'Adds items behind those of a list, or sets the list where there is no entry.'],
    ['prepend', items, 'Adds items before those of a list.'],
    [
      'enqueue',
      `fun(self: ${self}, value: kv.Value, options?: kv.EnqueueOptions): ${self}`,
      'Sends a message.',
    ],
  )
}

const commitClasses: readonly ClassDoc[] = [
  {
    name: 'kv.Atomic',
    doc: `Checks and mutations of one commit, ${kvLimits.checksMax} and ${kvLimits.mutationsMax} at most. Later mutations see earlier ones.`,
    fields: [
      ...fields([
        'check',
        'fun(self: kv.Atomic, key: kv.Entry|kv.Key, versionstamp?: string): kv.Atomic',
        'Demands that an entry is as it was read: give the entry, or a key and its versionstamp, nil for no entry.',
      ]),
      ...steps('kv.Atomic'),
      ...fields([
        'commit',
        'fun(self: kv.Atomic): kv.CommitResult?, string?',
        'Applies all or nothing. Tables are read now, not when they were given. Nil and a message where it could not be tried.',
      ]),
    ],
  },
  {
    name: 'kv.CommitResult',
    doc: 'Outcome of a commit.',
    fields: fields(
      ['ok', 'boolean', 'False when a check failed: nothing was written.'],
      ['versionstamp', 'string?', 'Of the commit; nil when `ok` is false.'],
    ),
  },
  {
    name: 'kv.Transaction',
    doc: 'What the function of `kv.transaction` gets. Reads are remembered and do not see its own writes.',
    fields: [
      ...fields([
        'get',
        'fun(self: kv.Transaction, key: kv.Key): kv.Entry?, string?',
        'Reads an entry, as `kv.get`.',
      ]),
      ...steps('kv.Transaction'),
    ],
  },
  {
    name: 'kv.TransactionOptions',
    doc: 'How often a transaction is tried.',
    fields: fields([
      'max_retries',
      'integer?',
      `Times that the function may run again, 0 to ${kvLimits.transactionRetriesMax}; ${kvLuaLimits.retriesDefault} when missing.`,
    ]),
  },
  {
    name: 'kv.TransactionResult',
    doc: 'Outcome of a transaction.',
    fields: fields(
      ['ok', 'boolean', 'False when others wrote what was read, each time.'],
      ['value', 'any', 'What the function returned.'],
      ['versionstamp', 'string?', 'Of the commit.'],
      ['error', '"conflict"?', 'When `ok` is false.'],
    ),
  },
]

const queueClasses: readonly ClassDoc[] = [
  {
    name: 'kv.EnqueueOptions',
    doc: 'Where and when a message is given out.',
    fields: fields(
      [
        'queue',
        'string?',
        'Name of the queue: lower-case letters, digits, "_" and "-"; `default` when missing.',
      ],
      [
        'delay',
        'integer?',
        `Milliseconds before it is given out, up to ${kvLimits.delayMsMax}; 0 when missing.`,
      ],
      [
        'backoff_schedule',
        'integer[]?',
        'Milliseconds to wait after each failed try, and so their number less one.',
      ],
      ['keys_if_undelivered', 'kv.Key[]?', 'Keys that the value is set at when all tries have failed.'],
    ),
  },
  {
    name: 'kv.Enqueued',
    doc: 'A message that was sent.',
    fields: fields(['ok', 'true', 'It waits in its queue.'], ['id', 'string', 'Names it.']),
  },
  {
    name: 'kv.Message',
    doc: 'What the function of `kv.listen` gets.',
    fields: fields(
      ['id', 'string', 'Names it; equal at each try, so that an effect can be had once.'],
      ['queue', 'string', 'Name of its queue.'],
      ['value', 'any', 'What was sent.'],
      ['attempts', 'integer', 'Tries so far, this one included.'],
    ),
  },
  {
    name: 'kv.Change',
    doc: 'What the function of `kv.on_change` gets.',
    fields: fields(
      ['type', '"set"|"delete"', 'What happened to the entry.'],
      ['key', 'kv.Key', 'Where the entry is.'],
      ['value', 'any', 'What it holds since; nil when it was deleted.'],
      ['versionstamp', 'string', 'Of the commit that changed it.'],
    ),
  },
  {
    name: 'kv.ListenOptions',
    doc: 'How the function of a queue is called.',
    fields: fields([
      'concurrency',
      'integer?',
      `Calls at once, 1 to ${kvLuaLimits.handlerConcurrencyMax}; 1 when missing.`,
    ]),
  },
  {
    name: 'kv.ChangeOptions',
    doc: 'How the function for changes is called.',
    fields: fields(
      ['events', '("set"|"delete")[]?', 'Types of changes; both when missing.'],
      [
        'concurrency',
        'integer?',
        'Calls at once, 1 when missing: more, and changes do not come in their order.',
      ],
    ),
  },
  {
    name: 'kv.QueueStats',
    doc: 'Numbers of messages.',
    fields: fields(
      ['pending', 'integer', 'Waiting, delayed ones included.'],
      ['processing', 'integer', 'Being worked on.'],
      ['dead', 'integer', 'Of which all tries have failed.'],
      ['total', 'integer', 'All of them.'],
    ),
  },
  {
    name: 'kv.DeadLetterOptions',
    doc: 'Which dead letters are read.',
    fields: fields(
      ['queue', 'string?', 'Of one queue; all when missing.'],
      ['limit', 'integer?', `Letters; ${kvLimits.deadLettersPageDefault} when missing.`],
      ['offset', 'integer?', 'Letters that are passed over.'],
    ),
  },
  {
    name: 'kv.DeadLetter',
    doc: 'A message of which all tries have failed.',
    fields: fields(
      ['id', 'string', 'For `kv.requeue`.'],
      ['message_id', 'string', 'What the message was called.'],
      ['queue', 'string', 'Name of its queue.'],
      ['value', 'any', 'What was sent.'],
      ['error', 'string', 'What the last try failed with.'],
      ['attempts', 'integer', 'Tries that it had.'],
      ['created_at', 'integer', 'When it was sent, in milliseconds since 1970.'],
      ['failed_at', 'integer', 'When its last try failed.'],
    ),
  },
]

const searchClasses: readonly ClassDoc[] = [
  {
    name: 'kv.IndexOptions',
    doc: 'What an index takes in.',
    fields: fields(
      ['fields', 'string[]', 'Paths into the values, e.g. `author.name`; `""` for values that are strings.'],
      [
        'tokenize',
        '"unicode61"|"porter"|"ascii"|"trigram"?',
        'How words are found; `unicode61` when missing.',
      ],
    ),
  },
  {
    name: 'kv.Index',
    doc: 'An index that there is.',
    fields: fields(
      ['prefix', 'kv.Key', 'The entries below it are found.'],
      ['fields', 'string[]', 'Paths into the values.'],
      ['tokenize', 'string', 'How words are found.'],
      ['is_complete', 'boolean', 'False while entries that were there before are being taken in.'],
    ),
  },
  {
    name: 'kv.SearchOptions',
    doc: 'What `kv.search` gives.',
    fields: [
      ...fields(['limit', 'integer?', `Hits; ${kvLimits.pageEntriesDefault} when missing.`]),
      where,
      ...fields(['highlight', '{ open: string, close: string }?', 'Marks to put around what was found.']),
    ],
  },
  {
    name: 'kv.Hit',
    doc: 'An entry that was found; see `kv.Entry` for its key, value and versionstamp.',
    fields: fields(
      ['key', 'kv.Key', 'Where it is.'],
      ['value', 'any', 'What it holds.'],
      ['versionstamp', 'string', 'Of the commit that wrote it.'],
      ['score', 'number', 'How well it fits; larger is better.'],
      ['highlights', 'table<string, string>?', 'Texts with marks, by field; only with `highlight`.'],
    ),
  },
]

/** The shapes of the arguments and results of the module. */
export const kvClasses: readonly ClassDoc[] = [
  ...valueClasses,
  ...entryClasses,
  ...commitClasses,
  ...queueClasses,
  ...searchClasses,
]
