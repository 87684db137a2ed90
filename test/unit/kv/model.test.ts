import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import fc from 'fast-check'
import { encodeKey, type KvKey } from '../../../src/kv/key.js'
import type { Kv } from '../../../src/kv/kv.js'
import { type KvFixture, openKvFixture } from '../../helpers/kv-service.js'

/** A few keys that collide: siblings, ancestors, neighbours of every type. */
const keys: readonly KvKey[] = [
  ['a'],
  ['a', 1],
  ['a', 1, 'x'],
  ['a', -1n],
  ['ab'],
  ['a\u0000'],
  [1],
  [-1n],
  [-2n],
  [true],
]

type Mutation =
  | { readonly type: 'set' | 'sum' | 'max'; readonly key: KvKey; readonly value: number }
  | { readonly type: 'append'; readonly key: KvKey; readonly value: number }
  | { readonly type: 'delete'; readonly key: KvKey }

type Operation =
  | { readonly type: 'commit'; readonly checks: readonly Check[]; readonly mutations: readonly Mutation[] }
  | { readonly type: 'delete-tree'; readonly key: KvKey }
  | {
      readonly type: 'list'
      readonly prefix: KvKey
      readonly start: KvKey
      readonly isReverse: boolean
      readonly batch: number
    }

interface Check {
  readonly key: KvKey
  /** False checks for a versionstamp that the key never had. */
  readonly isTrue: boolean
}

interface ModelEntry {
  readonly key: KvKey
  readonly value: number | readonly number[]
  readonly versionstamp: string
}

/** The store as a plain map; what it refuses changes nothing. */
class Model {
  entries = new Map<string, ModelEntry>()

  get(key: KvKey): ModelEntry | undefined {
    return this.entries.get(nameOf(key))
  }

  /** @returns Undefined when a mutation does not fit the value that it finds. */
  applied(
    mutations: readonly Mutation[],
  ): Map<string, Omit<ModelEntry, 'versionstamp'> | undefined> | undefined {
    const changed = new Map<string, Omit<ModelEntry, 'versionstamp'> | undefined>()
    for (const mutation of mutations) {
      const name = nameOf(mutation.key)
      const before = changed.has(name) ? changed.get(name)?.value : this.get(mutation.key)?.value
      const value = apply(mutation, before)
      if (value === undefined && mutation.type !== 'delete') return undefined
      changed.set(name, value === undefined ? undefined : { key: mutation.key, value })
    }
    return changed
  }

  /** Keys below a prefix, in order. */
  below(prefix: KvKey): readonly ModelEntry[] {
    return [...this.entries.values()]
      .filter(({ key }) => key.length > prefix.length && prefix.every((part, at) => Object.is(part, key[at])))
      .sort((left, right) => Buffer.compare(encodeKey(left.key), encodeKey(right.key)))
  }
}

function apply(mutation: Mutation, before: ModelEntry['value'] | undefined): ModelEntry['value'] | undefined {
  if (mutation.type === 'delete') return undefined
  const { type, value } = mutation
  if (type === 'set') return value
  if (type === 'append') {
    if (before === undefined) return [value]
    return typeof before === 'number' ? undefined : [...before, value]
  }
  if (before === undefined) return value
  if (typeof before !== 'number') return undefined
  return type === 'sum' ? before + value : Math.max(before, value)
}

function nameOf(key: KvKey): string {
  return encodeKey(key).toString('latin1')
}

const key = fc.constantFrom(...keys)
const value = fc.integer({ min: -1000, max: 1000 })
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ type: fc.constantFrom('set' as const, 'sum' as const, 'max' as const), key, value }),
  fc.record({ type: fc.constant('append' as const), key, value }),
  fc.record({ type: fc.constant('delete' as const), key }),
)
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('commit' as const),
      checks: fc.array(fc.record({ key, isTrue: fc.constantFrom(true, true, true, false) }), {
        maxLength: 2,
      }),
      mutations: fc.array(mutation, { maxLength: 5 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('delete-tree' as const), key }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('list' as const),
      prefix: fc.oneof(key, fc.constant([] as KvKey)),
      start: key,
      isReverse: fc.boolean(),
      batch: fc.integer({ min: 1, max: 4 }),
    }),
  },
)

const never = '000000000fffffffffff'

async function runCommit(
  kv: Kv,
  model: Model,
  { checks, mutations }: Extract<Operation, { type: 'commit' }>,
): Promise<void> {
  const atomic = kv.atomic()
  for (const { key, isTrue } of checks) {
    atomic.check({ key, versionstamp: isTrue ? (model.get(key)?.versionstamp ?? null) : never })
  }
  for (const each of mutations) {
    if (each.type === 'delete') atomic.delete(each.key)
    else if (each.type === 'append') atomic.append(each.key, [each.value])
    else atomic[each.type](each.key, each.value)
  }
  const changes = model.applied(mutations)
  const holds = checks.every(({ isTrue }) => isTrue)
  if (holds && changes === undefined) {
    await assert.rejects(atomic.commit(), { code: 'KV_TYPE_MISMATCH' })
    return
  }
  const result = await atomic.commit()
  assert.equal(result.ok, holds)
  if (!result.ok || changes === undefined) return
  for (const [name, entry] of changes) {
    if (entry === undefined) model.entries.delete(name)
    else model.entries.set(name, { ...entry, versionstamp: result.versionstamp })
  }
}

async function runOperation(kv: Kv, model: Model, operation: Operation): Promise<void> {
  if (operation.type === 'commit') return runCommit(kv, model, operation)
  if (operation.type === 'delete-tree') {
    const gone = model.below(operation.key)
    const own = model.get(operation.key)
    const { deletedCount } = await kv.delete(operation.key, { exact: false })
    assert.equal(deletedCount, gone.length + (own === undefined ? 0 : 1))
    for (const entry of own === undefined ? gone : [...gone, own]) model.entries.delete(nameOf(entry.key))
    return
  }
  const { prefix, start, isReverse, batch } = operation
  const expected = model
    .below(prefix)
    .filter((entry) => Buffer.compare(encodeKey(entry.key), encodeKey(start)) >= 0)
  const listed: unknown[] = []
  for await (const entry of kv.list({ prefix, start }, { reverse: isReverse, batch })) listed.push(entry)
  assert.deepEqual(listed, isReverse ? [...expected].reverse() : expected)
  assert.equal(await kv.count(prefix), model.below(prefix).length)
}

let fixture: KvFixture | undefined
before(async () => {
  fixture = await openKvFixture()
})
after(() => fixture?.close())

it('random operations come out as they do on a plain map', async () => {
  let runs = 0
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 12 }), async (operations) => {
      runs += 1
      const kv = fixture?.service.namespace(`shared:model-${runs}`)
      assert.ok(kv)
      const model = new Model()
      for (const each of operations) await runOperation(kv, model, each)
      const expected = model.below([])
      const listed: unknown[] = []
      for await (const entry of kv.list()) listed.push(entry)
      assert.deepEqual(listed, expected)
    }),
    { numRuns: 2000 },
  )
})
