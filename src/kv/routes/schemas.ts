import { type TObject, type TProperties, type TSchema, Type } from '@sinclair/typebox'

const strict = { additionalProperties: false } as const

/** A value in tagged JSON. */
export const valueSchema = Type.Unsafe({
  description:
    'Any JSON. Tags stand for what JSON lacks: `{"__type":"bigint","value":"<decimal>"}`, `{"__type":"u64","value":"<decimal>"}`, `{"__type":"bytes","value":"<base64>"}`, `{"__type":"object","value":{…}}` for an object with a member `__type`, `{"$now":true,"$offset":<ms>}` for the time of the write.',
})

/** A key in tagged JSON. */
export const keySchema = Type.Array(Type.Unsafe({}), {
  description:
    'Parts of a key: strings, numbers, booleans, and tagged bigints and bytes, e.g. `["users", 42]`.',
})

const versionstampSchema = Type.String({
  description: '20 hexadecimal digits that order the commits of a namespace.',
})
const versionstampOrNull = Type.Unsafe({ type: ['string', 'null'], description: 'Null without an entry.' })

/** A body; members that it does not have are refused. */
export function bodyOf(members: TProperties): TObject {
  return Type.Object(members, strict)
}

export const whereSchema = Type.Unsafe({
  type: 'object',
  description: 'Filter over values, e.g. `{"age": {"$gte": 18}}`.',
})

export const entrySchema = Type.Object({
  key: keySchema,
  value: valueSchema,
  versionstamp: versionstampOrNull,
})

export const entriesSchema = Type.Array(entrySchema)

export const pageSchema = Type.Object({
  entries: entriesSchema,
  cursor: Type.Unsafe({ type: ['string', 'null'], description: 'For the next page; null on the last one.' }),
  hasMore: Type.Boolean({ description: 'True when there is more, even where this page has few entries.' }),
})

export const commitSchema = Type.Object({
  ok: Type.Boolean({ description: 'False when a check failed; nothing was written then.' }),
  versionstamp: Type.Optional(versionstampSchema),
})

export const deletedSchema = Type.Object({ deletedCount: Type.Integer() })

export const okSchema = Type.Object({ ok: Type.Boolean() })

export const leasedSchema = Type.Object({
  ok: Type.Boolean({ description: 'False when the lease has ended, or there is no such message.' }),
})

export const messageSchema = Type.Object({
  id: Type.String(),
  queue: Type.String(),
  value: valueSchema,
  attempts: Type.Integer({ description: 'Tries so far, this one included.' }),
  lease: Type.String({ description: 'Proves to ack, nack and extend that the message is still yours.' }),
  leasedUntil: Type.Integer({ description: 'End of the lease, in milliseconds since 1970.' }),
})

export const statsSchema = Type.Object({
  pending: Type.Integer({ description: 'Waiting, delayed ones included.' }),
  processing: Type.Integer(),
  dlq: Type.Integer({ description: 'Dead letters.' }),
  total: Type.Integer(),
})

export const deadLetterSchema = Type.Object({
  id: Type.String(),
  originalId: Type.String(),
  queue: Type.String(),
  value: valueSchema,
  errorMessage: Type.String({ description: 'What the last try failed with.' }),
  attempts: Type.Integer(),
  originalCreatedAt: Type.Integer({ description: 'Milliseconds since 1970.' }),
  failedAt: Type.Integer({ description: 'Milliseconds since 1970.' }),
})

const changeSchema = Type.Object({
  type: Type.String({ enum: ['set', 'delete'] }),
  key: keySchema,
  value: valueSchema,
  versionstamp: versionstampSchema,
})

export const pollSchema = Type.Object({
  entries: Type.Array(changeSchema),
  versionstamp: Type.String({ description: 'Send it as `since` with the next poll.' }),
  reset: Type.Boolean({
    description: 'True when the entries are all that there are: what is not among them is gone.',
  }),
})

export const hitSchema = Type.Object({
  key: keySchema,
  value: valueSchema,
  versionstamp: versionstampOrNull,
  score: Type.Number({ description: 'Best first; larger is better.' }),
  highlights: Type.Optional(Type.Record(Type.String(), Type.String())),
})

export const indexSchema = Type.Object({
  prefix: keySchema,
  fields: Type.Array(Type.String()),
  tokenize: Type.String(),
  isComplete: Type.Boolean({ description: 'False while existing entries are still being taken in.' }),
})

/** A text with a description. */
export function text(description: string): TSchema {
  return Type.String({ description })
}

/** A number of milliseconds. */
export function milliseconds(description: string): TSchema {
  return Type.Integer({ description: `${description} In milliseconds.` })
}
