import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HostError } from '../../../src/base/errors.js'
import {
  combineIntegers,
  combineLists,
  encodeItems,
  encodeOperand,
  type IntegerOperation,
} from '../../../src/kv/arithmetic.js'
import { encodeKey } from '../../../src/kv/key.js'
import { decodeValue, encodeValue } from '../../../src/kv/stored-value.js'
import { KvU64, type KvValue, u64Max } from '../../../src/kv/value.js'

const key = encodeKey(['counter', 1])
const max = Number.MAX_SAFE_INTEGER
const u64 = (value: bigint) => new KvU64(value)

function combine(operation: IntegerOperation, current: KvValue | undefined, operand: unknown): KvValue {
  const before = current === undefined ? undefined : encodeValue(current, 0)
  return decodeValue(combineIntegers(operation, key, before, encodeOperand(operation, operand)))
}

const hasCode =
  (code: string, text = /./) =>
  (error: unknown) =>
    error instanceof HostError && error.code === code && text.test(error.message)

describe('operations on integers', () => {
  const table: readonly [IntegerOperation, KvValue | undefined, number | bigint | KvU64, KvValue][] = [
    ['sum', undefined, 5, 5],
    ['sum', undefined, 5n, 5n],
    ['sum', undefined, u64(5n), u64(5n)],
    ['sum', 1, 2, 3],
    ['sum', 1, -2, -1],
    ['sum', 1, 2n, 3],
    ['sum', 1, u64(2n), 3],
    ['sum', 2n ** 70n, 1, 2n ** 70n + 1n],
    ['sum', u64(5n), 1, u64(6n)],
    ['sum', u64(5n), -5, u64(0n)],
    ['sum', u64(u64Max - 1n), 1n, u64(u64Max)],
    ['max', 3, 5, 5],
    ['max', 3, -5, 3],
    ['min', 3, 5, 3],
    ['min', 3n, 2, 2n],
    ['max', u64(3n), 9n, u64(9n)],
  ]
  for (const [operation, current, operand, expected] of table) {
    it(`${operation} ${String(current)} with ${String(operand)}`, () => {
      assert.deepEqual(combine(operation, current, operand), expected)
    })
  }

  it('refuse results that their type cannot hold, in place of rounding or wrapping', () => {
    assert.throws(() => combine('sum', max, 1), hasCode('KV_OVERFLOW', /\["counter",1\].*9007199254740992/))
    assert.throws(() => combine('sum', -max, -1), hasCode('KV_OVERFLOW'))
    assert.throws(() => combine('sum', u64(u64Max), 1), hasCode('KV_OVERFLOW'))
    assert.throws(() => combine('sum', u64(0n), -1), hasCode('KV_OVERFLOW'))
    assert.throws(() => combine('min', u64(1n), -1), hasCode('KV_OVERFLOW'))
    assert.throws(() => combine('max', 1, 2n ** 60n), hasCode('KV_OVERFLOW'))
  })

  it('refuse entries of another type, in place of overwriting them', () => {
    const others: readonly [KvValue, RegExp][] = [
      ['5', /holds a string/],
      [null, /holds null/],
      [true, /holds a boolean/],
      [1.5, /holds a number/],
      [[1], /holds an array/],
      [{ a: 1 }, /holds an object/],
      [new Uint8Array(8), /holds bytes/],
    ]
    for (const [other, text] of others) {
      assert.throws(() => combine('sum', other, 1), hasCode('KV_TYPE_MISMATCH', text))
    }
  })

  it('refuse operands that are not exact integers', () => {
    for (const operand of [0.5, Number.NaN, max + 1, '5', null, undefined, {}, [1], true]) {
      assert.throws(
        () => encodeOperand('sum', operand),
        hasCode('KV_VALUE_INVALID', /"sum" needs an integer/),
      )
    }
  })
})

describe('operations on arrays', () => {
  const join = (operation: 'append' | 'prepend', current: KvValue | undefined, items: unknown) => {
    const before = current === undefined ? undefined : encodeValue(current, 0)
    return decodeValue(combineLists(operation, key, before, encodeItems(operation, items, 0)))
  }

  it('add behind and before', () => {
    assert.deepEqual(join('append', undefined, [1n]), [1n])
    assert.deepEqual(join('append', [1], [2n, u64(3n)]), [1, 2n, u64(3n)])
    assert.deepEqual(join('prepend', [1], [2, 3]), [2, 3, 1])
  })

  it('refuse what is no array, and what becomes too large', () => {
    assert.throws(() => join('append', [1], 'x'), hasCode('KV_VALUE_INVALID', /array of items/))
    assert.throws(() => join('append', 'x', [1]), hasCode('KV_TYPE_MISMATCH', /an array/))
    const half = 'a'.repeat(40_000)
    assert.throws(() => join('append', [half], [half]), hasCode('KV_VALUE_TOO_LARGE'))
  })
})
