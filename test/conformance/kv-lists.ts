import assert from 'node:assert/strict'
import type { KvKey } from '../../src/kv/key.js'
import type { Kv, KvListOptions, KvPageOptions, KvSelector } from '../../src/kv/kv.js'
import { collect, keysOf, type RunCase, refuses } from './kv-case.js'

async function fill(kv: Kv, count: number): Promise<void> {
  const atomic = kv.atomic()
  for (let at = 0; at < count; at += 1) atomic.set(['n', at], { at, even: at % 2 === 0 })
  await atomic.commit()
}

/** Lists, pages and counts. */
export function listCases(run: RunCase): void {
  run('a prefix selects what is below it: not itself, and no sibling', async (kv) => {
    for (const key of [['users'], ['users', 1], ['users2', 1], ['users_by_email', 'x'], ['user', 's']]) {
      await kv.set(key, 1)
    }
    assert.deepEqual(await keysOf(kv.list({ prefix: ['users'] })), [['users', 1]])
    assert.equal(await kv.count(['users']), 1)
    assert.deepEqual(
      (await kv.paginate({ prefix: ['users'] })).entries.map(({ key }) => key),
      [['users', 1]],
    )
    await kv.set([new Uint8Array([1]), 1], 1)
    await kv.set([new Uint8Array([1, 2]), 1], 1)
    assert.deepEqual(await keysOf(kv.list({ prefix: [new Uint8Array([1])] })), [[new Uint8Array([1]), 1]])
  })

  run('start is in the list, end is not, and both stay below the prefix', async (kv) => {
    await fill(kv, 5)
    await kv.set(['o'], 1)
    await kv.set(['a'], 1)
    const numbers = async (selector: KvSelector, options?: KvListOptions): Promise<readonly unknown[]> =>
      (await keysOf(kv.list(selector, options))).map((key) => (key as KvKey)[1])
    assert.deepEqual(await numbers({ prefix: ['n'], start: ['n', 1], end: ['n', 3] }), [1, 2])
    assert.deepEqual(await numbers({ prefix: ['n'], start: ['a'], end: ['z'] }), [0, 1, 2, 3, 4])
    assert.deepEqual(await numbers({ prefix: ['n'], start: ['n', 3] }, { reverse: true }), [4, 3])
    assert.deepEqual(await numbers({ prefix: ['n'], start: ['n', 3], end: ['n', 1] }), [])
    assert.deepEqual(await numbers({ prefix: ['n'], end: ['n', 2] }, { limit: 1 }), [0])
    assert.equal(await kv.count(), 7)
  })

  run('a list reads on, batch by batch, in both directions', async (kv) => {
    await fill(kv, 25)
    const forwards = Array.from({ length: 25 }, (_, at) => ['n', at])
    assert.deepEqual(await keysOf(kv.list({}, { batch: 4 })), forwards)
    assert.deepEqual(await keysOf(kv.list({}, { batch: 7, reverse: true })), [...forwards].reverse())
    assert.deepEqual(await keysOf(kv.list({}, { batch: 4, limit: 10 })), forwards.slice(0, 10))
  })

  run('a filter passes entries over, and the limit counts those that are left', async (kv) => {
    await fill(kv, 20)
    const options = { where: { even: true, at: { $gte: 6 } }, limit: 3, batch: 2 }
    assert.deepEqual(await keysOf(kv.list({ prefix: ['n'] }, options)), [
      ['n', 6],
      ['n', 8],
      ['n', 10],
    ])
    assert.equal(await kv.count(['n'], { where: { even: true } }), 10)
    await refuses('KV_WHERE_INVALID', () => kv.count(['n'], { where: { at: { $gtt: 1 } } }))
    await refuses('KV_WHERE_INVALID', () => kv.count(['n'], { where: { $and: [] } }))
  })

  run('a cursor goes on where another list stood', async (kv) => {
    await fill(kv, 10)
    for (const reverse of [false, true]) {
      const whole = await keysOf(kv.list({ prefix: ['n'] }, { reverse }))
      const list = kv.list({ prefix: ['n'] }, { reverse })
      assert.equal(list.cursor, '')
      const seen: unknown[] = []
      for await (const { key } of list) {
        seen.push(key)
        if (seen.length === 4) break
      }
      const rest = await keysOf(kv.list({ prefix: ['n'] }, { reverse, cursor: list.cursor }))
      assert.deepEqual([...seen, ...rest], whole)
    }
  })

  run('pages cover a range exactly once, and the last one has no cursor', async (kv) => {
    await fill(kv, 10)
    for (const [limit, reverse] of [
      [3, false],
      [5, false],
      [4, true],
      [10, false],
    ] as const) {
      const seen: unknown[] = []
      let cursor: string | null = null
      do {
        const page = await kv.paginate({ prefix: ['n'], limit, reverse, cursor })
        assert.equal(page.hasMore, page.cursor !== null)
        assert.ok(page.entries.length > 0)
        seen.push(...page.entries.map(({ key }) => key[1]))
        cursor = page.cursor
      } while (cursor !== null)
      const all = Array.from({ length: 10 }, (_, at) => at)
      assert.deepEqual(seen, reverse ? all.reverse() : all)
    }
    const empty = await kv.paginate({ prefix: ['none'] })
    assert.deepEqual(empty, { entries: [], cursor: null, hasMore: false })
  })

  run('a cursor cannot leave its range', async (kv) => {
    await kv.set(['open', 1], 1)
    await kv.set(['secret', 1], 1)
    const { cursor } = await kv.paginate({ limit: 1 })
    assert.ok(cursor)
    const outside = kv.list({ prefix: ['secret'] })
    await collect(outside)
    const bad: readonly unknown[] = [
      outside.cursor,
      'AAAA',
      '%%%',
      `${cursor}==`,
      `${cursor}A`,
      Buffer.from('04ff', 'hex').toString('base64url'),
      'x'.repeat(10_000),
    ]
    for (const forged of bad) {
      const options = { cursor: forged } as KvListOptions
      await refuses('KV_CURSOR_INVALID', () => collect(kv.list({ prefix: ['open'] }, options)))
      await refuses('KV_CURSOR_INVALID', () => kv.paginate({ prefix: ['open'], ...options } as KvPageOptions))
    }
    await refuses('KV_OPTION_INVALID', () => kv.paginate({ cursor: 5 as never }), /cursor/)
  })

  run('options out of their range are refused by name', async (kv) => {
    for (const limit of [0, -1, 1.5, Number.NaN, '10', null]) {
      await refuses('KV_OPTION_INVALID', () => collect(kv.list({}, { limit } as KvListOptions)), /limit/)
      await refuses('KV_OPTION_INVALID', () => kv.paginate({ limit } as KvPageOptions), /limit/)
    }
    await refuses('KV_OPTION_INVALID', () => kv.paginate({ limit: 1001 }), /1000/)
    await refuses('KV_OPTION_INVALID', () => collect(kv.list({}, { batch: 1001 })), /batch/)
    await refuses('KV_OPTION_INVALID', () => collect(kv.list({}, { reverse: 1 as never })), /reverse/)
    await refuses('KV_OPTION_INVALID', () => collect(kv.list({ prefx: ['a'] } as KvSelector)), /prefx/)
    await refuses('KV_OPTION_INVALID', () => kv.paginate({ batch: 1 } as KvPageOptions), /batch/)
    await refuses('KV_KEY_INVALID', () => collect(kv.list({ start: [] })))
    await refuses('KV_KEY_INVALID', () => collect(kv.list({ prefix: 'users' as never })))
  })
}
