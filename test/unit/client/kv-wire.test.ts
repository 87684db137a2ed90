import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type ClientError, KvNow as ClientNow, KvU64 as ClientU64 } from '../../../sdk/client/index.js'
import { toMilliseconds } from '../../../sdk/client/kv/duration.js'
import * as client from '../../../sdk/client/kv/wire.js'
import type { KvKeyPart } from '../../../src/kv/key.js'
import { KvNow, KvU64, type KvValue } from '../../../src/kv/value.js'
import * as host from '../../../src/kv/wire.js'

const special = fc.oneof(
  fc.bigInt(),
  fc.uint8Array().map((bytes) => new Uint8Array(bytes)),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => new KvU64(value)),
  fc.integer().map((offset) => new KvNow(offset)),
)
const names = fc.oneof(fc.string(), fc.constantFrom('__type', '__proto__', '$now', '$offset', 'constructor'))
const { value: values } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false, ''),
    fc.string({ unit: 'binary' }),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
    special,
    fc.array(tie('value')),
    fc.array(fc.tuple(names, tie('value'))).map((members) => Object.fromEntries(members)),
  ),
}))
const parts: fc.Arbitrary<KvKeyPart> = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.double({ noNaN: true }).map((number) => number + 0),
  fc.bigInt(),
  fc.boolean(),
  fc.uint8Array().map((bytes) => new Uint8Array(bytes)),
)

/** Writes the special values of the client with the classes of the host, to compare what they hold. */
function asHost(value: unknown): unknown {
  if (value instanceof ClientU64) return new KvU64(value.value)
  if (value instanceof ClientNow) return new KvNow(value.offsetMs)
  if (Array.isArray(value)) return value.map(asHost)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, asHost(member)]))
}

function overTheWire(wire: unknown): unknown {
  return JSON.parse(JSON.stringify(wire))
}

test('the client and the host read what each other writes', () => {
  fc.assert(
    fc.property(values, (value) => {
      const sent = overTheWire(host.toWire(value as KvValue))
      const received = client.fromWire(sent)
      assert.deepEqual(asHost(received), value)
      assert.deepEqual(overTheWire(client.toWire(received)), sent)
    }),
  )
})

test('keys of every type are the same on both sides, infinite numbers included', () => {
  const keys = fc.oneof(fc.array(parts), fc.constant([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]))
  fc.assert(
    fc.property(keys, (key) => {
      const sent = overTheWire(client.keyToWire(key))
      assert.deepEqual(sent, overTheWire(host.keyToWire(key)))
      assert.deepEqual(host.keyFromWire(sent as unknown[]), key)
      assert.deepEqual(client.keyFromWire(sent), key)
    }),
  )
})

test('bytes of every length are written without a part of the platform that browsers lack', () => {
  for (const length of [0, 1, 2, 3, 8191, 8192, 8193, 65_536]) {
    const bytes = Uint8Array.from({ length }, (_, at) => (at * 31) % 256)
    assert.deepEqual(client.fromWire(client.toWire(bytes)), bytes)
    assert.deepEqual(client.toWire(bytes), {
      __type: 'bytes',
      value: Buffer.from(bytes).toString('base64'),
    })
  }
})

test('what JSON would drop or change is refused with its place', () => {
  const refused = (value: unknown, text: RegExp): void => {
    assert.throws(
      () => client.toWire(value as never),
      (error: ClientError) => {
        assert.deepEqual([error.code, error.status], ['KV_VALUE_INVALID', 400])
        assert.match(error.message, text)
        return true
      },
    )
  }
  refused({ deep: [1, Number.NaN] }, /NaN at deep\[1\]/)
  refused({ at: new Date() }, /an instance of Date at at is no plain data/)
  refused(undefined, /undefined is no data/)
  refused(new Array(2), /undefined at \[0\]/)
  refused([() => 1], /type function at \[0\]/)
  const cycle: unknown[] = []
  cycle.push(cycle)
  refused(cycle, /contains itself/)
})

test('an answer with an unknown tag is not taken for a value', () => {
  for (const wire of [
    { __type: 'set', value: [] },
    [{ __type: 'bytes' }],
    { a: { __type: 'u64', value: 5 } },
  ]) {
    assert.throws(() => client.fromWire(wire), { code: 'INVALID_RESPONSE' })
  }
})

test('filters keep their operators, and say times and bigints as values do', () => {
  const where = {
    $or: [{ at: { $gt: new ClientNow().sub('1h') } }, { n: { $in: [5n, 1] } }],
    'author.name': { $ne: null },
  }
  assert.deepEqual(client.whereToWire(where), {
    $or: [
      { at: { $gt: { $now: true, $offset: -3_600_000 } } },
      { n: { $in: [{ __type: 'bigint', value: '5' }, 1] } },
    ],
    'author.name': { $ne: null },
  })
  assert.deepEqual(client.whereToWire({ at: { $lt: { $now: true } } }), { at: { $lt: { $now: true } } })
})

test('durations are milliseconds or numbers with units', () => {
  const cases: readonly (readonly [string | number, number])[] = [
    [0, 0],
    [1500, 1500],
    ['500ms', 500],
    ['30s', 30_000],
    ['1m', 60_000],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['1w', 604_800_000],
    ['1y', 31_536_000_000],
    ['1d12h', 129_600_000],
  ]
  for (const [duration, expected] of cases) assert.equal(toMilliseconds(duration, 'delay'), expected)
  for (const wrong of ['', '30', 's', '1s1m', '-5s', '1 s', '1e3s', '٣s', 1.5, Number.NaN, null, {}]) {
    assert.throws(() => toMilliseconds(wrong as string, 'delay'), {
      code: 'KV_OPTION_INVALID',
      message: /delay/,
    })
  }
})

test('now() is moved by durations', () => {
  assert.equal(new ClientNow().add('1m').sub(500).offsetMs, 59_500)
  assert.throws(() => new ClientNow(0.5), { code: 'KV_VALUE_INVALID' })
})
