import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kvSearchLimits } from '../../../../src/base/limits/kv.js'
import { compileFields } from '../../../../src/kv/search/document.js'
import { KvU64 } from '../../../../src/kv/value.js'

test('texts, numbers and booleans are text, and so is what is inside of arrays and objects', () => {
  const read = compileFields(['a', 'b.c', '', 'missing'])
  assert.deepEqual(read({ a: 'x', b: { c: [1, true, null, 5n, new KvU64(7n), { d: 'y' }] } })?.texts, [
    'x',
    '1\ntrue\n5\n7\ny',
    'x\n1\ntrue\n5\n7\ny',
    '',
  ])
})

test('what has no text is no document', () => {
  const read = compileFields(['a'])
  for (const value of [null, 'text', 5, [], { b: 'x' }, { a: null }, { a: '' }, { a: new Uint8Array([1]) }]) {
    assert.equal(read(value), undefined)
  }
})

test('a document is cut at its limit, between characters', () => {
  const { documentBytesMax } = kvSearchLimits
  const document = compileFields(['a', 'b'])({ a: `x${'é'.repeat(documentBytesMax / 2)}`, b: 'lost' })
  assert.equal(document?.texts[0], `x${'é'.repeat(documentBytesMax / 2 - 1)}`)
  assert.equal(document?.bytes, documentBytesMax)
  assert.equal(document?.texts[1], 'l')
})

test('a zero character does not end a text', () => {
  assert.deepEqual(compileFields([''])('a\0b')?.texts, ['a b'])
})
