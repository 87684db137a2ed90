import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HostError } from '../../../../src/base/errors.js'
import { kvWhereLimits } from '../../../../src/base/limits/kv.js'
import { KvNow, KvU64, type KvValue } from '../../../../src/kv/value.js'
import { compileWhere } from '../../../../src/kv/where/compile-where.js'

const nowMs = 1_700_000_000_000

function matches(where: unknown, value: KvValue): boolean {
  return compileWhere(where as Record<string, unknown>, nowMs)(value)
}

function refused(where: unknown, place: string | RegExp): void {
  assert.throws(
    () => compileWhere(where as Record<string, unknown>, nowMs),
    (error: unknown) => {
      assert.ok(error instanceof HostError, String(error))
      assert.equal(error.code, 'KV_WHERE_INVALID')
      assert.equal(error.status, 400)
      assert.match(
        error.message,
        typeof place === 'string' ? new RegExp(place.replace(/[$[\].]/g, '\\$&')) : place,
      )
      return true
    },
  )
}

/** Where, value, answer. */
type Case = readonly [where: object, value: KvValue, isMatch: boolean]

const person: KvValue = {
  name: 'Ada',
  age: 36,
  tags: ['math', 'Engine'],
  profile: { city: 'London', 'a.b': 1, $odd: 2 },
  items: [{ price: 5 }, { price: 9 }],
  none: null,
  blank: '',
  list: [],
}

const cases: Readonly<Record<string, readonly Case[]>> = {
  'an empty filter matches everything': [
    [{}, null, true],
    [{}, person, true],
    [{ age: undefined }, person, true],
  ],
  'a bare value is compared for equality': [
    [{ name: 'Ada' }, person, true],
    [{ name: 'ada' }, person, false],
    [{ none: null }, person, true],
    [{ missing: null }, person, true],
    [{ name: 'Ada', age: 37 }, person, false],
  ],
  'paths lead through members and positions': [
    [{ 'profile.city': 'London' }, person, true],
    [{ 'items[1].price': 9 }, person, true],
    [{ 'items[2].price': null }, person, true],
    [{ 'items.1.price': 9 }, person, false],
    [{ 'profile["a.b"]': 1 }, person, true],
    [{ 'profile["$odd"]': 2 }, person, true],
    [{ 'profile.$odd': 2 }, person, true],
    [{ '': 7 }, 7, true],
    [{ '[0]': 'x' }, ['x'], true],
    [{ '["quote\\"]"]': 1 }, { 'quote"]': 1 }, true],
  ],
  'nothing that is inherited is found': [
    [{ 'constructor.name': { $null: true } }, person, true],
    [{ toString: { $null: true } }, person, true],
    [{ ['__proto__']: { $null: true } }, person, true],
    [{ 'name.length': { $null: true } }, person, true],
    [{ 'tags["length"]': { $null: true } }, person, true],
    [{ 'a["__proto__"]': 1 }, JSON.parse('{"a":{"__proto__":1}}'), true],
  ],
  'a missing member counts as null, and what is not so is otherwise': [
    [{ missing: { $ne: 1 } }, person, true],
    [{ missing: { $nin: [1, 2] } }, person, true],
    [{ missing: { $notContains: 'x' } }, person, true],
    [{ missing: { $notContainsi: 'x' } }, person, true],
    [{ $not: { missing: 1 } }, person, true],
    [{ missing: { $not: { $gt: 1 } } }, person, true],
    [{ missing: { $eq: null } }, person, true],
    [{ missing: { $ne: null } }, person, false],
    [{ missing: { $in: [null] } }, person, true],
    [{ missing: { $lt: 1 } }, person, false],
    [{ missing: { $gte: 0 } }, person, false],
  ],
  'values of one type are compared': [
    [{ age: { $gt: 35, $lt: 37 } }, person, true],
    [{ age: { $gte: 36 } }, person, true],
    [{ age: { $gt: 36 } }, person, false],
    [{ age: { $lte: 36 } }, person, true],
    [{ age: { $between: [36, 40] } }, person, true],
    [{ age: { $between: [37, 40] } }, person, false],
    [{ name: { $between: ['Ab', 'Ae'] } }, person, true],
    [{ '': { $gt: '\uffff' } }, '\u{1f600}', true],
    [{ '': { $lt: 'b' } }, 'ab', true],
    [{ '': { $gt: 'a' } }, 'ab', true],
    [{ '': { $gt: false } }, true, true],
    [{ '': { $lt: new Uint8Array([2]) } }, new Uint8Array([1, 9]), true],
    [{ '': new Uint8Array([1]) }, new Uint8Array([1]), true],
  ],
  'values of different types are neither equal nor ordered': [
    [{ age: '36' }, person, false],
    [{ age: { $gt: '1' } }, person, false],
    [{ name: { $gt: 1 } }, person, false],
    [{ '': 1 }, true, false],
    [{ '': { $gte: false } }, 0, false],
    [{ age: { $ne: '36' } }, person, true],
  ],
  'numbers, bigints and counters are compared exactly': [
    [{ '': 5 }, 5n, true],
    [{ '': 5n }, 5, true],
    [{ '': new KvU64(5n) }, 5, true],
    [{ '': 5 }, new KvU64(5n), true],
    [{ '': 2 ** 53 }, 2n ** 53n + 1n, false],
    [{ '': { $lt: 2n ** 53n + 1n } }, 2 ** 53, true],
    [{ '': { $gt: 1.5 } }, 2n, true],
    [{ '': { __type: 'bigint', value: '5' } }, 5, true],
    [{ '': { $in: [{ __type: 'u64', value: '5' }] } }, 5n, true],
  ],
  lists: [
    [{ name: { $in: ['Bob', 'Ada'] } }, person, true],
    [{ name: { $in: [] } }, person, false],
    [{ name: { $nin: [] } }, person, true],
    [{ name: { $nin: ['Ada'] } }, person, false],
  ],
  'parts of texts and items of arrays': [
    [{ name: { $contains: 'da' } }, person, true],
    [{ name: { $contains: 'DA' } }, person, false],
    [{ name: { $containsi: 'DA' } }, person, true],
    [{ name: { $notContainsi: 'DA' } }, person, false],
    [{ name: { $startsWith: 'A' } }, person, true],
    [{ name: { $startsWithi: 'ad' } }, person, true],
    [{ name: { $endsWith: 'da' } }, person, true],
    [{ name: { $endsWithi: 'DA' } }, person, true],
    [{ tags: { $contains: 'math' } }, person, true],
    [{ tags: { $contains: 'mat' } }, person, false],
    [{ tags: { $containsi: 'ENGINE' } }, person, true],
    [{ tags: { $notContains: 'math' } }, person, false],
    [{ tags: { $startsWith: 'm' } }, person, false],
    [{ '': { $contains: 2 } }, [1, 2n], true],
    [{ age: { $contains: 3 } }, person, false],
    [{ name: { $contains: '%' } }, person, false],
    [{ '': { $containsi: 'σ' } }, 'ΟΔΟΣ', true],
  ],
  'null and empty': [
    [{ none: { $null: true } }, person, true],
    [{ none: { $null: false } }, person, false],
    [{ missing: { $empty: true } }, person, true],
    [{ blank: { $empty: true } }, person, true],
    [{ list: { $empty: true } }, person, true],
    [{ list: { $notEmpty: true } }, person, false],
    [{ list: { $notEmpty: false } }, person, true],
    [{ age: { $empty: false } }, person, true],
    [{ profile: { $empty: true } }, person, false],
  ],
  'logic nests': [
    [{ $and: [{ name: 'Ada' }, { $or: [{ age: 1 }, { age: 36 }] }] }, person, true],
    [{ $or: [{ age: 1 }, { name: 'Bob' }] }, person, false],
    [{ $not: { $and: [{ name: 'Ada' }, { age: 36 }] } }, person, false],
    [{ $not: {} }, person, false],
    [{ name: 'Ada', $not: { age: 1 } }, person, true],
    [{ age: { $not: { $not: 36 } } }, person, true],
  ],
  'times are those of the clock that is given': [
    [{ '': { $lt: new KvNow() } }, nowMs - 1, true],
    [{ '': { $lt: new KvNow() } }, nowMs, false],
    [{ '': { $gte: new KvNow(-1000) } }, nowMs - 1000, true],
    [{ '': { $lt: { $now: true, $offset: 5 } } }, nowMs + 4, true],
    [{ '': { $between: [new KvNow(-5), new KvNow(5)] } }, nowMs, true],
  ],
}

for (const [name, table] of Object.entries(cases)) {
  test(name, () => {
    for (const [where, value, isMatch] of table) {
      const text = JSON.stringify(where, (_key, part) => (typeof part === 'bigint' ? `${part}n` : part))
      assert.equal(matches(where, value), isMatch, text)
    }
  })
}

test('a filter that is misspelt is refused and names the place', () => {
  refused({ age: { $gtt: 1 } }, 'age.$gtt')
  refused({ $or: [{ a: 1 }, { b: { $inn: [] } }] }, '$or[1].b.$inn')
  refused({ $nor: [{}] }, '$nor')
  refused({ $gt: 1 }, '$gt')
  refused({ author: { name: 'x' } }, 'author.name')
  refused({ author: {} }, 'author')
  refused({ author: { $constructor: 1 } }, 'author.$constructor')
  refused(JSON.parse('{"a":{"__proto__":1}}'), 'a.__proto__')
})

test('an empty list of filters is refused, as it would match everything', () => {
  refused({ $and: [] }, '$and')
  refused({ $or: [] }, '$or')
  refused({ $not: { $or: [] } }, '$not.$or')
})

test('an operand of a wrong type is refused', () => {
  refused({ a: { $in: 1 } }, 'a.$in')
  refused({ a: { $in: [[]] } }, 'a.$in[0]')
  refused({ a: { $between: [1] } }, 'a.$between')
  refused({ a: { $between: [1, 'x'] } }, 'a.$between')
  refused({ a: { $gt: null } }, 'a.$gt')
  refused({ a: { $gt: {} } }, 'a.$gt')
  refused({ a: { $eq: [1] } }, 'a.$eq')
  refused({ a: [1] }, 'a')
  refused({ a: { $eq: Number.NaN } }, 'a.$eq')
  refused({ a: { $null: 1 } }, 'a.$null')
  refused({ a: { $startsWith: 1 } }, 'a.$startsWith')
  refused({ a: { $containsi: 1 } }, 'a.$containsi')
  refused({ a: { $not: [] } }, 'a.$not')
  refused({ $and: {} }, '$and')
  refused({ $and: [1] }, '$and[0]')
  refused({ $not: 1 }, '$not')
  refused({ a: { __type: 'bigint', value: 'x' } }, 'a')
  refused({ a: { $now: true, $offset: 'x' } }, 'a')
  refused(null, /its top/)
  refused([], /its top/)
  refused('x', /its top/)
  refused(new Map(), /its top/)
})

test('a path that is none is refused', () => {
  for (const path of [
    '.',
    'a.',
    '.a',
    'a..b',
    'a[',
    'a[]',
    'a[-1]',
    'a[x]',
    'a[1',
    'a]',
    'a["x]',
    'a["\\x"]',
    'a[0]b',
  ]) {
    refused({ [path]: 1 }, /path/)
  }
})

test('a quote in a path is a character like any other', () => {
  assert.equal(matches({ "a') or 1=1 --": 1 }, { a: 2 }), false)
  assert.equal(matches({ "a'": 1 }, { "a'": 1 }), true)
})

test('the size of a filter is bounded', () => {
  const {
    depthMax,
    itemsMax,
    operatorsMax,
    partCharactersMax,
    partsMax,
    pathCharactersMax,
    pathPartsMax,
    textCharactersMax,
  } = kvWhereLimits
  let deep: object = { a: 1 }
  for (let level = 0; level < 100_000; level += 1) deep = { $not: deep }
  refused(deep, new RegExp(`deeper than ${depthMax}`))
  refused({ a: { $in: Array(itemsMax + 1).fill(1) } }, 'a.$in')
  assert.equal(matches({ a: { $in: Array(itemsMax).fill(1) } }, { a: 1 }), true)
  refused({ $or: Array(operatorsMax + 1).fill({ a: 1 }) }, '$or')
  refused(Object.fromEntries(Array.from({ length: operatorsMax + 1 }, (_, at) => [`a${at}`, 1])), /operators/)
  refused({ $or: Array(partsMax + 1).fill({ a: { $endsWithi: 'x' } }) }, /looks for more than/)
  refused({ $or: Array(partsMax + 1).fill({ a: { $contains: 'x' } }) }, /looks for more than/)
  refused({ a: { $contains: 'x'.repeat(partCharactersMax + 1) } }, 'a.$contains')
  refused({ a: { $startsWithi: 'x'.repeat(partCharactersMax + 1) } }, 'a.$startsWithi')
  refused({ a: 'x'.repeat(textCharactersMax + 1) }, 'a')
  refused({ ['x'.repeat(pathCharactersMax + 1)]: 1 }, /path/)
  refused(
    {
      [Array(pathPartsMax + 1)
        .fill('a')
        .join('.')]: 1,
    },
    /parts/,
  )
})
