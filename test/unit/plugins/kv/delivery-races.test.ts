import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { ServedPlugin } from '../../../../src/plugins/plugin-directory.js'
import type { CallOutcome } from '../../../../src/sandbox/generation.js'
import {
  changeListener,
  createDeliveryWorld,
  type DeliveryWorld,
  listeningPlugin,
  type MessageScript,
  queueListener,
  workedOff,
} from '../../../helpers/kv-delivery-world.js'
import { until } from '../../../helpers/until.js'

const closed: CallOutcome = { ok: false, code: 'CLOSED', message: 'draining', blamed: false }
const nothingLeft = { pending: 0, processing: 0, dead: 0 }

const countsOf = ({ door }: DeliveryWorld, plugin = 'a') =>
  door.queues.queueCounts(`plugin:${plugin}`, undefined, Date.now())

/** A function whose calls end when the test says so. */
function held(): { readonly script: MessageScript; readonly calls: string[]; release(): void } {
  const calls: string[] = []
  let release = (): void => undefined
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  return {
    calls,
    release: () => release(),
    script: async ({ event, generation }) => {
      calls.push(`${generation}: ${event.value}`)
      await gate
      return workedOff
    },
  }
}

function stopped(plugin: ServedPlugin): ServedPlugin {
  return { ...plugin, state: 'stopped' }
}

it('a reload under a function lets it end on the old generation and gives the next message to the new one', async (t) => {
  const old = held()
  const seen: string[] = []
  const world = await createDeliveryWorld(t, listeningPlugin('a', [queueListener()], old.script))
  const engine = world.engine()
  engine.start()
  for (let n = 1; n <= 3; n += 1) world.send('a', n)
  await until('the first message is being worked on', () => old.calls.length === 1)
  const next = listeningPlugin(
    'a',
    [queueListener()],
    ({ event }) => {
      seen.push(String(event.value))
      return workedOff
    },
    { generation: 2 },
  )
  world.directory.replace(next)
  await world.serve(engine)
  assert.deepEqual(seen, [], 'one at a time, also over two generations')
  old.release()
  await until('all is worked off', () => seen.length === 2)
  await engine.close()
  assert.deepEqual([old.calls, seen], [['1: 1'], ['2', '3']])
  assert.deepEqual(countsOf(world), nothingLeft)
})

it('a disabled plugin ends what it is working on, keeps the rest, and goes on when it is enabled', async (t) => {
  const { script, calls, release } = held()
  const plugin = listeningPlugin('a', [queueListener(), changeListener(['x'])], script)
  const world = await createDeliveryWorld(t, plugin)
  const engine = world.engine()
  await world.serve(engine)
  engine.start()
  for (let n = 1; n <= 3; n += 1) world.send('a', n)
  await until('the first message is being worked on', () => calls.length === 1)
  world.directory.replace(stopped(plugin))
  await engine.follower.stopped('a')
  release()
  await until('it has ended', () => countsOf(world).processing === 0)
  world.set('plugin:a', ['x'], 'nobody is to be told')
  assert.deepEqual(countsOf(world), { pending: 2, processing: 0, dead: 0 })
  assert.deepEqual(calls, ['1: 1'])
  world.directory.replace(plugin)
  await world.serve(engine)
  await until('all is worked off', () => calls.length === 3 && countsOf(world).processing === 0)
  await engine.close()
  assert.deepEqual(countsOf(world), nothingLeft)
})

it('closing waits for what is being worked on, loses nothing, and the next start goes on', async (t) => {
  const { script, calls, release } = held()
  const world = await createDeliveryWorld(t, listeningPlugin('a', [queueListener('default', 2)], script))
  const first = world.engine()
  first.start()
  for (let n = 1; n <= 50; n += 1) world.send('a', n)
  await until('two messages are being worked on', () => calls.length === 2)
  const closing = first.close()
  release()
  await closing
  assert.equal(calls.length, 2)
  assert.deepEqual(countsOf(world), { pending: 48, processing: 0, dead: 0 })
  const second = world.engine()
  second.start()
  await until('all is worked off', () => calls.length === 50)
  await second.close()
  assert.equal(new Set(calls).size, 50)
  assert.deepEqual(countsOf(world), nothingLeft)
})

it('hosts that share a file share the messages: each is worked on once', async (t) => {
  const seen: unknown[] = []
  const script: MessageScript = async ({ event }) => {
    await new Promise((resolve) => setImmediate(resolve))
    seen.push(event.value)
    return workedOff
  }
  const world = await createDeliveryWorld(t, listeningPlugin('a', [queueListener('default', 4)], script))
  const engines = [world.engine(), world.engine(), world.engine()]
  for (const engine of engines) engine.start()
  for (let n = 0; n < 500; n += 1) world.send('a', n)
  await until('all is worked off', () => countsOf(world).pending + countsOf(world).processing === 0)
  for (const engine of engines) await engine.close()
  assert.equal(seen.length, 500)
  assert.equal(new Set(seen).size, 500)
})

it('10,000 messages through 50 reloads: none is lost, and none is worked off twice', async (t) => {
  const total = 10_000
  const workedOffBy = new Map<number, number>()
  const lastOf = new Map<string, number>()
  let disorder = 0
  let refused = 0
  let serving = 1
  const script: MessageScript = async ({ event, generation, key }) => {
    // A generation that is being drained takes no calls.
    if (generation !== serving) {
      refused += 1
      return closed
    }
    const value = Number(event.value)
    if (value % 3 === 0) await new Promise((resolve) => setImmediate(resolve))
    if (key === 'ordered') {
      if (value < (lastOf.get(key) ?? -1)) disorder += 1
      lastOf.set(key, value)
    }
    workedOffBy.set(value, (workedOffBy.get(value) ?? 0) + 1)
    return workedOff
  }
  const generationOf = (generation: number) =>
    listeningPlugin('a', [queueListener('ordered', 1), queueListener('many', 8)], script, {
      generation,
      vms: 16,
    })
  const world = await createDeliveryWorld(t, generationOf(1))
  const engine = world.engine()
  engine.start()
  let sent = 0
  while (sent < total) {
    for (let n = 0; n < 100; n += 1, sent += 1) {
      world.send('a', sent, { queue: sent % 2 === 0 ? 'ordered' : 'many', backoffSchedule: [] })
    }
    if ((sent / 100) % 2 === 0) {
      serving += 1
      // Calls between these two lines meet a generation that takes none.
      await new Promise((resolve) => setImmediate(resolve))
      world.directory.replace(generationOf(serving))
      await world.serve(engine)
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal(serving, 51)
  await until('all is worked off', () => countsOf(world).pending + countsOf(world).processing === 0)
  await engine.close()
  assert.deepEqual(countsOf(world), nothingLeft)
  assert.equal(workedOffBy.size, total)
  assert.ok([...workedOffBy.values()].every((count) => count === 1))
  assert.equal(disorder, 0)
  t.diagnostic(`${refused} messages met a generation that was being drained`)
})
