import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeKey, encodePrefix } from '../../../../src/kv/key.js'
import { createSearchFixture, namesOf, type SearchConnection } from '../../../helpers/kv-search.js'
import { remove, set } from '../../../helpers/kv-store.js'

const words = ['ant', 'bee', 'cat'] as const
const namespace = 'plugin:model'

interface Known {
  readonly texts: readonly string[]
  readonly expiresAt: number | undefined
}

type Step =
  | {
      readonly do: 'set'
      readonly at: number
      readonly texts: string[]
      readonly ttl: number | null
      readonly side: 0 | 1
    }
  | { readonly do: 'delete'; readonly at: number; readonly side: 0 | 1 }
  | { readonly do: 'index'; readonly field: number; readonly side: 0 | 1 }
  | { readonly do: 'maintain' | 'wait' | 'sweep'; readonly side: 0 | 1 }

const side = fc.constantFrom(0 as const, 1 as const)
const at = fc.integer({ min: 0, max: 5 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('set' as const),
      at,
      texts: fc.array(fc.constantFrom(...words), { minLength: 2, maxLength: 2 }),
      ttl: fc.option(fc.integer({ min: 1, max: 3 })),
      side,
    }),
  },
  fc.record({ do: fc.constant('delete' as const), at, side }),
  fc.record({ do: fc.constant('index' as const), field: fc.integer({ min: 0, max: 1 }), side }),
  fc.record({ do: fc.constantFrom('maintain' as const, 'wait' as const, 'sweep' as const), side }),
)

test('after any history, through two connections, exactly the entries with a word are found', async (t) => {
  const fixture = await createSearchFixture()
  t.after(() => fixture.close())
  const sides = [fixture, fixture.open()] as const
  let run = 0
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      run += 1
      const known = new Map<number, Known>()
      let field = 0
      sides[0].indexes.create(namespace, encodePrefix([run]), { fields: ['t0'] }, fixture.nowMs)
      for (const one of steps) {
        const connection: SearchConnection = sides[one.side]
        if (one.do === 'index') {
          field = one.field
          const options = { fields: [`t${field}`] }
          settle(connection)
          connection.indexes.create(namespace, encodePrefix([run]), options, fixture.nowMs)
        } else apply(connection, one, known)
      }
      settle(sides[1])
      for (const { finder } of sides) {
        for (const word of words) {
          const request = { prefix: encodePrefix([run]), query: word }
          const expected = [...known].filter(([, { texts, expiresAt }]) => {
            return texts[field] === word && (expiresAt === undefined || expiresAt > fixture.nowMs)
          })
          assert.deepEqual(
            namesOf(finder.search(namespace, request, fixture.nowMs)),
            expected.map(([name]) => name).sort(),
          )
        }
      }
      sides[0].indexes.remove(namespace, encodePrefix([run]), fixture.nowMs)
    }),
    { numRuns: 60 },
  )

  function settle({ maintenance }: SearchConnection): void {
    let isWorking = true
    while (isWorking) isWorking = maintenance.step(fixture.nowMs)
  }

  function apply(
    { store, maintenance }: SearchConnection,
    one: Exclude<Step, { do: 'index' }>,
    known: Map<number, Known>,
  ) {
    switch (one.do) {
      case 'set': {
        const expiresAt = one.ttl === null ? undefined : fixture.nowMs + one.ttl
        const [t0, t1] = one.texts
        const mutation = set([run, one.at], { t0: t0 ?? '', t1: t1 ?? '' }, expiresAt)
        store.commit(namespace, { checks: [], mutations: [mutation] })
        known.set(one.at, { texts: one.texts, expiresAt })
        return
      }
      case 'delete':
        store.commit(namespace, { checks: [], mutations: [remove([run, one.at])] })
        known.delete(one.at)
        return
      case 'maintain':
        maintenance.step(fixture.nowMs)
        return
      case 'wait':
        fixture.nowMs += 1
        return
      case 'sweep':
        store.sweepExpired(100)
    }
  }
})

test('an index leaves no bytes behind in the count of its namespace', async (t) => {
  const fixture = await createSearchFixture()
  t.after(() => fixture.close())
  fixture.index(['p'], { fields: [''] })
  const key = ['p', 'a']
  fc.assert(
    fc.property(fc.array(fc.option(fc.string({ maxLength: 50 })), { maxLength: 10 }), (texts) => {
      for (const text of texts) fixture.commit(text === null ? remove(key) : set(key, text))
      fixture.commit(remove(key))
      assert.equal(fixture.bytes(), 0)
    }),
    { numRuns: 50 },
  )
  assert.equal(fixture.store.read(fixture.namespace, [encodeKey(key)])[0], undefined)
})
