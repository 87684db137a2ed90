import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { kvLimits } from '../../../../src/base/limits/kv.js'
import { encodeKey } from '../../../../src/kv/key.js'
import { encodeValue } from '../../../../src/kv/stored-value.js'
import type { CallFailureCode, CallOutcome } from '../../../../src/sandbox/generation.js'
import {
  changeListener,
  createDeliveryWorld,
  type DeliveryWorld,
  listeningPlugin,
  queueListener,
  type SeenMessage,
  workedOff,
} from '../../../helpers/kv-delivery-world.js'
import { until } from '../../../helpers/until.js'

const failedWith = (code: CallFailureCode, blamed = false): CallOutcome => {
  return { ok: false, code, message: 'init.lua:7: boom', blamed }
}

const countsOf = ({ door }: DeliveryWorld, plugin = 'a') =>
  door.queues.queueCounts(`plugin:${plugin}`, undefined, Date.now())

const nothingLeft = { pending: 0, processing: 0, dead: 0 }

describe('messages', () => {
  it('come to the function of their queue and to no other, and are gone when it has done its work', async (t) => {
    const seen: SeenMessage[] = []
    const note = (message: SeenMessage) => {
      seen.push(message)
      return workedOff
    }
    const world = await createDeliveryWorld(
      t,
      listeningPlugin('a', [queueListener('default'), queueListener('mail')], note),
      listeningPlugin('b', [queueListener('default')], note),
    )
    const engine = world.engine()
    engine.start()
    const id = world.send('a', { n: 1n }, { queue: 'mail' })
    world.send('b', 'for b')
    world.send('a', 'nobody listens', { queue: 'other' })
    await until('the test goes on', () => seen.length === 2 && world.samples.length === 2)
    await engine.close()
    const toA = seen.find(({ plugin }) => plugin === 'a')
    assert.equal(toA?.key, 'mail')
    assert.deepEqual(toA?.event, {
      id: String(id),
      queue: 'mail',
      value: { n: { __type: 'bigint', value: '1' } },
      attempts: 1,
    })
    assert.equal(toA?.request.phase, 'message')
    assert.equal(seen.find(({ plugin }) => plugin === 'b')?.event.value, 'for b')
    assert.deepEqual(countsOf(world), { pending: 1, processing: 0, dead: 0 })
    assert.deepEqual(countsOf(world, 'b'), nothingLeft)
    assert.ok(
      world.samples.every(({ status, lagMs }) => status === 'ok' && lagMs !== undefined && lagMs >= 0),
    )
  })

  it('are waited for without looks, and one of another connection is noticed by its commit', async (t) => {
    let calls = 0
    const world = await createDeliveryWorld(
      t,
      listeningPlugin('a', [queueListener()], () => {
        calls += 1
        return workedOff
      }),
    )
    const other = world.file.open({ onCommit: world.signal.committed, clock: Date.now })
    const engine = world.engine()
    engine.start()
    for (let n = 1; n <= 20; n += 1) {
      other.enqueue('plugin:a', n, {}, Date.now())
      await until('the test goes on', () => calls === n)
    }
    assert.equal(calls, 20)
  })

  it('that fail are tried again after their pauses, then are dead letters with the last error', async (t) => {
    const tries: number[] = []
    const world = await createDeliveryWorld(
      t,
      listeningPlugin('a', [queueListener()], ({ event }) => {
        if (event.value !== 'poison') return workedOff
        tries.push(Number(event.attempts))
        return tries.length < 3 ? { ok: true, result: ['not yet'] } : failedWith('ERROR')
      }),
    )
    const engine = world.engine()
    world.send('a', 'poison', { backoffSchedule: [5, 5] })
    for (let n = 0; n < 10; n += 1) world.send('a', n)
    engine.start()
    await until('the test goes on', () => countsOf(world).dead === 1)
    await engine.close()
    assert.deepEqual(tries, [1, 2, 3])
    assert.deepEqual(countsOf(world), { pending: 0, processing: 0, dead: 1 })
    const [letter] = world.door.queues.deadLetters('plugin:a', { limit: 10, offset: 0 })
    assert.equal(letter?.error, 'ERROR: init.lua:7: boom')
    assert.equal(letter?.attempts, 3)
    const statuses = world.samples.map(({ status }) => status)
    assert.equal(statuses.filter((status) => status === 'ok').length, 10)
    assert.deepEqual(
      statuses.filter((status) => status !== 'ok'),
      ['failed', 'failed', 'dead'],
    )
    assert.ok(statuses.indexOf('dead') > 9, 'nothing waits behind a poison message')
  })

  it('of which the function never ran have as many tries as before', async (t) => {
    const codes: CallFailureCode[] = ['POOL_EXHAUSTED', 'CLOSED', 'EXECUTOR_LOST', 'POOL_EXHAUSTED', 'CLOSED']
    const attempts: number[] = []
    const world = await createDeliveryWorld(
      t,
      listeningPlugin('a', [queueListener()], ({ event }) => {
        attempts.push(Number(event.attempts))
        const code = codes.shift()
        return code === undefined ? workedOff : failedWith(code)
      }),
    )
    const engine = world.engine()
    engine.start()
    world.send('a', 1, { backoffSchedule: [] })
    await until('the test goes on', () => world.samples.length === 1)
    await engine.close()
    assert.deepEqual(attempts, [1, 1, 1, 1, 1, 1])
    assert.deepEqual(countsOf(world), nothingLeft)
  })

  it('whose function is killed or never ends have used up a try', async (t) => {
    const codes: CallOutcome[] = [
      failedWith('TIMEOUT'),
      failedWith('MEMORY'),
      failedWith('INSTRUCTIONS'),
      failedWith('EXECUTOR_LOST', true),
      failedWith('EVICTED'),
    ]
    const world = await createDeliveryWorld(
      t,
      listeningPlugin('a', [queueListener()], () => codes.shift() ?? workedOff),
    )
    const engine = world.engine()
    engine.start()
    world.send('a', 1, { backoffSchedule: [1, 1, 1, 1] })
    await until('the test goes on', () => countsOf(world).dead === 1)
    await engine.close()
    assert.deepEqual(
      world.samples.map(({ status }) => status),
      ['timeout', 'failed', 'timeout', 'timeout', 'dead'],
    )
  })

  it('of a process that is gone are taken when their lease has ended', async (t) => {
    const seen: unknown[] = []
    const world = await createDeliveryWorld(
      t,
      listeningPlugin('a', [queueListener()], ({ event }) => {
        seen.push(event.attempts)
        return workedOff
      }),
    )
    world.send('a', 'x')
    assert.ok(world.door.queues.dequeue('plugin:a', 'default', 60, Date.now()))
    const engine = world.engine()
    engine.start()
    await until('the test goes on', () => seen.length > 0)
    await engine.close()
    assert.deepEqual(seen, [2])
    assert.deepEqual(countsOf(world), nothingLeft)
  })

  it('are worked on by so many calls at once as function, plugin and host allow', async (t) => {
    const running = new Map<string, number>()
    const most = new Map<string, number>()
    const count = (name: string, step: number) => {
      const now = (running.get(name) ?? 0) + step
      running.set(name, now)
      most.set(name, Math.max(most.get(name) ?? 0, now))
    }
    const script = async ({ plugin, key }: SeenMessage) => {
      const names = [plugin, `${plugin} ${key}`, 'all']
      for (const name of names) count(name, 1)
      await new Promise((resolve) => setTimeout(resolve, 2))
      for (const name of names) count(name, -1)
      return workedOff
    }
    const world = await createDeliveryWorld(
      t,
      listeningPlugin('a', [queueListener('one', 1), queueListener('many', 16)], script, { vms: 8 }),
      listeningPlugin('b', [queueListener('many', 16)], script, { vms: 8 }),
    )
    const engine = world.engine({ concurrentMax: 6 })
    for (let n = 0; n < 60; n += 1) {
      world.send('a', n, { queue: 'one' })
      world.send('a', n, { queue: 'many' })
      world.send('b', n, { queue: 'many' })
    }
    engine.start()
    await until('the test goes on', () => world.samples.length === 180)
    await engine.close()
    assert.equal(most.get('a one'), 1)
    assert.equal(most.get('a'), 4)
    assert.equal(most.get('b'), 4)
    assert.equal(most.get('all'), 6)
    assert.deepEqual([countsOf(world), countsOf(world, 'b')], [nothingLeft, nothingLeft])
  })

  it('spare a function that fails again and again, without using up tries', async (t) => {
    let isBroken = true
    let calls = 0
    const world = await createDeliveryWorld(
      t,
      listeningPlugin('a', [queueListener('broken'), queueListener('sound')], ({ key }) => {
        if (key === 'sound') return workedOff
        calls += 1
        return isBroken ? failedWith('ERROR') : workedOff
      }),
    )
    const engine = world.engine({ breaker: { failuresMax: 3, pauseMs: 100 } })
    for (let n = 0; n < 30; n += 1) world.send('a', n, { queue: 'broken', backoffSchedule: [1, 1, 1, 1, 1] })
    engine.start()
    await until('the test goes on', () =>
      world.lines.some(([, message]) => message.includes('failed too often')),
    )
    world.send('a', 'x', { queue: 'sound' })
    await until('the test goes on', () => world.samples.some(({ queue }) => queue === 'sound'))
    assert.ok(calls <= 4, `${calls} calls of a function that is spared`)
    isBroken = false
    await until('the test goes on', () => countsOf(world).pending === 0)
    await engine.close()
    assert.equal(countsOf(world).dead, 0)
  })
})

describe('changes', () => {
  it('come in the order of their commits, with what the entry holds', async (t) => {
    const seen: SeenMessage[] = []
    const world = await createDeliveryWorld(
      t,
      listeningPlugin('a', [changeListener(['users'])], (message) => {
        seen.push(message)
        return workedOff
      }),
    )
    const engine = world.engine()
    await world.serve(engine)
    engine.start()
    world.set('plugin:a', ['users', 1], { name: 'Ann' })
    world.set('plugin:a', ['users'], 'the prefix itself')
    world.set('plugin:a', ['users2', 1], 'another collection')
    world.remove('plugin:a', ['users', 1])
    for (let n = 0; n < 100; n += 1) world.set('plugin:a', ['users', n], n)
    await until('the test goes on', () => world.samples.length === 103)
    await engine.close()
    const [first, second, third, ...rest] = seen.map(({ event }) => event)
    assert.deepEqual([first?.type, first?.key, first?.value], ['set', ['users', 1], { name: 'Ann' }])
    assert.deepEqual(second?.key, ['users'])
    assert.deepEqual([third?.type, third?.value], ['delete', null])
    assert.deepEqual(
      rest.map(({ value }) => value),
      Array.from({ length: 100 }, (_, n) => n),
    )
    const stamps = seen.map(({ event }) => String(event.versionstamp))
    assert.deepEqual(stamps, [...stamps].sort())
  })

  it('of other types than the function is for are passed over', async (t) => {
    const seen: unknown[] = []
    const world = await createDeliveryWorld(
      t,
      listeningPlugin('a', [changeListener([], { events: ['delete'] })], ({ event }) => {
        seen.push(event.key)
        return workedOff
      }),
    )
    const engine = world.engine()
    await world.serve(engine)
    engine.start()
    world.set('plugin:a', ['x'], 1)
    world.remove('plugin:a', ['x'])
    world.set('plugin:a', ['y'], 1)
    await until(
      'the test goes on',
      () => seen.length === 1 && countsOf(world).pending + countsOf(world).processing === 0,
    )
    await engine.close()
    assert.deepEqual(seen, [['x']])
  })

  it('that functions make for one another come to an end', async (t) => {
    const depths: string[] = []
    let write = (_depth: number): void => undefined
    const world = await createDeliveryWorld(
      t,
      listeningPlugin('a', [changeListener(['loop'])], ({ request }) => {
        const depth = Number(/~(\d+)$/.exec(request.requestId)?.[1])
        depths.push(request.requestId)
        write(depth)
        return workedOff
      }),
    )
    write = (depth) => world.set('plugin:a', ['loop'], depth, depth)
    const engine = world.engine()
    await world.serve(engine)
    engine.start()
    write(0)
    await until(
      'the test goes on',
      () => depths.length === kvLimits.changeDepthMax && countsOf(world).processing === 0,
    )
    await engine.close()
    assert.deepEqual(countsOf(world), nothingLeft)
    assert.equal(depths.length, kvLimits.changeDepthMax)
  })

  it('that cannot be read are dead letters and hold up nothing', async (t) => {
    const registration = changeListener(['x'])
    const world = await createDeliveryWorld(
      t,
      listeningPlugin('a', [registration], () => workedOff),
    )
    const engine = world.engine()
    await world.serve(engine)
    world.set('plugin:a', ['x'], 1)
    world.door.session.connection.prepare(`update kv_messages set value = '{}', backoff = '[]'`).run()
    world.set('plugin:a', ['x'], 2)
    engine.start()
    await until('the test goes on', () => countsOf(world).dead === 1 && world.samples.length === 2)
    await engine.close()
    assert.deepEqual(countsOf(world), { pending: 0, processing: 0, dead: 1 })
  })
})

it('passed-over changes, and those of functions that are gone, leave the event loop its turns', async (t) => {
  const registration = changeListener([], { events: ['delete'] })
  const world = await createDeliveryWorld(
    t,
    listeningPlugin('a', [registration], () => workedOff),
  )
  const engine = world.engine()
  await world.serve(engine)
  const fill = () => {
    const one = encodeValue(1, 0)
    const key = encodeKey(['k'])
    const mutations = Array.from(
      { length: 1000 },
      () => ({ type: 'set', key, value: one, expiresAt: undefined }) as const,
    )
    for (let n = 0; n < 3; n += 1) world.door.entries.commit('plugin:a', { checks: [], mutations })
  }
  const turnsUntilEmpty = async () => {
    let turns = 0
    for (; world.door.queues.queueCounts('plugin:a', undefined, Date.now()).pending > 0; turns += 1) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    return turns
  }
  fill()
  engine.start()
  assert.ok((await turnsUntilEmpty()) > 100, 'passed over at a stretch')
  await engine.close()
  fill()
  world.directory.replace(listeningPlugin('a', [], () => workedOff, { generation: 2 }))
  const served = world.serve(engine)
  assert.ok((await turnsUntilEmpty()) > 20, 'dropped at a stretch')
  await served
})
