import assert from 'node:assert/strict'
import { it } from 'node:test'
import { changeQueuePrefix } from '../../../../src/kv/change-queue.js'
import { SqliteTriggerStore } from '../../../../src/kv/sqlite/trigger-store.js'
import {
  changeListener,
  createDeliveryWorld,
  type DeliveryWorld,
  listeningPlugin,
  queueListener,
  workedOff,
} from '../../../helpers/kv-delivery-world.js'

const script = () => workedOff

function triggersOf({ door }: DeliveryWorld): readonly string[] {
  const rows = door.session.connection
    .prepare(
      'select n.name, t.plugin, t.queue from kv_triggers t join kv_namespaces n on n.id = t.namespace order by 1, 2',
    )
    .raw()
    .all() as [string, string, string][]
  return rows.map(([namespace, plugin, queue]) => {
    assert.ok(queue.startsWith(changeQueuePrefix))
    return `${plugin} follows ${namespace}`
  })
}

const waiting = ({ door }: DeliveryWorld, plugin: string) =>
  door.queues.queueCounts(`plugin:${plugin}`, undefined, Date.now()).pending

it('triggers are those of the generation that serves, and changes of gone functions are dropped', async (t) => {
  const world = await createDeliveryWorld(
    t,
    listeningPlugin('a', [changeListener(['x']), changeListener(['y']), queueListener()], script),
  )
  const engine = world.engine()
  await world.serve(engine)
  assert.deepEqual(triggersOf(world), ['a follows plugin:a', 'a follows plugin:a'])
  for (let n = 0; n < 250; n += 1) world.set('plugin:a', ['x', n], n)
  world.set('plugin:a', ['y'], 1)
  world.send('a', 'a message of its own')
  assert.equal(waiting(world, 'a'), 252)
  world.directory.replace(listeningPlugin('a', [changeListener(['y'])], script, { generation: 2 }))
  await world.serve(engine)
  assert.deepEqual(triggersOf(world), ['a follows plugin:a'])
  assert.equal(waiting(world, 'a'), 2)
  const { counted, held } = world.door.accounts('plugin:a')
  assert.deepEqual(counted, held)
  world.set('plugin:a', ['x', 1], 2)
  assert.equal(waiting(world, 'a'), 2)
  assert.ok(world.lines.some(([, message, { dropped }]) => message.includes('dropped') && dropped === 250))
})

it('changes of a shared namespace are for those who may read it, from the approval to its end', async (t) => {
  const registrations = [changeListener(['x'], { shared: 'config' })]
  const world = await createDeliveryWorld(t, listeningPlugin('a', registrations, script))
  const engine = world.engine()
  await world.serve(engine)
  world.set('shared:config', ['x'], 1)
  assert.deepEqual([triggersOf(world), waiting(world, 'a')], [[], 0])
  for (const approved of [['config:write'], ['other:read']]) {
    world.directory.replace(listeningPlugin('a', registrations, script, { approved }))
    await world.serve(engine)
    assert.deepEqual(triggersOf(world), [])
  }
  world.directory.replace(listeningPlugin('a', registrations, script, { approved: ['config:read'] }))
  await world.serve(engine)
  assert.deepEqual(triggersOf(world), ['a follows shared:config'])
  world.set('shared:config', ['x'], 2)
  assert.equal(waiting(world, 'a'), 1)
  world.directory.replace(listeningPlugin('a', registrations, script))
  await world.serve(engine)
  assert.deepEqual(triggersOf(world), [])
  let calls = 0
  const revoked = listeningPlugin('a', registrations, () => {
    calls += 1
    return workedOff
  })
  world.directory.replace(revoked)
  engine.start()
  world.set('shared:config', ['x'], 3)
  await engine.close()
  assert.deepEqual([calls, waiting(world, 'a')], [0, 1], 'nobody is told any more of what waits')
})

it('disabled and absent plugins have no triggers and keep what waits for them', async (t) => {
  const world = await createDeliveryWorld(
    t,
    listeningPlugin('a', [changeListener(['x'])], script),
    listeningPlugin('b', [changeListener(['x'])], script),
    listeningPlugin('c', [changeListener(['x'])], script),
  )
  const engine = world.engine()
  await world.serve(engine)
  for (const plugin of ['a', 'b', 'c']) world.set(`plugin:${plugin}`, ['x'], 1)
  await engine.follower.stopped('a')
  await engine.follower.present(['a', 'c'])
  assert.deepEqual(triggersOf(world), ['c follows plugin:c'])
  for (const plugin of ['a', 'b', 'c']) world.set(`plugin:${plugin}`, ['x'], 2)
  assert.deepEqual(
    ['a', 'b', 'c'].map((plugin) => waiting(world, plugin)),
    [1, 1, 2],
  )
})

it('what cannot be stored is stored later, and the last word counts', async (t) => {
  const world = await createDeliveryWorld(t, listeningPlugin('a', [changeListener(['x'])], script))
  const own = world.file.open()
  const store = new SqliteTriggerStore(own.session)
  let failures = 2
  const engine = world.engine({
    triggers: {
      replaceTriggers(...replaced) {
        if (failures > 0) {
          failures -= 1
          throw new Error('the disk is full')
        }
        store.replaceTriggers(...replaced)
      },
      triggeredPlugins: () => store.triggeredPlugins(),
      dropUnreadChanges: (namespace, queues) => store.dropUnreadChanges(namespace, queues),
      busyNamespaces: () => store.busyNamespaces(),
    },
  })
  await world.serve(engine)
  assert.deepEqual(triggersOf(world), [])
  await engine.follower.stopped('a')
  await world.serve(engine)
  assert.deepEqual(triggersOf(world), ['a follows plugin:a'])
  const warnings = world.lines.filter(([, message]) => message.includes('could not be stored yet'))
  assert.equal(warnings.length, 2)
})
