import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HostError } from '../../../../src/base/errors.js'
import type { KvValue } from '../../../../src/kv/value.js'
import { compileWhere } from '../../../../src/kv/where/compile-where.js'
import { fromWire } from '../../../../src/kv/wire.js'

const scalar = fc.oneof(
  fc.constantFrom(null, true, false, 0, 1, 2, 2.5, -1, '', 'a', 'A', 'ab', 'B'),
  fc.integer({ min: -3, max: 3 }),
)
const comparable = scalar.filter((value) => value !== null)
const value = fc.oneof(
  scalar,
  fc.array(scalar, { maxLength: 3 }),
  fc.dictionary(
    fc.constantFrom('a', 'b', 'c'),
    fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }), fc.dictionary(fc.constantFrom('x', 'y'), scalar)),
  ),
)
const part = fc.constantFrom('', 'a', 'A', 'b', 'ab')
const condition = fc.oneof(
  fc.record({ $eq: scalar }),
  fc.record({ $ne: scalar }),
  fc.record({ $gt: comparable }),
  fc.record({ $gte: comparable }),
  fc.record({ $lt: comparable }),
  fc.record({ $lte: comparable }),
  fc.record({ $in: fc.array(scalar, { maxLength: 3 }) }),
  fc.record({ $nin: fc.array(scalar, { maxLength: 3 }) }),
  fc.record({ $contains: scalar }),
  fc.record({ $notContains: scalar }),
  fc.record({ $startsWithi: part, $endsWith: part }),
  fc.record({ $containsi: part }),
  fc.record({ $null: fc.boolean() }),
  fc.record({ $empty: fc.boolean() }),
  fc.record({ $notEmpty: fc.boolean() }),
)
const path = fc.constantFrom('', 'a', 'b', 'c', 'a.x', 'b.y', 'c[0]', 'a[1]')
const { filter } = fc.letrec<{ filter: object }>((tie) => ({
  filter: fc.oneof(
    { depthSize: 'small', maxDepth: 4 },
    fc.dictionary(path, fc.oneof(scalar, condition), { maxKeys: 2 }),
    fc.record({ $and: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ $or: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ $not: tie('filter') }),
  ),
}))

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** Says what a filter means, as plainly as it can be said. */
function holds(where: Record<string, Json>, found: Json): boolean {
  return Object.entries(where).every(([name, member]) => {
    if (name === '$and') return (member as Record<string, Json>[]).every((one) => holds(one, found))
    if (name === '$or') return (member as Record<string, Json>[]).some((one) => holds(one, found))
    if (name === '$not') return !holds(member as Record<string, Json>, found)
    const at = follow(found, name)
    if (typeof member !== 'object' || member === null) return at === member
    return Object.entries(member as Record<string, Json>).every(([operator, operand]) =>
      asks(operator, at, operand),
    )
  })
}

function follow(found: Json, text: string): Json {
  let at: Json = found
  for (const step of text.match(/[a-z]+|\d+/g) ?? []) {
    const isPosition = /\d/.test(step)
    if (typeof at !== 'object' || at === null || Array.isArray(at) !== isPosition) return null
    at = (at as Record<string, Json>)[step] ?? null
  }
  return at
}

function asks(operator: string, at: Json, operand: Json): boolean {
  const isSameType = typeof at === typeof operand && at !== null && typeof at !== 'object'
  const [left, right] = [at as number, operand as number]
  switch (operator) {
    case '$eq':
      return at === operand
    case '$ne':
      return at !== operand
    case '$gt':
      return isSameType && left > right
    case '$gte':
      return isSameType && left >= right
    case '$lt':
      return isSameType && left < right
    case '$lte':
      return isSameType && left <= right
    case '$in':
      return (operand as Json[]).includes(at)
    case '$nin':
      return !(operand as Json[]).includes(at)
    case '$contains':
      return Array.isArray(at)
        ? at.includes(operand)
        : typeof at === 'string' && typeof operand === 'string' && at.includes(operand)
    case '$notContains':
      return !asks('$contains', at, operand)
    case '$containsi':
      return Array.isArray(at)
        ? at.some((item) => typeof item === 'string' && lower(item) === lower(operand))
        : typeof at === 'string' && lower(at).includes(lower(operand))
    case '$startsWithi':
      return typeof at === 'string' && lower(at).startsWith(lower(operand))
    case '$endsWith':
      return typeof at === 'string' && at.endsWith(operand as string)
    case '$null':
      return (at === null) === operand
    default: {
      const isEmpty = at === null || at === '' || (Array.isArray(at) && at.length === 0)
      return (operator === '$empty') === (isEmpty === operand)
    }
  }
}

function lower(text: Json): string {
  return (text as string).toLowerCase()
}

/** Compiles a filter of the arbitrary above; one that came out too large does not count. */
function compileSmall(where: object) {
  try {
    return compileWhere(where as Record<string, unknown>, 0)
  } catch (error) {
    fc.pre(!(error instanceof HostError && error.message.includes(' more than ')))
    throw error
  }
}

test('filters answer as the model of them does', () => {
  fc.assert(
    fc.property(filter, value, (where, found) => {
      const expected = holds(where as Record<string, Json>, found as Json)
      assert.equal(compileSmall(where)(found as KvValue), expected)
    }),
    { numRuns: 3000 },
  )
})

test('a filter and its negation never agree', () => {
  fc.assert(
    fc.property(filter, fc.jsonValue(), (where, found) => {
      const json = found as KvValue
      assert.notEqual(compileSmall({ $and: [where] })(json), compileSmall({ $not: where })(json))
    }),
  )
})

/** Compiles it; undefined where it is refused as it should be. */
function compiled(where: unknown) {
  try {
    return compileWhere(where as Record<string, unknown>, 0)
  } catch (error) {
    assert.ok(error instanceof HostError && error.code === 'KV_WHERE_INVALID', String(error))
    return undefined
  }
}

const operatorName = fc.constantFrom(
  ...[
    '$eq',
    '$in',
    '$between',
    '$contains',
    '$containsi',
    '$null',
    '$not',
    '$and',
    '$or',
    '$now',
    '$bad',
    '__type',
  ],
  ...['__proto__', 'constructor', 'a', 'a[0]', 'a["', ''],
)
const { junk } = fc.letrec<{ junk: unknown }>((tie) => ({
  junk: fc.oneof(
    { maxDepth: 6 },
    fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withTypedArray: true,
      withNullPrototype: true,
    }),
    fc.dictionary(operatorName, tie('junk'), { maxKeys: 3 }),
    fc.array(tie('junk'), { maxLength: 3 }),
  ),
}))

test('whatever is given as a filter is compiled or refused, and never fails on a value', () => {
  fc.assert(
    fc.property(junk, fc.jsonValue(), (where, found) => {
      const predicate = compiled(where)
      if (predicate !== undefined) assert.equal(typeof predicate(found as KvValue), 'boolean')
    }),
    { numRuns: 5000 },
  )
})

test('no value makes a filter throw', () => {
  const wire = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom({ __type: 'u64', value: '7' }, { __type: 'bytes', value: 'AA==' }, { $now: true }),
  )
  fc.assert(
    fc.property(filter, wire, (where, found) => {
      const predicate = compileSmall(where)
      let read: KvValue
      try {
        read = fromWire(found)
      } catch {
        return
      }
      assert.equal(typeof predicate(read), 'boolean')
    }),
  )
})
