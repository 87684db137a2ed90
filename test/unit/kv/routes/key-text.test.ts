import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { HostError } from '../../../../src/base/errors.js'
import type { KvKeyPart } from '../../../../src/kv/key.js'
import { readKey, readKeyPath, readKeysText, readPrefixText } from '../../../../src/kv/routes/key-text.js'
import { keyToWire } from '../../../../src/kv/wire.js'

const parts: fc.Arbitrary<KvKeyPart> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }).filter((text) => text.isWellFormed()),
  fc.constantFrom(
    '',
    '/',
    '[',
    '%',
    '%2F',
    '42',
    '-0',
    'a,b',
    '\0',
    '__proto__',
    'count',
    'keys',
    '?',
    '#',
    '+',
  ),
  fc.double({ noNaN: true }).map((number) => number + 0),
  fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
  fc.boolean(),
  fc.uint8Array({ maxLength: 30 }),
)
const keys = fc.array(parts, { minLength: 1, maxLength: 20 })

/** Asserts that it throws what a caller did wrong. */
function refuses(work: () => unknown, message: RegExp): void {
  assert.throws(work, (error: unknown) => {
    assert.ok(error instanceof HostError, String(error))
    assert.equal(error.status, 400)
    assert.match(error.message, message)
    return true
  })
}

describe('keys in URLs', () => {
  it('carry any key as percent-encoded tagged JSON', () => {
    fc.assert(
      fc.property(keys, (key) => {
        const json = JSON.stringify(keyToWire(key))
        assert.deepEqual(readKeyPath(encodeURIComponent(json)), key)
        assert.deepEqual(readPrefixText(json, 'prefix'), key)
        assert.deepEqual(readKeysText(JSON.stringify([keyToWire(key)]), 'keys'), [key])
      }),
    )
  })

  it('carry strings and integers as paths, slashes of parts encoded', () => {
    const segments = fc.oneof(
      fc.string({ minLength: 1, maxLength: 30 }).filter((text) => !/^-?\d+$/.test(text)),
      fc.maxSafeInteger().map((integer) => integer + 0),
    )
    fc.assert(
      fc.property(fc.array(segments, { minLength: 1, maxLength: 20 }), (key) => {
        fc.pre(!String(key[0]).startsWith('['))
        const path = key.map((part) => encodeURIComponent(String(part))).join('/')
        assert.deepEqual(readKeyPath(path), key)
      }),
    )
  })

  it('read integers as numbers and everything else as strings', () => {
    assert.deepEqual(readKeyPath('a/1/b/-7/1.5/1e3/9007199254740992/007/true'), [
      'a',
      1,
      'b',
      -7,
      '1.5',
      '1e3',
      '9007199254740992',
      7,
      'true',
    ])
    assert.deepEqual(readKeyPath('/a//b/'), ['a', 'b'])
    assert.deepEqual(readKeyPath('keys/x/keys/y'), ['keys', 'x', 'keys', 'y'])
    assert.deepEqual(readKeysText('users/1,users/2', 'keys'), [
      ['users', 1],
      ['users', 2],
    ])
    assert.deepEqual(readPrefixText('', 'prefix'), [])
  })

  it('name what is wrong and where', () => {
    refuses(() => readKeyPath('a%zz'), /the key in the path is not percent-encoded UTF-8: "a%zz"/)
    refuses(() => readKeyPath('%ff'), /not percent-encoded UTF-8/)
    refuses(() => readKeyPath(''), /the key in the path is empty/)
    refuses(() => readKeyPath('%5B'), /begins with "\[" but is not JSON: "\["/)
    refuses(() => readKeyPath('%5B%5D'), /the key in the path is empty/)
    refuses(
      () => readPrefixText('["a",null]', 'prefix'),
      /prefix\[1\] must be a string, .* not null \(null\)/,
    )
    refuses(() => readPrefixText('[{"a":1}]', 'start'), /start\[0\] must be .* not object \(\{"a":1\}\)/)
    refuses(() => readPrefixText('[["a"]]', 'prefix'), /prefix\[0\] must be .* not array \(\["a"\]\)/)
    refuses(() => readPrefixText('[{"__type":"u64","value":"1"}]', 'p'), /p\[0\] must be /)
    refuses(() => readPrefixText('[{"__type":"nope","value":"1"}]', 'p'), /p\[0\]: .*__type/)
    refuses(() => readPrefixText('[{"__type":"number","value":"NaN"}]', 'p'), /p\[0\]: /)
    refuses(
      () => readKeysText('["a","b"]', 'keys'),
      /keys\[0\] must be an array of the parts of a key, not string/,
    )
    refuses(() => readKey([], 'keys[7]'), /keys\[7\] is empty/)
    refuses(() => readKey('a', 'keys[7]'), /keys\[7\] must be an array .* not string \("a"\)/)
    refuses(() => readKey(Array(21).fill('a'), 'keys[7]'), /keys\[7\] has 21 parts, and 20 are allowed/)
    refuses(() => readKey(['x'.repeat(1025)], 'keys[7]'), /keys\[7\]: .*1025 characters/)
    refuses(() => readKey([2 ** 70, '\ud800'], 'keys[7]'), /keys\[7\]: .*half a surrogate pair/)
  })

  it('are refused at once however deep or long they are', () => {
    refuses(() => readKey([nested(200_000)], 'key'), /key\[0\] must be /)
    refuses(() => readKey([{ __type: nested(200_000), value: '1' }], 'key'), /key\[0\]: /)
    refuses(() => readKey([{ __type: 'object', value: nested(200_000) }], 'key'), /key\[0\]: /)
    refuses(() => readKeyPath('a/'.repeat(100_000)), /has 100000 parts/)
    refuses(
      () => readKey([`${'1'.repeat(400)}`, { __type: 'bigint', value: '9'.repeat(100_000) }], 'k'),
      /k\[1\]: /,
    )
  })
})

function nested(depth: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < depth; level += 1) value = [value]
  return value
}
