import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setImmediate as loopWentRound } from 'node:timers/promises'
import { kvLimits } from '../../../src/base/limits/kv.js'
import { Turn } from '../../../src/kv/service/turn.js'

/** Keeps the thread busy for longer than a turn. */
function workTooLong(): void {
  const end = performance.now() + kvLimits.turnMs + 1
  while (performance.now() < end);
}

it('long works that wait together keep the loop no longer than one of them', async () => {
  const turn = new Turn()
  const done: number[] = []
  const works = Array.from({ length: 6 }, async (_, at) => {
    await turn.next()
    // What the work is called through takes a few promises.
    for (let tick = 0; tick < 10; tick += 1) await undefined
    workTooLong()
    done.push(at)
  })
  for (let rounds = 1; done.length < works.length; rounds += 1) {
    await loopWentRound()
    assert.ok(done.length <= rounds, `${done.length} works in ${rounds} rounds`)
  }
  assert.deepEqual(done, [0, 1, 2, 3, 4, 5], 'in the order in which they waited')
  await Promise.all(works)
})

it('short works that wait together go on in one round, and who waits again is behind the others', async () => {
  const turn = new Turn()
  const done: string[] = []
  const work = async (name: string): Promise<void> => {
    for (let step = 1; step <= 2; step += 1) {
      await turn.next()
      done.push(`${name}${step}`)
    }
  }
  await Promise.all([work('a'), work('b'), work('c')])
  assert.deepEqual(done, ['a1', 'b1', 'c1', 'a2', 'b2', 'c2'])
  await turn.next()
})

it('who has waited gets a whole turn, although others have used up the one before', async () => {
  const turn = new Turn()
  const waiting = turn.next()
  turn.begin()
  workTooLong()
  assert.equal(turn.isOver(), true)
  await waiting
  assert.equal(turn.isOver(), false)
})
