import assert from 'node:assert/strict'
import type { KvTransaction } from '../../src/kv/kv.js'
import { until } from '../helpers/until.js'
import { type RunCase, refuses } from './kv-case.js'

/** Atomic commits and transactions. */
export function commitCases(run: RunCase): void {
  run('a commit applies all of its mutations under one versionstamp', async (kv) => {
    await kv.set(['gone'], 1)
    const result = await kv.atomic().set(['a'], 1).set(['b'], 2).delete(['gone']).commit()
    assert.ok(result.ok)
    const entries = await kv.getMany([['a'], ['b'], ['gone']])
    assert.deepEqual(
      entries.map(({ versionstamp }) => versionstamp),
      [result.versionstamp, result.versionstamp, null],
    )
  })

  run('a check that fails writes nothing', async (kv) => {
    const { versionstamp } = await kv.set(['a'], 1)
    await kv.set(['a'], 2)
    for (const stale of [versionstamp, null]) {
      const result = await kv
        .atomic()
        .check({ key: ['a'], versionstamp: stale })
        .set(['b'], 1)
        .commit()
      assert.deepEqual(result, { ok: false })
    }
    const absent = await kv
      .atomic()
      .check({ key: ['b'], versionstamp: null })
      .set(['b'], 1)
      .commit()
    assert.equal(absent.ok, true)
    await refuses('KV_OPTION_INVALID', () =>
      kv
        .atomic()
        .check({ key: ['a'], versionstamp: 'x' })
        .commit(),
    )
    await refuses('KV_OPTION_INVALID', () =>
      kv
        .atomic()
        .check({ key: ['a'], versionstamp: undefined as never })
        .commit(),
    )
  })

  run('of commits that check the same versionstamp exactly one wins', async (kv) => {
    for (let round = 0; round < 20; round += 1) {
      const { versionstamp } = await kv.get(['slot'])
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, at) =>
          kv
            .atomic()
            .check({ key: ['slot'], versionstamp })
            .set(['slot'], at)
            .commit(),
        ),
      )
      assert.equal(results.filter(({ ok }) => ok).length, 1)
    }
  })

  run('later mutations see earlier ones', async (kv) => {
    await kv.atomic().set(['n'], 1).sum(['n'], 2).max(['n'], 10).min(['n'], 7).commit()
    assert.equal((await kv.get(['n'])).value, 7)
    await kv.atomic().delete(['n']).sum(['n'], 4).commit()
    assert.equal((await kv.get(['n'])).value, 4)
    await kv.atomic().set(['list'], [2]).append(['list'], [3]).prepend(['list'], [0, 1]).commit()
    assert.deepEqual((await kv.get(['list'])).value, [0, 1, 2, 3])
  })

  run('integers are exact and keep their type', async (kv, { classes: { KvU64 } }) => {
    await kv
      .atomic()
      .set(['big'], 2n ** 70n)
      .set(['u64'], new KvU64(5n))
      .set(['number'], 5)
      .commit()
    await kv.atomic().sum(['big'], 1n).sum(['u64'], 1).sum(['number'], -7).commit()
    const [big, u64, number] = await kv.getMany([['big'], ['u64'], ['number']])
    assert.equal(big?.value, 2n ** 70n + 1n)
    assert.deepEqual(u64?.value, new KvU64(6n))
    assert.equal(number?.value, -2)
  })

  run('what an integer cannot hold is refused as a whole', async (kv, { classes: { KvU64 } }) => {
    await kv
      .atomic()
      .set(['u64'], new KvU64(2n ** 64n - 1n))
      .set(['number'], 2 ** 53 - 1)
      .set(['zero'], new KvU64(0n))
      .commit()
    await refuses('KV_OVERFLOW', () => kv.atomic().set(['x'], 1).sum(['u64'], 1n).commit())
    await refuses('KV_OVERFLOW', () => kv.atomic().sum(['number'], 1).commit())
    await refuses('KV_OVERFLOW', () => kv.atomic().sum(['zero'], -1n).commit())
    assert.equal((await kv.get(['x'])).versionstamp, null)
    for (const operand of [1.5, Number.NaN, '1', 2 ** 53, null]) {
      await refuses('KV_VALUE_INVALID', () =>
        kv
          .atomic()
          .sum(['number'], operand as never)
          .commit(),
      )
    }
  })

  run('operations on a value of another type are refused', async (kv) => {
    await kv.atomic().set(['text'], 'x').set(['float'], 1.5).set(['list'], []).commit()
    await refuses('KV_TYPE_MISMATCH', () => kv.atomic().sum(['text'], 1).commit())
    await refuses('KV_TYPE_MISMATCH', () => kv.atomic().max(['float'], 1).commit())
    await refuses('KV_TYPE_MISMATCH', () => kv.atomic().append(['text'], [1]).commit())
    await refuses('KV_VALUE_INVALID', () =>
      kv
        .atomic()
        .append(['list'], 'x' as never)
        .commit(),
    )
    assert.equal((await kv.get(['text'])).value, 'x')
  })

  run('a mutation keeps the time to live unless it names one', async (kv) => {
    await kv.set(['counter'], 1, { expiresIn: 80 })
    await kv.set(['kept'], 1, { expiresIn: 60 })
    await kv.atomic().sum(['counter'], 1, { expiresIn: 3_600_000 }).sum(['kept'], 1).commit()
    await until('the counter with its first time is gone', async () => {
      return (await kv.get(['kept'])).versionstamp === null
    })
    assert.equal((await kv.get(['counter'])).value, 2)
  })

  run('commits are bounded', async (kv) => {
    const many = kv.atomic()
    await refuses('KV_COMMIT_TOO_LARGE', () => {
      for (let at = 0; at <= 1000; at += 1) many.set(['k', at], 1)
      return many.commit()
    })
    await refuses('KV_COMMIT_TOO_LARGE', () => {
      const large = kv.atomic()
      for (let at = 0; at < 20; at += 1) large.set(['k', at], 'x'.repeat(60_000))
      return large.commit()
    })
    await refuses('KV_COMMIT_TOO_LARGE', () => {
      const checks = Array.from({ length: 101 }, (_, at) => ({ key: ['k', at], versionstamp: null }))
      return kv
        .atomic()
        .check(...checks)
        .commit()
    })
    assert.equal(await kv.count(), 0)
  })

  run('concurrent sums lose nothing', async (kv) => {
    await Promise.all(Array.from({ length: 200 }, () => kv.atomic().sum(['n'], 1).commit()))
    assert.equal((await kv.get(['n'])).value, 200)
  })

  run('one commit that is refused does not drag others along', async (kv) => {
    await kv.set(['text'], 'x')
    const outcomes = await Promise.allSettled([
      kv.set(['a'], 1),
      kv.atomic().sum(['text'], 1).commit(),
      kv.set(['b'], 1),
    ])
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    assert.equal((await kv.get(['b'])).value, 1)
  })

  run('a transaction commits what it wrote, checked against what it read', async (kv) => {
    await kv.set(['n'], 1)
    const result = await kv.transaction(async (transaction) => {
      const { value } = await transaction.get(['n'])
      transaction.set(['n'], (value as number) + 1)
      assert.equal((await transaction.get(['n'])).value, 1, 'reads do not see own writes')
      return 'done'
    })
    assert.ok(result.ok)
    assert.equal(result.value, 'done')
    assert.deepEqual(await kv.get(['n']), { key: ['n'], value: 2, versionstamp: result.versionstamp })
  })

  run('a transaction meets a conflict, and runs again as often as it may', async (kv) => {
    let runs = 0
    const collide = async (transaction: KvTransaction): Promise<void> => {
      runs += 1
      await transaction.get(['n'])
      if (runs <= 2) await kv.set(['n'], runs)
      transaction.set(['result'], runs)
    }
    assert.deepEqual(await kv.transaction(collide), { ok: false, error: 'conflict' })
    assert.equal((await kv.get(['result'])).versionstamp, null)
    const again = await kv.transaction(collide, { maxRetries: 3, retryDelay: 1 })
    assert.equal(again.ok, true)
    assert.equal((await kv.get(['result'])).value, 3)
    await refuses('KV_OPTION_INVALID', () => kv.transaction(collide, { maxRetries: -1 }), /maxRetries/)
    await refuses('KV_OPTION_INVALID', () => kv.transaction(collide, { retryDelay: 1.5 }), /retryDelay/)
  })

  run('a transaction that throws writes nothing and is not repeated', async (kv) => {
    let runs = 0
    await assert.rejects(
      kv.transaction(
        (transaction) => {
          runs += 1
          transaction.set(['n'], 1)
          throw new RangeError('mine')
        },
        { maxRetries: 5 },
      ),
      RangeError,
    )
    assert.equal(runs, 1)
    assert.equal((await kv.get(['n'])).versionstamp, null)
  })

  run('a transaction and a commit cannot be used after their end', async (kv) => {
    let kept: KvTransaction | undefined
    await kv.transaction((transaction) => {
      kept = transaction
    })
    await refuses('KV_USED_AFTER_END', () => kept?.get(['n']))
    await refuses('KV_USED_AFTER_END', () => kept?.set(['n'], 1))
    const atomic = kv.atomic().set(['n'], 1)
    await atomic.commit()
    await refuses('KV_USED_AFTER_END', () => atomic.commit())
  })

  run('concurrent transactions count without losing an update', async (kv) => {
    const increment = (): Promise<unknown> =>
      kv.transaction(
        async (transaction) => {
          const { value } = await transaction.get(['n'])
          transaction.set(['n'], ((value as number | null) ?? 0) + 1)
        },
        { maxRetries: 100, retryDelay: 2 },
      )
    const results = await Promise.all(Array.from({ length: 10 }, increment))
    assert.ok(results.every((result) => (result as { ok: boolean }).ok))
    assert.equal((await kv.get(['n'])).value, 10)
  })
}
