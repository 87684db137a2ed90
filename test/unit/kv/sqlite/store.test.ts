import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { HostError } from '../../../../src/base/errors.js'
import { kvLimits } from '../../../../src/base/limits/kv.js'
import { decodeKey, encodeKey, encodePrefix, prefixRange } from '../../../../src/kv/key.js'
import { createTriggerObserver, type Trigger } from '../../../../src/kv/sqlite/triggers.js'
import type { Commit, Mutation } from '../../../../src/kv/store.js'
import { encodeValue } from '../../../../src/kv/stored-value.js'
import {
  check,
  createStoreFixture,
  remove,
  type StoreFixture,
  set,
  valueAt,
} from '../../../helpers/kv-store.js'

const hasCode = (code: string) => (error: unknown) => error instanceof HostError && error.code === code
const sum = (key: string, by: number): Mutation => ({
  type: 'sum',
  key: encodeKey([key]),
  value: encodeValue(by, 0),
})
const commit = (mutations: readonly Mutation[], checks: Commit['checks'] = []): Commit => ({
  checks,
  mutations,
})
const everything = { range: prefixRange(encodePrefix([])), limit: 1000, isReverse: false }

describe('SqliteKvStore', () => {
  let world: StoreFixture
  before(async () => {
    world = await createStoreFixture()
  })
  after(() => world.close())

  const shown = (namespace: string, query: Partial<typeof everything> = {}) =>
    world.store
      .list(namespace, { ...everything, ...query })
      .entries.map(({ key }) => decodeKey(key).join('/'))

  it('applies a commit with one versionstamp, each later than the last', () => {
    const first = world.store.commit('shared:a', commit([set(['x'], 1), set(['y'], 2)]))
    const second = world.store.commit('shared:a', commit([remove(['x']), sum('y', 3), sum('z', 1)]))
    assert.ok(second.versionstamp > first.versionstamp)
    assert.equal(second.deleted, 1)
    const entries = world.store.read('shared:a', [encodeKey(['x']), encodeKey(['y']), encodeKey(['z'])])
    assert.deepEqual(
      entries.map((entry) => entry?.versionstamp),
      [undefined, second.versionstamp, second.versionstamp],
    )
    assert.equal(valueAt(world.store, 'shared:a', ['y']), 5)
  })

  it('writes nothing when a check fails', () => {
    const { versionstamp } = world.store.commit('shared:b', commit([set(['x'], 1)]))
    const stale = world.store.commit('shared:b', commit([set(['y'], 1)], [check(['x'], versionstamp - 1)]))
    const absent = world.store.commit('shared:b', commit([set(['y'], 1)], [check(['x'], null)]))
    assert.deepEqual([stale.ok, absent.ok], [false, false])
    assert.deepEqual(shown('shared:b'), ['x'])
    const right = [check(['x'], versionstamp), check(['y'], null)]
    assert.equal(world.store.commit('shared:b', commit([set(['y'], 1)], right)).ok, true)
  })

  it('lets later mutations see earlier ones', () => {
    const mutations = [
      set(['n'], 1),
      sum('n', 2),
      remove(['n']),
      sum('n', 7),
      set(['gone'], 1),
      remove(['gone']),
    ]
    const result = world.store.commit('shared:c', commit(mutations))
    assert.equal(valueAt(world.store, 'shared:c', ['n']), 7)
    assert.deepEqual(shown('shared:c'), ['n'])
    assert.equal(result.deleted, 2)
  })

  it('leaves nothing of a commit that is refused, and applies those around it', () => {
    world.store.commit('shared:d', commit([set(['text'], 'x')]))
    const [one, two, three] = world.store.commitAll([
      { namespace: 'shared:d', commit: commit([set(['one'], 1)]) },
      { namespace: 'shared:d', commit: commit([set(['two'], 2), sum('text', 1)]) },
      { namespace: 'shared:d', commit: commit([set(['three'], 3)], [check(['one'], 2)]) },
    ])
    assert.ok(one !== undefined && 'ok' in one && one.ok)
    assert.ok(two !== undefined && 'error' in two && hasCode('KV_TYPE_MISMATCH')(two.error))
    assert.ok(three !== undefined && 'ok' in three && three.ok, 'it sees the first one')
    assert.deepEqual(shown('shared:d'), ['one', 'text', 'three'])
  })

  it('hides an entry from the moment on at which it expires', () => {
    const at = world.nowMs
    world.store.commit('shared:e', commit([set(['soon'], 1, at + 1), set(['late'], 1, at + 5)]))
    assert.deepEqual(shown('shared:e'), ['late', 'soon'])
    world.nowMs = at + 1
    assert.deepEqual(shown('shared:e'), ['late'])
    assert.equal(valueAt(world.store, 'shared:e', ['soon']), undefined)
    assert.equal(world.store.commit('shared:e', commit([sum('soon', 2)], [check(['soon'], null)])).ok, true)
    assert.equal(valueAt(world.store, 'shared:e', ['soon']), 2)
    world.nowMs = at + 1000
    assert.deepEqual(shown('shared:e'), ['soon'], 'what had expired does not lend its expiry')
  })

  it('keeps the expiry of an entry that is added to, unless a new one is given', () => {
    const at = world.nowMs
    world.store.commit('shared:f', commit([set(['n'], 1, at + 10), set(['m'], 1, at + 10)]))
    world.store.commit('shared:f', commit([sum('n', 1), { ...sum('m', 1), expiresAt: at + 20 } as Mutation]))
    world.nowMs = at + 10
    assert.deepEqual(shown('shared:f'), ['m'])
    world.store.commit('shared:f', commit([set(['m'], 1)]))
    world.nowMs = at + 100
    assert.deepEqual(shown('shared:f'), ['m'], 'a set without expiry lifts it')
  })

  it('lists forwards and backwards, in pages that go on from each other', () => {
    const names = Array.from({ length: 23 }, (_, at) => at)
    world.store.commit('shared:g', commit(names.map((name) => set([name], name))))
    for (const isReverse of [false, true]) {
      const seen: unknown[] = []
      let range: typeof everything.range | undefined = everything.range
      while (range !== undefined) {
        const page = world.store.list('shared:g', { range, limit: 5, isReverse })
        assert.ok(page.entries.length <= 5)
        seen.push(...page.entries.map(({ key }) => decodeKey(key)[0]))
        range = page.rest
      }
      assert.deepEqual(seen, isReverse ? names.toReversed() : names)
    }
  })

  it('ends a page after a bounded number of entries that do not match', () => {
    const total = kvLimits.scanEntriesMax + 10
    for (let from = 0; from < total; from += 1000) {
      const keys = Array.from({ length: Math.min(1000, total - from) }, (_, at) => set([from + at], 0))
      world.store.commit('shared:h', commit(keys))
    }
    const page = world.store.list('shared:h', { ...everything, matches: () => false })
    assert.equal(page.entries.length, 0)
    assert.ok(page.rest !== undefined)
    const last = world.store.list('shared:h', { ...everything, range: page.rest, matches: () => false })
    assert.equal(last.rest, undefined)
  })

  it('refuses commits that are too large', () => {
    const many = Array.from({ length: kvLimits.mutationsMax + 1 }, (_, at) => remove([at]))
    assert.throws(() => world.store.commit('shared:i', commit(many)), hasCode('KV_COMMIT_TOO_LARGE'))
    const checks = Array.from({ length: kvLimits.checksMax + 1 }, (_, at) => check([at], null))
    assert.throws(() => world.store.commit('shared:i', commit([], checks)), hasCode('KV_COMMIT_TOO_LARGE'))
    const large = Array.from({ length: 20 }, (_, at) => set([at], 'x'.repeat(60_000)))
    assert.throws(() => world.store.commit('shared:i', commit(large)), hasCode('KV_COMMIT_TOO_LARGE'))
    assert.deepEqual(shown('shared:i'), [])
  })

  it('refuses commits of small steps on large values, which are read and written at each step', () => {
    world.store.commit('shared:steps', commit([set(['list'], ['x'.repeat(60_000)])]))
    const append: Mutation = { type: 'append', key: encodeKey(['list']), value: encodeValue([], 0) }
    const steps = Math.ceil(kvLimits.combinedBytesMax / 60_000)
    const appends = Array.from({ length: steps }, () => append)
    assert.throws(() => world.store.commit('shared:steps', commit(appends)), hasCode('KV_COMMIT_TOO_LARGE'))
    assert.equal(world.store.commit('shared:steps', commit(appends.slice(1))).ok, true)
  })

  it('keeps namespaces apart, whatever their keys', () => {
    world.store.commit('shared:j', commit([set(['same'], 'j')]))
    world.store.commit('shared:k', commit([set(['same'], 'k')]))
    world.store.commit('shared:k', commit([remove(['same'])]))
    assert.equal(valueAt(world.store, 'shared:j', ['same']), 'j')
    assert.deepEqual(shown('shared:k'), [])
    assert.deepEqual(shown('shared:nothing-was-ever-written-here'), [])
  })
})

describe('room of a namespace', () => {
  it('is bounded, and can be freed when it is full', async () => {
    const world = await createStoreFixture({ namespaceBytesMax: 10_000 })
    const { store } = world
    const large = 'x'.repeat(3000)
    for (const key of [1, 2, 3]) store.commit('shared:a', commit([set([key], large)]))
    assert.throws(() => store.commit('shared:a', commit([set([4], large)])), hasCode('KV_QUOTA_EXCEEDED'))
    assert.equal(
      store.commit('shared:b', commit([set([4], large)])).ok,
      true,
      'another namespace has its own',
    )
    assert.equal(store.commit('shared:a', commit([set([1], 'small')])).ok, true)
    assert.equal(store.commit('shared:a', commit([remove([2])])).ok, true)
    assert.equal(store.commit('shared:a', commit([set([4], large)])).ok, true)
    world.close()
  })

  it('is counted exactly, whatever happens', async () => {
    const world = await createStoreFixture()
    const { store, session } = world
    const key = fc.constantFrom('a', 'b', 'c', 'd')
    const operation = fc.oneof(
      fc.record({ do: fc.constant('set' as const), key, size: fc.nat(50), ms: fc.option(fc.nat(20)) }),
      fc.record({ do: fc.constant('delete' as const), key }),
      fc.record({ do: fc.constant('sum' as const), key }),
      fc.record({ do: fc.constant('wait' as const), ms: fc.nat(15) }),
      fc.record({ do: fc.constant('sweep' as const), limit: fc.integer({ min: 1, max: 3 }) }),
    )
    const mutate = (step: {
      do: 'set' | 'delete' | 'sum'
      key: string
      size?: number
      ms?: number | null
    }) => {
      if (step.do === 'delete') return remove([step.key])
      if (step.do === 'sum') return sum(step.key, 1)
      const expiresAt = step.ms == null ? undefined : world.nowMs + step.ms
      return set([step.key], 'x'.repeat(step.size ?? 0), expiresAt)
    }
    // A namespace to which nothing was ever written has no counts.
    store.commit('shared:a', commit([set(['a'], '')]))
    fc.assert(
      fc.property(fc.array(fc.array(operation, { maxLength: 6 }), { maxLength: 5 }), (groups) => {
        for (const group of groups) {
          const mutations: Mutation[] = []
          for (const step of group) {
            if (step.do === 'wait') world.nowMs += step.ms
            else if (step.do === 'sweep') store.sweepExpired(step.limit)
            else mutations.push(mutate(step))
          }
          // A sum may meet a text: the commit is then refused, and must have left nothing.
          store.commitAll([{ namespace: 'shared:a', commit: commit(mutations) }])
        }
        assert.deepEqual(
          session.statement('select entries, bytes, changes_bytes from kv_namespaces').get(),
          session
            .statement(
              'select (select count(*) from kv_entries), (select coalesce(sum(length(key) + octet_length(value) + ?), 0) from kv_entries), (select coalesce(sum(length(key) + coalesce(octet_length(value), 0) + 24), 0) from kv_changes)',
            )
            .get(kvLimits.entryBytes),
        )
      }),
      { numRuns: 400 },
    )
    world.close()
  })
})

describe('changes that are kept for watchers', () => {
  it('are those of the last commits, up to their limit in bytes, never part of a commit', async () => {
    const world = await createStoreFixture()
    const { store, session } = world
    const large = 'x'.repeat(30_000)
    for (let at = 0; at < 200; at += 1) {
      store.commit('shared:a', commit(Array.from({ length: 3 }, (_, key) => set([key], `${large}${at}`))))
    }
    const [from, bytes] = session
      .statement('select changes_from, changes_bytes from kv_namespaces')
      .get() as number[]
    const [first, perCommit] = session
      .statement(
        'select min(versionstamp), min(n) from (select versionstamp, count(*) n from kv_changes group by 1)',
      )
      .get() as number[]
    assert.ok((bytes ?? 0) <= kvLimits.changesBytesMax * 1.1, `${bytes} bytes`)
    assert.ok((bytes ?? 0) >= kvLimits.changesBytesMax * 0.9, `${bytes} bytes`)
    assert.equal(first, (from ?? 0) + 1)
    assert.equal(perCommit, 3)
    world.close()
  })
})

describe('triggers', () => {
  const watch = (world: StoreFixture, namespace: number, trigger: Trigger) => {
    world.session
      .statement('insert into kv_triggers (namespace, plugin, queue, prefix) values (?, ?, ?, ?)')
      .run(namespace, trigger.plugin, trigger.queue, trigger.prefix)
    world.session.statement('update kv_namespaces set observers_version = observers_version + 1').run()
  }
  const queued = (world: StoreFixture) =>
    world.session.statement('select queue, value from kv_messages order by id').all() as [string, string][]

  it('queue each change below their prefix with the commit, and none of a commit that failed', async () => {
    const dropped: Trigger[] = []
    const world = await createStoreFixture({
      observe: (session) => [createTriggerObserver(session, (trigger) => dropped.push(trigger))],
    })
    world.store.commit('shared:a', commit([set(['before'], 1)]))
    watch(world, 1, { plugin: 'follower', queue: '$change:1', prefix: encodePrefix(['users']) })
    const { versionstamp } = world.store.commit(
      'shared:a',
      commit([
        set(['users', 1], { n: 1n }),
        remove(['users', 1]),
        set(['users2'], 1),
        remove(['users', 'none']),
      ]),
    )
    assert.equal(world.store.commit('shared:a', commit([set(['users', 1], 1)], [check(['x'], 9)])).ok, false)
    const changes = queued(world).map(([queue, value]) => [queue, JSON.parse(value)])
    assert.deepEqual(
      changes.map(([queue, { type, value }]) => [queue, type, value]),
      [
        ['$change:1', 'set', { n: { __type: 'bigint', value: '1' } }],
        ['$change:1', 'delete', null],
      ],
    )
    assert.equal(Number.parseInt(changes[0]?.[1].versionstamp, 16), versionstamp)
    assert.deepEqual(dropped, [])
    world.close()
  })

  it('are told of entries that expired, when these are swept', async () => {
    const world = await createStoreFixture({
      observe: (session) => [createTriggerObserver(session, () => assert.fail())],
    })
    world.store.commit('shared:a', commit([set(['x'], 1, world.nowMs + 5)]))
    watch(world, 1, { plugin: 'follower', queue: '$change:1', prefix: encodePrefix([]) })
    assert.equal(world.store.sweepExpired(10), 0)
    world.nowMs += 5
    assert.equal(world.store.sweepExpired(10), 1)
    assert.equal(JSON.parse(queued(world)[0]?.[1] ?? '{}').type, 'delete')
    world.close()
  })

  it('of another namespace leave a plugin room for its own writes', async () => {
    const bytesMax = 8000
    const world = await createStoreFixture({
      namespaceBytesMax: bytesMax,
      observe: (session) => [createTriggerObserver(session, () => undefined)],
    })
    world.store.commit('shared:a', commit([set(['x'], 1)]))
    world.store.commit('plugin:victim', commit([set(['own'], 1)]))
    watch(world, 1, { plugin: 'victim', queue: '$change:1', prefix: encodePrefix([]) })
    for (let at = 0; at < 40; at += 1) world.store.commit('shared:a', commit([set(['x'], 'y'.repeat(500))]))
    assert.ok(queued(world).length > 5)
    const own = 'z'.repeat(bytesMax * (1 - kvLimits.otherChangesShare) - 200)
    assert.equal(world.store.commit('plugin:victim', commit([set(['own'], own)])).ok, true)
    world.close()
  })

  it('never make a commit fail: a plugin without room loses the change', async () => {
    const dropped: Trigger[] = []
    const world = await createStoreFixture({
      namespaceBytesMax: 3000,
      observe: (session) => [createTriggerObserver(session, (trigger) => dropped.push(trigger))],
    })
    world.store.commit('shared:a', commit([set(['x'], 1)]))
    watch(world, 1, { plugin: 'follower', queue: '$change:1', prefix: encodePrefix([]) })
    for (let at = 0; at < 20; at += 1) world.store.commit('shared:a', commit([set(['x'], 'y'.repeat(500))]))
    assert.ok(dropped.length > 10)
    assert.equal(queued(world).length + dropped.length, 20)
    world.close()
  })
})
