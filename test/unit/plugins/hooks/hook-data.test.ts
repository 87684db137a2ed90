import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hookLimits } from '../../../../src/base/limits/hooks.js'
import { addMembers, encodeHookData } from '../../../../src/plugins/hooks/hook-data.js'

test('what the host says takes the place of columns of that name', () => {
  const json = encodeHookData(
    { _table: 'users', _delivery: '1', a: null },
    { _table: 'x', _delivery: undefined },
  )
  assert.deepEqual(JSON.parse(json), { a: null, _table: 'x' })
  assert.deepEqual(JSON.parse(addMembers(json, { _delivery: '7' })), { a: null, _table: 'x', _delivery: '7' })
})

test('any JSON crosses unchanged', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 })), (row) => {
      const plain = JSON.parse(JSON.stringify(row)) as Record<string, unknown>
      assert.deepEqual(JSON.parse(encodeHookData(plain, {})), plain)
    }),
  )
})

test('a row is refused one beyond each limit, and taken at it', () => {
  const { rowBytesMax, rowDepthMax, rowValuesMax } = hookLimits
  const around = Buffer.byteLength('{"a":""}')
  const nested = (levels: number) => ({ a: JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`) })
  // The object, its one list, and the list's items: n items have n - 1 commas and one more for the bracket.
  const wide = (values: number) => ({ a: new Array(values - 2).fill(0) })
  const cases: [object, object, RegExp][] = [
    [{ a: 'x'.repeat(rowBytesMax - around) }, { a: 'x'.repeat(rowBytesMax - around + 1) }, /bytes/],
    [nested(rowDepthMax - 1), nested(rowDepthMax), /levels/],
    [wide(rowValuesMax), wide(rowValuesMax + 1), /values/],
  ]
  for (const [fits, exceeds, words] of cases) {
    encodeHookData(fits as Record<string, unknown>, {})
    assert.throws(() => encodeHookData(exceeds as Record<string, unknown>, {}), {
      code: 'HOOK_ROW_TOO_LARGE',
      status: 413,
      message: words,
    })
  }
})

test('texts with quotes, brackets and backslashes count as one value each', () => {
  const row = { a: ['\\', '\\\\"', '[[[[', '}{,,,', '"\\"'].concat(new Array(20_000).fill('[,{\\"')) }
  assert.deepEqual(JSON.parse(encodeHookData(row, {})), row)
})
