import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { kvHttpLimits } from '../../../../src/base/limits/kv.js'
import { kindOf, mismatch, preview } from '../../../../src/kv/routes/preview.js'

it('a preview is JSON where it is short, and never longer than its limit', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = preview(value)
      assert.ok(text.length <= kvHttpLimits.previewCharacters)
      const json = JSON.stringify(value)
      if (json.length < kvHttpLimits.previewCharacters) assert.equal(text, json)
    }),
  )
})

it('a preview looks only at what it shows', () => {
  let deep: unknown = 1
  for (let level = 0; level < 500_000; level += 1) deep = { a: deep }
  assert.match(preview(deep), /^\{"a":\{"a":.*…$/)
  const wide = new Proxy(Array(1e6).fill('x'), {
    get(target, name, receiver) {
      if (typeof name === 'string' && Number(name) > 100) assert.fail('read too far')
      return Reflect.get(target, name, receiver) as unknown
    },
  })
  assert.match(preview(wide), /^\["x","x",.*…$/)
  assert.match(preview('y'.repeat(1e6)), /^"y+…$/)
})

it('a mismatch names place, expectation, kind and value', () => {
  assert.equal(kindOf(null), 'null')
  assert.equal(kindOf([]), 'array')
  assert.equal(mismatch('keys[3]', 'an array', 'a').message, 'keys[3] must be an array, not string ("a").')
  assert.equal(mismatch('id', 'a string', undefined).message, 'id must be a string, not nothing.')
})
