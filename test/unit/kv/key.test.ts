import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { HostError } from '../../../src/base/errors.js'
import { kvLimits } from '../../../src/base/limits/kv.js'
import {
  decodeKey,
  encodeKey,
  encodePrefix,
  type KvKey,
  type KvKeyPart,
  keyRange,
  prefixRange,
  showKey,
} from '../../../src/kv/key.js'

const invalid = (text: RegExp) => (error: unknown) =>
  error instanceof HostError && error.code === 'KV_KEY_INVALID' && text.test(error.message)

const part: fc.Arbitrary<KvKeyPart> = fc.oneof(
  fc.uint8Array({ maxLength: 12 }),
  fc.string({ maxLength: 12, unit: 'grapheme' }),
  fc.constantFrom('', '\0', 'a\0', 'a\0b', '\u00ff', 'users', 'users2'),
  fc.double({ noNaN: true }),
  fc.integer({ min: -300, max: 300 }),
  fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }),
  fc.bigInt({ min: -300n, max: 300n }),
  fc.boolean(),
)
const key = fc.array(part, { minLength: 1, maxLength: 4 })

const typeOrder = ['bytes', 'string', 'number', 'bigint', 'boolean']

function typeOf(value: KvKeyPart): string {
  return value instanceof Uint8Array ? 'bytes' : typeof value
}

function compareParts(a: KvKeyPart, b: KvKeyPart): number {
  const byType = typeOrder.indexOf(typeOf(a)) - typeOrder.indexOf(typeOf(b))
  if (byType !== 0) return byType
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string))
  if (a instanceof Uint8Array) return Buffer.compare(a, b as Uint8Array)
  return a < b ? -1 : Number(a > b)
}

function compareKeys(a: KvKey, b: KvKey): number {
  for (const [at, first] of a.entries()) {
    const second = b[at]
    if (second === undefined) return 1
    const order = compareParts(first, second)
    if (order !== 0) return order
  }
  return a.length - b.length
}

function isInside(bytes: Buffer, { start, end }: { start: Buffer; end: Buffer }): boolean {
  return Buffer.compare(bytes, start) >= 0 && Buffer.compare(bytes, end) < 0
}

describe('encodeKey', () => {
  const vectors: readonly [KvKey, string][] = [
    [['users'], '02757365727300'],
    [['users', 42], '0275736572730003c045000000000000'],
    [['a', -1], '02610003400fffffffffffff'],
    [['f', true], '0266000501'],
    [['f', false], '0266000500'],
    [['n', 5n], '026e00048105'],
    [['n', 0n], '026e000480'],
    [['n', -256n], '026e00047dfeff'],
    [['x\0y'], '027800ff7900'],
    [[new Uint8Array([0, 255])], '0100ffff00'],
    [[0], '038000000000000000'],
    [[-0], '038000000000000000'],
  ]
  for (const [vector, hex] of vectors) {
    it(`encodes ${showKey(vector)}`, () => {
      assert.equal(encodeKey(vector).toString('hex'), hex)
    })
  }

  it('keeps the order of keys', () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        const order = Math.sign(Buffer.compare(encodeKey(a), encodeKey(b)))
        assert.equal(order, Math.sign(compareKeys(a, b)))
      }),
      { numRuns: 5000 },
    )
  })

  it('can be decoded', () => {
    fc.assert(
      fc.property(key, (parts) => {
        const decoded = decodeKey(encodeKey(parts))
        assert.equal(compareKeys(decoded, parts), 0)
        assert.deepEqual(decoded.map(typeOf), parts.map(typeOf))
      }),
      { numRuns: 3000 },
    )
  })

  it('puts below a prefix exactly the keys that go on from it', () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 3 }), key, fc.boolean(), (prefix, other, goesOn) => {
        const whole = goesOn ? [...prefix, ...other] : other
        const expected =
          whole.length > prefix.length && compareKeys(whole.slice(0, prefix.length), prefix) === 0
        assert.equal(isInside(encodeKey(whole), prefixRange(encodePrefix(prefix))), expected)
      }),
      { numRuns: 5000 },
    )
  })

  it('keeps siblings apart that begin with the same letters', () => {
    const range = prefixRange(encodePrefix(['users']))
    for (const sibling of [['users2', 1], ['users_by_email', 'x'], ['users\0', 1], ['users'], ['user']]) {
      assert.equal(isInside(encodeKey(sibling), range), false, showKey(sibling))
    }
    assert.equal(isInside(encodeKey(['users', '']), range), true)
    assert.equal(isInside(encodeKey(['users', true]), range), true)
  })

  it('gives the range of one key', () => {
    const range = keyRange(encodeKey(['a']))
    assert.equal(isInside(encodeKey(['a']), range), true)
    assert.equal(isInside(encodeKey(['a', new Uint8Array()]), range), false)
  })

  it('refuses what has no place in an order, and names the part', () => {
    assert.throws(() => encodeKey([]), invalid(/empty/))
    assert.throws(() => encodeKey(['a', Number.NaN]), invalid(/part 2 is NaN/))
    assert.throws(() => encodeKey(['a', '\ud800']), invalid(/part 2 is not valid Unicode/))
    assert.throws(() => encodeKey('users' as unknown as KvKey), invalid(/not an array/))
    for (const wrong of [null, undefined, {}, [], new Date(), Symbol('x'), () => 1]) {
      assert.throws(() => encodeKey(['a', wrong] as unknown as KvKey), invalid(/part 2 is/))
    }
  })

  it('refuses what is too large, and names the limit', () => {
    const { keyPartBytesMax, keyPartsMax } = kvLimits
    assert.throws(() => encodeKey(Array(keyPartsMax + 1).fill('a')), invalid(/21 parts, and 20/))
    assert.throws(() => encodeKey(['a'.repeat(keyPartBytesMax + 1)]), invalid(/1025 characters, and 1024/))
    assert.throws(() => encodeKey(['é'.repeat(600)]), invalid(/1200 bytes/))
    assert.throws(() => encodeKey([new Uint8Array(keyPartBytesMax + 1)]), invalid(/1025 bytes/))
    assert.throws(() => encodeKey([2n ** 1016n]), invalid(/bigint of more than 127 bytes/))
    assert.throws(() => encodeKey(['a'.repeat(1024), 'b'.repeat(1024)]), invalid(/more than 2048 bytes/))
    assert.throws(() => encodeKey(['\0'.repeat(1024)]), invalid(/more than 2048 bytes/))
    assert.doesNotThrow(() => encodeKey([2n ** 1016n - 1n, -(2n ** 1016n) + 1n]))
    assert.doesNotThrow(() => encodeKey([new Uint8Array(keyPartBytesMax).fill(1)]))
  })

  it('decodes nothing from bytes that it cannot have made, and never fails otherwise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          decodeKey(bytes)
        } catch (error) {
          assert.ok(error instanceof HostError && error.code === 'KV_KEY_INVALID')
        }
      }),
      { numRuns: 3000 },
    )
  })
})
