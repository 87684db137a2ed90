import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { kvLimits } from '../../base/limits/kv.js'
import type { KvKey } from '../key.js'
import type { KvAtomic } from '../kv.js'
import { enqueueOptionNames } from '../queue-options.js'
import { KvU64, type KvValue } from '../value.js'
import { given, type Members, needValue, readInteger, readItems, readMembers } from './body-reader.js'
import { enqueueProperties, readEnqueueOptions } from './enqueue-options.js'
import { readKey } from './key-text.js'
import type { RouteMaker } from './operation.js'
import { mismatch, preview } from './preview.js'
import { requestInvalid } from './routes-failures.js'
import { bodyOf, commitSchema, keySchema, milliseconds, valueSchema } from './schemas.js'

const keyed = ['set', 'delete', 'sum', 'max', 'min', 'append', 'prepend'] as const
const types: readonly string[] = [...keyed, 'enqueue']

/** The commit itself refuses the first one that is too many. */
const unbounded = { min: 0, max: Number.POSITIVE_INFINITY }

const checkSchema = bodyOf({
  key: keySchema,
  versionstamp: Type.Unsafe({
    type: ['string', 'null'],
    description: 'What the entry must have; null where there must be no entry.',
  }),
})

const mutationSchema = bodyOf({
  type: Type.String({ enum: [...types] }),
  key: Type.Optional(keySchema),
  value: Type.Optional(valueSchema),
  expiresIn: Type.Optional(milliseconds('Until the entry is gone. Not for `delete` and `enqueue`.')),
  ...enqueueProperties,
})

/** Adds the commit of checks and mutations that belong together. */
export function addAtomicRoute(app: FastifyInstance, route: RouteMaker): void {
  app.post(
    '/atomic',
    route(
      {
        operationId: 'kvAtomic',
        summary: 'Apply mutations together if all checks hold',
        description:
          'The operand of `sum`, `max` and `min` is an integer, its decimal digits as a string, or a tagged `bigint` or `u64`; that of `append` and `prepend` is an array.',
        permission: 'kv:write',
        body: bodyOf({
          checks: Type.Optional(Type.Array(checkSchema, { maxItems: kvLimits.checksMax })),
          mutations: Type.Array(mutationSchema, { maxItems: kvLimits.mutationsMax }),
        }),
        answer: commitSchema,
        failures: [507],
      },
      async ({ kv, request }) => {
        const { checks, mutations } = readMembers(request.body, 'the body', ['checks', 'mutations'])
        const atomic = kv.atomic()
        if (checks !== undefined) readItems(checks, 'checks', unbounded, addCheck)
        readItems(mutations, 'mutations', unbounded, addMutation)
        const result = await atomic.commit()
        return result.ok ? { ok: true, versionstamp: result.versionstamp } : { ok: false }

        function addCheck(item: unknown, place: string): void {
          atomic.check(readCheck(item, place))
        }
        function addMutation(item: unknown, place: string): void {
          applyMutation(atomic, item, place)
        }
      },
    ),
  )
}

function readCheck(item: unknown, place: string): { key: KvKey; versionstamp: string | null } {
  const { key, versionstamp } = readMembers(item, place, ['key', 'versionstamp'])
  if (versionstamp !== null && typeof versionstamp !== 'string') {
    throw mismatch(`${place}.versionstamp`, 'a string or null', versionstamp)
  }
  return { key: readKey(key, `${place}.key`), versionstamp }
}

function applyMutation(atomic: KvAtomic, item: unknown, place: string): void {
  const type = readType(item, place)
  if (type === 'enqueue') {
    const members = readMembers(item, place, ['type', 'value', ...enqueueOptionNames])
    atomic.enqueue(needValue(members, `${place}.value`), readEnqueueOptions(members, place))
    return
  }
  if (type === 'delete') {
    const { key } = readMembers(item, place, ['type', 'key'])
    atomic.delete(readKey(key, `${place}.key`))
    return
  }
  const members = readMembers(item, place, ['type', 'key', 'value', 'expiresIn'])
  const key = readKey(members.key, `${place}.key`)
  const options = given({ expiresIn: readInteger(members.expiresIn, `${place}.expiresIn`) })
  const value = needValue(members, `${place}.value`)
  switch (type) {
    case 'set':
      atomic.set(key, value, options)
      return
    case 'append':
    case 'prepend':
      atomic[type](key, readArray(value, members, place), options)
      return
    default:
      atomic[type](key, readOperand(value, members, place), options)
  }
}

function readType(item: unknown, place: string): (typeof keyed)[number] | 'enqueue' {
  const type = typeof item === 'object' && item !== null ? (item as { type?: unknown }).type : undefined
  if (typeof item !== 'object' || item === null || Array.isArray(item))
    throw mismatch(place, 'an object', item)
  if (typeof type === 'string' && types.includes(type)) return type as (typeof keyed)[number]
  const shown = type === undefined ? 'missing' : preview(type)
  throw requestInvalid({ problem: `${place}.type is ${shown}; it must be one of ${types.join(', ')}.` })
}

function readArray(value: KvValue, members: Members, place: string): readonly KvValue[] {
  if (Array.isArray(value)) return value as readonly KvValue[]
  throw mismatch(`${place}.value`, 'an array', members.value)
}

function readOperand(value: KvValue, members: Members, place: string): number | bigint | KvU64 {
  if (typeof value === 'bigint' || value instanceof KvU64) return value
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  if (typeof value === 'string' && /^-?\d+$/.test(value) && value.length <= kvLimits.bigintDigitsMax) {
    const integer = Number(value)
    return Number.isSafeInteger(integer) ? integer : BigInt(value)
  }
  const expected = 'an integer from -(2^53-1) to 2^53-1, its digits as a string, or a tagged bigint or u64'
  throw mismatch(`${place}.value`, expected, members.value)
}
