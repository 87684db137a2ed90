import assert from 'node:assert/strict'
import type { Kv, KvBatch, KvChange, KvWatchOptions } from '../../src/kv/kv.js'
import { follow, nextBatch, type RunCase, refuses } from './kv-case.js'

function shown(changes: readonly KvChange[]): readonly unknown[] {
  return changes.map(({ type, key, value }) => [type, key, value])
}

/** Reads batches until they have so many changes together. */
async function readChanges(watch: AsyncIterator<KvBatch>, count: number): Promise<readonly KvChange[]> {
  const changes: KvChange[] = []
  while (changes.length < count) {
    const batch = await nextBatch(watch)
    assert.equal(batch.reset, false)
    changes.push(...batch.changes)
  }
  return changes
}

/** Writes values until changes from the beginning have been forgotten. */
async function overflow(kv: Kv): Promise<void> {
  const value = 'x'.repeat(60_000)
  for (let round = 0; round < 12; round += 1) {
    const atomic = kv.atomic()
    for (let at = 0; at < 16; at += 1) atomic.set(['fill', at], value)
    await atomic.commit()
  }
}

/** Watches. */
export function watchCases(run: RunCase): void {
  run('a watch begins with what there is, then tells each change in order', async (kv) => {
    await kv.set(['a', 1], 'one')
    await kv.set(['b'], 'other')
    const watch = follow(kv.watch({ prefix: ['a'] }))
    const first = await nextBatch(watch)
    assert.deepEqual([first.reset, first.isComplete], [true, true])
    assert.deepEqual(shown(first.changes), [['set', ['a', 1], 'one']])
    await kv.set(['a'], 'the prefix itself')
    await kv.set(['ab'], 'a sibling')
    await kv.delete(['a', 1])
    assert.deepEqual(shown(await readChanges(watch, 2)), [
      ['set', ['a'], 'the prefix itself'],
      ['delete', ['a', 1], null],
    ])
    await watch.return?.()
  })

  run('a watch of nothing that is there begins with nothing', async (kv) => {
    const watch = follow(kv.watch({ keys: [['none']] }))
    const first = await nextBatch(watch)
    assert.deepEqual([first.reset, first.isComplete, first.changes], [true, true, []])
    await kv.set(['none'], 1)
    assert.deepEqual(shown(await readChanges(watch, 1)), [['set', ['none'], 1]])
    await watch.return?.()
  })

  run('initial: false leaves out what there is, and misses nothing that follows', async (kv) => {
    await kv.set(['k'], 'old')
    const watch = follow(kv.watch({ keys: [['k'], ['other', 5]] }, { initial: false }))
    await kv.set(['unwatched'], 1)
    await kv.set(['other', 5], 'new')
    assert.deepEqual(shown(await readChanges(watch, 1)), [['set', ['other', 5], 'new']])
    await watch.return?.()
  })

  run('a watch that waits is woken by a commit', async (kv) => {
    const watch = follow(kv.watch({ prefix: [] }, { initial: false }))
    const waiting = nextBatch(watch)
    const { versionstamp } = await kv.set(['k'], 1)
    const batch = await waiting
    assert.deepEqual(batch, {
      reset: false,
      isComplete: true,
      changes: [{ type: 'set', key: ['k'], value: 1, versionstamp }],
      versionstamp,
    })
    await watch.return?.()
  })

  run('since goes on behind a batch, without a gap', async (kv) => {
    const watch = follow(kv.watch({ prefix: [] }))
    const { versionstamp: start } = await nextBatch(watch)
    await watch.return?.()
    for (let at = 0; at < 5; at += 1) await kv.set(['n', at], at)
    const resumed = follow(kv.watch({ prefix: ['n'] }, { since: start }))
    const changes = await readChanges(resumed, 5)
    assert.deepEqual(
      changes.map(({ value }) => value),
      [0, 1, 2, 3, 4],
    )
    await resumed.return?.()
    const middle = changes[2]?.versionstamp ?? ''
    const again = follow(kv.watch({ prefix: ['n'] }, { since: middle }))
    assert.deepEqual(
      (await readChanges(again, 2)).map(({ value }) => value),
      [3, 4],
    )
    await again.return?.()
  })

  run('the changes of one commit come together', async (kv) => {
    const watch = follow(kv.watch({ prefix: [] }, { initial: false }))
    const atomic = kv.atomic()
    for (let at = 0; at < 1000; at += 1) atomic.set(['n', at], at)
    await atomic.commit()
    assert.equal((await nextBatch(watch)).changes.length, 1000)
    await watch.return?.()
  })

  run('a watch that is too far behind starts anew', async (kv) => {
    const { versionstamp: since } = await kv.set(['first'], 1)
    await kv.delete(['first'])
    await overflow(kv)
    const watch = follow(kv.watch({ prefix: [] }, { since }))
    const keys = new Set<unknown>()
    for (let isComplete = false; !isComplete; ) {
      const batch = await nextBatch(watch)
      assert.equal(batch.reset, true)
      for (const { key, type } of batch.changes) {
        assert.equal(type, 'set')
        keys.add(JSON.stringify(key))
      }
      isComplete = batch.isComplete
    }
    assert.equal(keys.size, 16)
    assert.ok(!keys.has('["first"]'), 'what was deleted is not among them')
    await kv.set(['next'], 2)
    assert.deepEqual(shown(await readChanges(watch, 1)), [['set', ['next'], 2]])
    await watch.return?.()
  })

  run('a versionstamp of the future starts anew as well', async (kv) => {
    await kv.set(['k'], 1)
    const watch = follow(kv.watch({ keys: [['k']] }, { since: '00000000000000ffffff' }))
    const batch = await nextBatch(watch)
    assert.equal(batch.reset, true)
    assert.deepEqual(shown(batch.changes), [['set', ['k'], 1]])
    await watch.return?.()
  })

  run('an entry that expires is told as deleted', async (kv) => {
    const watch = follow(kv.watch({ keys: [['k']] }, { initial: false }))
    await kv.set(['k'], 1, { expiresIn: 20 })
    assert.deepEqual(shown(await readChanges(watch, 2)), [
      ['set', ['k'], 1],
      ['delete', ['k'], null],
    ])
    await watch.return?.()
  })

  run('a watch ends by its signal and by return, also while it waits', async (kv) => {
    const controller = new AbortController()
    const aborted = follow(kv.watch({ prefix: [] }, { initial: false, signal: controller.signal }))
    const waiting = aborted.next()
    controller.abort()
    assert.equal((await waiting).done, true)
    assert.equal((await aborted.next()).done, true)
    const returned = follow(kv.watch({ prefix: [] }, { initial: false }))
    const pending = returned.next()
    await returned.return?.()
    assert.equal((await pending).done, true)
    const late = follow(kv.watch({ prefix: [] }, { signal: AbortSignal.abort() }))
    assert.equal((await late.next()).done, true)
  })

  run('targets and options that cannot be are refused', async (kv) => {
    const start = (target: unknown, options?: unknown): Promise<unknown> =>
      follow(kv.watch(target as { prefix: [] }, options as KvWatchOptions)).next()
    await refuses('KV_OPTION_INVALID', () => start({}))
    await refuses('KV_OPTION_INVALID', () => start({ keys: [['a']], prefix: ['a'] }))
    await refuses('KV_OPTION_INVALID', () => start({ keys: [] }))
    await refuses('KV_OPTION_INVALID', () => start({ keys: Array.from({ length: 101 }, (_, at) => [at]) }))
    await refuses('KV_KEY_INVALID', () => start({ keys: [[]] }))
    await refuses('KV_OPTION_INVALID', () => start({ prefix: [] }, { since: 'yesterday' }))
    await refuses('KV_OPTION_INVALID', () => start({ prefix: [] }, { initial: 'no' }), /initial/)
    await refuses('KV_OPTION_INVALID', () => start({ prefix: [] }, { from: 1 }), /from/)
  })
}
