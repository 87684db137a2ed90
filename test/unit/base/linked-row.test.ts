import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LinkedRow, type RowItem } from '../../../src/base/linked-row.js'

interface Item extends RowItem<Item> {
  readonly id: number
}

/** The ids in both directions, which must be the same. */
function idsOf(row: LinkedRow<Item>): readonly number[] {
  const forth: number[] = []
  const back: number[] = []
  for (let item = row.oldest; item !== undefined; item = item.newer) forth.push(item.id)
  for (let item = row.newest; item !== undefined; item = item.older) back.push(item.id)
  assert.deepEqual(back.reverse(), forth)
  return forth
}

test('a row holds what a plain list holds, in both directions', () => {
  const step = fc.record({
    act: fc.constantFrom('append', 'remove', 'renew', 'oldest'),
    id: fc.nat({ max: 6 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const row = new LinkedRow<Item>()
      const held = new Map<number, Item>()
      let model: number[] = []
      for (const { act, id } of steps) {
        const item = act === 'oldest' ? row.oldest : held.get(id)
        if (act === 'append' && item === undefined) {
          const added: Item = { id, older: undefined, newer: undefined }
          held.set(id, added)
          row.append(added)
          model.push(id)
        } else if (act === 'renew' && item !== undefined) {
          row.renew(item)
          model = [...model.filter((each) => each !== id), id]
        } else if (act !== 'append' && item !== undefined) {
          row.remove(item)
          assert.deepEqual(
            [item.older, item.newer],
            [undefined, undefined],
            'nothing is kept by what is gone',
          )
          held.delete(item.id)
          model = model.filter((each) => each !== item.id)
        }
        assert.deepEqual(idsOf(row), model)
      }
      row.clear()
      assert.deepEqual(idsOf(row), [])
    }),
    { numRuns: 500 },
  )
})
