import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { Crowd } from '../../../../src/gateway/cache/crowd.js'

it('a crowd has exactly those who came and have not left', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ who: fc.nat(7), comes: fc.boolean() })), (steps) => {
      const crowd = new Crowd<{ place: number; who: number }>()
      const members = Array.from({ length: 8 }, (_, who) => ({ place: -1, who }))
      const expected = new Set<number>()
      for (const { who, comes } of steps) {
        const member = members[who]
        assert.ok(member)
        if (comes && !expected.has(who)) crowd.add(member)
        if (!comes) crowd.remove(member)
        if (comes) expected.add(who)
        else expected.delete(who)
        assert.deepEqual(new Set(crowd.all().map((each) => each.who)), expected)
        assert.equal(crowd.all().length, expected.size, 'nobody is there twice')
      }
    }),
  )
})
