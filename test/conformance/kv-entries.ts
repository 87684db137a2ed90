import assert from 'node:assert/strict'
import type { KvKey } from '../../src/kv/key.js'
import type { KvSetOptions } from '../../src/kv/kv.js'
import type { KvValue } from '../../src/kv/value.js'
import { until } from '../helpers/until.js'
import { collect, type KvClasses, type RunCase, refuses } from './kv-case.js'

const versionstamp = /^[0-9a-f]{20}$/

/** Values that come back as they went in. */
const valuesOf = ({ KvU64 }: KvClasses): readonly KvValue[] => [
  null,
  true,
  false,
  0,
  -1.5,
  '',
  'ä\u0000😀',
  [],
  {},
  [1, [2, { deep: null }]],
  { __type: 'bigint', value: 'no' },
  { $now: true },
  12345678901234567890n,
  -(2n ** 200n),
  new Uint8Array([0, 255, 1]),
  new KvU64(2n ** 64n - 1n),
  { mixed: [1n, new Uint8Array([1]), new KvU64(3n)] },
]

/** Keys of every type, in their order. */
export const orderedKeys: readonly KvKey[] = [
  [new Uint8Array([0])],
  [new Uint8Array([0, 1])],
  [new Uint8Array([1])],
  [''],
  ['a'],
  ['a', new Uint8Array([9])],
  ['a', 'b'],
  ['a', -1],
  ['a', 1],
  ['a', true],
  ['a\u0000b'],
  ['ab'],
  ['ä'],
  [Number.NEGATIVE_INFINITY],
  [-1.5],
  [0],
  [1],
  [256],
  [-(2n ** 64n)],
  [-300n],
  [-10n],
  [-5n],
  [0n],
  [5n],
  [300n],
  [false],
  [true],
]

/** Reads, writes and deletes of single entries. */
export function entryCases(run: RunCase): void {
  run('an entry that is not there has neither value nor versionstamp', async (kv) => {
    assert.deepEqual(await kv.get(['none']), { key: ['none'], value: null, versionstamp: null })
  })

  run('values of every type come back as they were', async (kv, { classes }) => {
    for (const [at, value] of valuesOf(classes).entries()) {
      const { ok, versionstamp: written } = await kv.set(['values', at], value)
      assert.equal(ok, true)
      assert.match(written, versionstamp)
      assert.deepEqual(await kv.get(['values', at]), { key: ['values', at], value, versionstamp: written })
    }
  })

  run('versionstamps grow with each commit', async (kv) => {
    const first = await kv.set(['a'], 1)
    const second = await kv.set(['b'], 1)
    assert.ok(second.versionstamp > first.versionstamp)
    assert.equal((await kv.get(['a'])).versionstamp, first.versionstamp)
  })

  run('keys of all types are listed in their order', async (kv) => {
    for (const key of [...orderedKeys].reverse()) await kv.set(key, true)
    const listed = (await collect(kv.list())).map(({ key }) => key)
    assert.deepEqual(listed, orderedKeys)
  })

  run('-0 and 0 are one key, 0 and 0n are two', async (kv) => {
    await kv.set([0], 'number')
    await kv.set([-0], 'again')
    await kv.set([0n], 'bigint')
    assert.equal((await kv.get([0])).value, 'again')
    assert.equal((await kv.get([0n])).value, 'bigint')
    assert.equal(await kv.count(), 2)
  })

  run('the time of the write takes the place of KvNow', async (kv, { classes: { KvNow } }) => {
    const before = Date.now()
    await kv.set(['time'], { at: new KvNow(), later: new KvNow().add(1000) })
    const { at, later } = (await kv.get(['time'])).value as { at: number; later: number }
    assert.ok(Math.abs(at - before) < 60_000, `${at} is about now`)
    assert.equal(later, at + 1000)
  })

  run('several entries are read in the order of the keys', async (kv) => {
    await kv.set(['a'], 1)
    await kv.set(['b'], 2)
    const entries = await kv.getMany([['b'], ['none'], ['a'], ['b']])
    assert.deepEqual(
      entries.map(({ key, value }) => [key, value]),
      [
        [['b'], 2],
        [['none'], null],
        [['a'], 1],
        [['b'], 2],
      ],
    )
    assert.deepEqual(await kv.getMany([]), [])
  })

  run('an entry is gone when its time is over, also to checks and counts', async (kv) => {
    const { versionstamp: stamp } = await kv.set(['short'], 1, { expiresIn: 30 })
    await kv.set(['long'], 1, { expiresIn: 3_600_000 })
    await until('the entry has expired', async () => (await kv.get(['short'])).versionstamp === null)
    assert.deepEqual(
      (await collect(kv.list())).map(({ key }) => key),
      [['long']],
    )
    assert.equal(await kv.count(), 1)
    const stale = await kv
      .atomic()
      .check({ key: ['short'], versionstamp: stamp })
      .set(['x'], 1)
      .commit()
    assert.deepEqual(stale, { ok: false })
    const fresh = await kv
      .atomic()
      .check({ key: ['short'], versionstamp: null })
      .sum(['short'], 5)
      .commit()
    assert.equal(fresh.ok, true)
    assert.equal((await kv.get(['short'])).value, 5)
  })

  run(
    'an entry lives for the whole of its time, and for ever when it is set again without one',
    async (kv) => {
      await kv.set(['a'], 1, { expiresIn: 100 })
      await kv.set(['b'], 1, { expiresIn: 100 })
      await kv.set(['a'], 2)
      assert.equal((await kv.get(['b'])).value, 1)
      await until('the other one has expired', async () => (await kv.get(['b'])).versionstamp === null)
      assert.equal((await kv.get(['a'])).value, 2)
    },
  )

  run('delete removes one key and says whether it was there', async (kv) => {
    await kv.set(['a'], 1)
    await kv.set(['a', 'child'], 1)
    assert.deepEqual(await kv.delete(['a']), { deletedCount: 1 })
    assert.deepEqual(await kv.delete(['a']), { deletedCount: 0 })
    assert.equal((await kv.get(['a', 'child'])).value, 1)
  })

  run('a recursive delete takes the key and what is below it, and no sibling', async (kv) => {
    const stay = [['users2', 1], ['users_by_email'], ['user'], ['users\u0000'], [new Uint8Array([1])]]
    for (const key of [['users'], ['users', 1], ['users', 'x', 2n], ...stay]) await kv.set(key as KvKey, 1)
    assert.deepEqual(await kv.delete(['users'], { exact: false }), { deletedCount: 3 })
    assert.equal(await kv.count(), stay.length)
    assert.deepEqual(await kv.delete(['users'], { exact: false }), { deletedCount: 0 })
  })

  run('a delete with a filter takes only what matches', async (kv) => {
    for (let at = 0; at < 10; at += 1) await kv.set(['n', at], { at, odd: at % 2 === 1 })
    assert.deepEqual(await kv.delete(['n'], { exact: false, where: { odd: true } }), { deletedCount: 5 })
    assert.deepEqual(await kv.delete(['n', 2], { where: { odd: true } }), { deletedCount: 0 })
    assert.deepEqual(await kv.delete(['n', 2], { where: { at: 2 } }), { deletedCount: 1 })
    assert.equal(await kv.count(['n']), 4)
    await refuses('KV_WHERE_INVALID', () => kv.delete(['n'], { exact: false, where: { at: { $gtt: 1 } } }))
    await refuses('KV_WHERE_INVALID', () => kv.delete(['n'], { exact: false, where: { $or: [] } }))
    assert.equal(await kv.count(['n']), 4)
  })

  run('a delete of more than one commit counts exactly', async (kv) => {
    const total = 2500
    for (let from = 0; from < total; from += 500) {
      const atomic = kv.atomic()
      for (let at = from; at < from + 500; at += 1) atomic.set(['many', at], at)
      await atomic.commit()
    }
    assert.equal(await kv.count(['many']), total)
    assert.deepEqual(await kv.delete(['many'], { exact: false }), { deletedCount: total })
    assert.equal(await kv.count(['many']), 0)
  })

  run('keys that cannot be are refused', async (kv) => {
    const bad: readonly unknown[] = [
      [],
      'text',
      undefined,
      null,
      [null],
      [undefined],
      [{}],
      ['x', ['nested']],
      [Number.NaN],
      ['\ud800'],
      ['x'.repeat(1025)],
      ['ü'.repeat(600)],
      [new Uint8Array(1025)],
      [2n ** 1100n],
      Array.from({ length: 21 }, () => 'x'),
      ['x'.repeat(1000), 'x'.repeat(1000), 'x'.repeat(1000)],
    ]
    for (const key of bad as readonly KvKey[]) {
      await refuses('KV_KEY_INVALID', () => kv.get(key))
      await refuses('KV_KEY_INVALID', () => kv.set(key, 1))
      await refuses('KV_KEY_INVALID', () => kv.delete(key))
      await refuses('KV_KEY_INVALID', () => kv.atomic().set(key, 1).commit())
    }
    assert.equal(await kv.count(), 0)
    await refuses('KV_OPTION_INVALID', () => kv.getMany(Array.from({ length: 1001 }, () => ['k'])))
  })

  run('values that cannot be stored are refused, and nothing is written', async (kv) => {
    const cycle: Record<string, unknown> = {}
    cycle.self = cycle
    const bad: readonly unknown[] = [
      undefined,
      () => 1,
      Symbol('s'),
      new Date(),
      new Map(),
      cycle,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      [undefined],
      { deep: { date: new Date() } },
      10n ** 11_000n,
    ]
    for (const value of bad as readonly KvValue[]) {
      await refuses('KV_VALUE_INVALID', () => kv.set(['k'], value))
      await refuses('KV_VALUE_INVALID', () => kv.atomic().set(['k'], value).commit())
    }
    await refuses('KV_VALUE_TOO_LARGE', () => kv.set(['k'], 'x'.repeat(64 * 1024)))
    await refuses('KV_VALUE_TOO_LARGE', () => kv.set(['k'], new Uint8Array(64 * 1024 + 1)))
    assert.equal((await kv.get(['k'])).versionstamp, null)
    await kv.set(['k'], new Uint8Array(64 * 1024))
  })

  run('times to live that cannot be are refused by name', async (kv) => {
    const bad: readonly unknown[] = [0, -1, Number.NaN, 1.5, 2 ** 53, Number.POSITIVE_INFINITY, '1000', null]
    for (const expiresIn of bad) {
      const options = { expiresIn } as KvSetOptions
      await refuses('KV_OPTION_INVALID', () => kv.set(['k'], 1, options), /expiresIn/)
      await refuses('KV_OPTION_INVALID', () => kv.atomic().set(['k'], 1, options).commit(), /expiresIn/)
      await refuses('KV_OPTION_INVALID', () => kv.atomic().sum(['k'], 1, options).commit(), /expiresIn/)
    }
    await refuses('KV_OPTION_INVALID', () => kv.set(['k'], 1, { expireIn: 5 } as KvSetOptions), /expireIn/)
    await refuses('KV_OPTION_INVALID', () => kv.set(['k'], 1, 5 as KvSetOptions))
    await refuses('KV_OPTION_INVALID', () => kv.delete(['k'], { exact: 'no' as never }), /exact/)
    await refuses('KV_OPTION_INVALID', () => kv.delete(['k'], { recursive: true } as never), /recursive/)
    assert.equal(await kv.count(), 0)
  })

  run('namespaces do not see each other', async (kv, { namespaces }) => {
    const other = namespaces.namespace(`${kv.namespace}-other`)
    await kv.set(['k'], 'here')
    await other.set(['k'], 'there')
    assert.equal((await kv.get(['k'])).value, 'here')
    await refuses('KV_KEY_INVALID', () => other.delete([], { exact: false }))
    await other.delete(['k'], { exact: false })
    assert.equal((await kv.get(['k'])).value, 'here')
    await refuses('KV_NAMESPACE_INVALID', () => namespaces.namespace('../x').get(['k']))
    await refuses('KV_NAMESPACE_INVALID', () => namespaces.namespace('').get(['k']))
  })
}
