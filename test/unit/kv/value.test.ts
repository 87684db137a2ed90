import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { HostError } from '../../../src/base/errors.js'
import { kvLimits } from '../../../src/base/limits/kv.js'
import { decodeValue, encodeValue } from '../../../src/kv/stored-value.js'
import { KvNow, KvU64, type KvValue, u64Max } from '../../../src/kv/value.js'
import { fromWire, keyFromWire, keyToWire, toWire } from '../../../src/kv/wire.js'

const hasCode =
  (code: string, text = /./) =>
  (error: unknown) =>
    error instanceof HostError && error.code === code && text.test(error.message)

const names = fc.oneof(
  fc.string({ maxLength: 6 }),
  fc.constantFrom('__type', '$now', '$offset', 'value', 'constructor', 'toString'),
)
const { value } = fc.letrec<{ value: KvValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'value' },
    fc.constant(null),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
    fc.string(),
    fc.bigInt(),
    fc.uint8Array({ maxLength: 20 }),
    fc.bigInt({ min: 0n, max: u64Max }).map((counter) => new KvU64(counter)),
    fc.constantFrom('bigint', 'object', true, { $now: true }, { __type: 'bigint', value: '5' }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(names, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}))

describe('values', () => {
  it('come back from the store and from JSON as they were', () => {
    fc.assert(
      fc.property(value, (original) => {
        assert.deepEqual(decodeValue(encodeValue(original, 0)), original)
        assert.deepEqual(fromWire(JSON.parse(JSON.stringify(toWire(original)))), original)
      }),
      { numRuns: 3000 },
    )
  })

  it('set the time of the write wherever it stands', () => {
    const at = (given: KvValue) => decodeValue(encodeValue(given, 1000))
    assert.equal(at(new KvNow()), 1000)
    assert.deepEqual(at({ a: [new KvNow().add(5)], b: new KvNow().sub(5) }), { a: [1005], b: 995 })
    assert.deepEqual(fromWire({ $now: true, $offset: -7 }), new KvNow(-7))
    assert.deepEqual(fromWire({ $now: true, other: 1 }), { $now: true, other: 1 })
  })

  it('are refused when they are no data, with their place', () => {
    class Point {}
    const cyclic: Record<string, unknown> = {}
    cyclic.self = cyclic
    const wrong: readonly [unknown, RegExp][] = [
      [undefined, /undefined/],
      [() => 1, /a function is no data/],
      [{ a: [1, Symbol('x')] }, /a symbol at a\[1\]/],
      [{ a: { b: Number.NaN } }, /NaN at a\.b/],
      [Number.POSITIVE_INFINITY, /Infinity/],
      [[undefined], /undefined at \[0\]/],
      [{ when: new Date() }, /instance of Date at when/],
      [new Map(), /instance of Map/],
      [new Point(), /instance of Point/],
      [cyclic, /contains itself/],
      [{ toJSON: () => 1 }, /a function at toJSON/],
    ]
    for (const [given, text] of wrong) {
      assert.throws(() => encodeValue(given as KvValue, 0), hasCode('KV_VALUE_INVALID', text))
    }
  })

  it('are refused when they are too large', () => {
    const { valueBytesMax, bigintDigitsMax } = kvLimits
    const tooLarge = hasCode('KV_VALUE_TOO_LARGE', /65537 bytes/)
    assert.throws(() => encodeValue(new Uint8Array(valueBytesMax + 1), 0), tooLarge)
    assert.throws(() => encodeValue('a'.repeat(valueBytesMax - 1), 0), tooLarge)
    assert.doesNotThrow(() => encodeValue(new Uint8Array(valueBytesMax), 0))
    assert.throws(
      () => encodeValue(10n ** BigInt(bigintDigitsMax + 100), 0),
      hasCode('KV_VALUE_INVALID', /digits/),
    )
    assert.throws(
      () => fromWire({ __type: 'bigint', value: '1'.repeat(bigintDigitsMax + 2) }),
      hasCode('KV_VALUE_INVALID', /digits/),
    )
  })

  it('leave out members that are undefined', () => {
    assert.deepEqual(decodeValue(encodeValue({ a: 1, b: undefined }, 0)), { a: 1 })
    assert.deepEqual(decodeValue(encodeValue({ a: 1n, b: undefined }, 0)), { a: 1n })
  })

  it('refuse tags that do not exist or do not fit', () => {
    const tags: unknown[] = [
      { __type: 'date', value: 'x' },
      { __type: 'bigint', value: '0x10' },
      { __type: 'bigint', value: 5 },
      { __type: 'u64', value: '-1' },
      { __type: 'u64', value: '18446744073709551616' },
      { __type: 'bytes', value: '%%%' },
      { __type: 'object', value: [] },
      { __type: 1 },
    ]
    for (const tag of tags) assert.throws(() => fromWire(tag), hasCode('KV_VALUE_INVALID'))
  })

  it('never fail on any JSON but with an error for the reader', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        try {
          fromWire(json)
        } catch (error) {
          assert.ok(error instanceof HostError)
        }
      }),
    )
    let deep: unknown = 1
    for (let level = 0; level < 10_000; level += 1) deep = [deep]
    assert.throws(() => fromWire(deep), hasCode('KV_VALUE_INVALID', /nested deeper/))
  })

  it('do not touch the prototype of what they are read into', () => {
    const read = fromWire(JSON.parse('{"__proto__":{"polluted":true}}')) as object
    assert.equal(Object.getPrototypeOf(read), Object.prototype)
    assert.equal('polluted' in read, false)
    assert.deepEqual(Object.keys(read), ['__proto__'])
  })
})

describe('keys in JSON', () => {
  it('carry every type of part', () => {
    const parts = ['a', '42', 42, -0.5, Number.POSITIVE_INFINITY, 5n, true, new Uint8Array([1, 2])]
    assert.deepEqual(keyFromWire(JSON.parse(JSON.stringify(keyToWire(parts)))), parts)
  })
})
