import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { hookLimits } from '../../../../src/base/limits/hooks.js'
import { createHookEngine } from '../../../../src/plugins/hooks/hook-engine.js'
import type { CallOutcome } from '../../../../src/sandbox/generation.js'
import { articlesHook, backlogOf, payloadsOf, rowsOf, settled } from '../../../helpers/hook-deliveries.js'
import {
  createHookWorld,
  failedWith,
  nothing,
  type SeenCall,
  scriptedPlugin,
  testHookLimits,
} from '../../../helpers/hook-world.js'
import { until } from '../../../helpers/until.js'

describe('what is owed to after-hooks', () => {
  it('is stored with the write, one for each handler, and goes with it when it is undone', async (t) => {
    const hooks = [
      ...articlesHook,
      ...articlesHook,
      ['after_create', '*'] as const,
      ['after_update', 'articles'] as const,
    ]
    const world = await createHookWorld(
      t,
      scriptedPlugin('a', hooks, () => nothing),
    )
    const engine = world.engine()
    const undone = world.database.transaction(async (transaction) => {
      const write = { event: 'create', table: 'articles', row: { id: 1 }, old: undefined } as const
      await engine.enqueue(transaction, write, { requestId: 'r1', actor: '', depth: 0 })
      throw new Error('undone')
    })
    await assert.rejects(undone, /undone/)
    assert.deepEqual(await rowsOf(world), [])
    await world.write(engine, { row: { id: 2 } }, { requestId: 'r9~3', actor: 'ann', depth: 3 })
    const rows = await rowsOf(world)
    assert.deepEqual(
      rows.map((row) => [row.hook_table, row.ordinal, row.request_id, row.depth, row.state]),
      [
        ['articles', 1, 'r9', 3, 'pending'],
        ['articles', 2, 'r9', 3, 'pending'],
        ['*', 1, 'r9', 3, 'pending'],
      ],
    )
    assert.deepEqual(await backlogOf(world, 'a'), [3, 0])
    // What they get is stored once, and goes with the last of them.
    assert.equal((await payloadsOf(world)).length, 1)
    engine.start()
    await settled(world, 'a')
    assert.deepEqual(await payloadsOf(world), [])
  })

  it('is made once started, in the phase after_hook, and then gone', async (t) => {
    const seen: SeenCall[] = []
    const world = await createHookWorld(
      t,
      scriptedPlugin('a', articlesHook, (call) => {
        seen.push(call)
        return nothing
      }),
    )
    const engine = world.engine()
    await world.write(engine, { row: { title: 't', none: null } }, { actor: 'ann', depth: 2 })
    await pause(20)
    assert.equal(seen.length, 0)
    engine.start()
    await settled(world, 'a')
    assert.deepEqual(await rowsOf(world), [])
    const [call] = seen
    assert.equal(seen.length, 1)
    assert.deepEqual(call?.data, {
      title: 't',
      none: null,
      _actor: 'ann',
      _request_id: 'r1',
      _at: call?.data._at,
      _event: 'after_create',
      _table: 'articles',
      _delivery: call?.data._delivery,
      _attempt: 1,
    })
    assert.deepEqual(
      [call?.request.phase, call?.request.requestId, call?.request.timeoutMs, call?.request.operationsMax],
      ['after_hook', 'r1~3', 1000, 100],
    )
    assert.deepEqual(
      world.samples.map(({ status, when }) => [status, when]),
      [['ok', 'after']],
    )
  })

  it('is tried again after an error, then dead; an operator tries it again or discards it', async (t) => {
    const attempts: unknown[] = []
    let outcome: CallOutcome = failedWith('ERROR')
    const world = await createHookWorld(
      t,
      scriptedPlugin('a', articlesHook, ({ data }) => {
        attempts.push(data._attempt)
        return outcome
      }),
    )
    const engine = world.engine()
    engine.start()
    await world.write(engine)
    const [dead] = await until('it is dead', async () => {
      const { deliveries } = await engine.deliveries({ state: 'dead' })
      return deliveries.length > 0 ? deliveries : undefined
    })
    assert.deepEqual(attempts, [1, 2, 3])
    assert.deepEqual([dead?.attempts, dead?.error], [3, 'ERROR: init.lua:7: the secret of Lua'])
    assert.deepEqual(await backlogOf(world, 'a'), [0, 1])
    assert.deepEqual(engine.breakers(), [])
    outcome = nothing
    const id = Number(dead?.id)
    await engine.retryDelivery(id, 'ann')
    await until('it was made', async () => (await engine.deliveries({})).deliveries.length === 0)
    assert.deepEqual(attempts, [1, 2, 3, 1])
    assert.deepEqual(await backlogOf(world, 'a'), [0, 0])
    await assert.rejects(engine.retryDelivery(id, 'ann'), { code: 'HOOK_DELIVERY_NOT_FOUND', status: 404 })
    await assert.rejects(engine.discardDelivery(id, 'ann'), { code: 'HOOK_DELIVERY_NOT_FOUND', status: 404 })
  })

  it('does not lose a try to a plugin that is busy or reloaded at that moment', async (t) => {
    const outcomes = [
      failedWith('POOL_EXHAUSTED'),
      failedWith('CLOSED'),
      failedWith('EXECUTOR_LOST'),
      nothing,
    ]
    const attempts: unknown[] = []
    const world = await createHookWorld(
      t,
      scriptedPlugin('a', articlesHook, ({ data }) => {
        attempts.push(data._attempt)
        return outcomes.shift() ?? nothing
      }),
    )
    const engine = world.engine()
    engine.start()
    await world.write(engine)
    await settled(world, 'a')
    assert.deepEqual(attempts, [1, 1, 1, 1])
    assert.deepEqual(
      world.samples.map(({ status }) => status),
      ['ok'],
    )
  })

  it('waits for a plugin that does not run, and is not stored while it does not', async (t) => {
    let calls = 0
    const plugin = scriptedPlugin('a', articlesHook, () => {
      calls += 1
      return nothing
    })
    const world = await createHookWorld(t, plugin)
    const engine = world.engine()
    await world.write(engine)
    world.directory.replace({ ...plugin, state: 'stopped' })
    engine.start()
    await world.write(engine)
    await pause(50)
    assert.equal(calls, 0)
    assert.deepEqual(
      (await rowsOf(world)).map(({ state, attempts }) => [state, attempts]),
      [['pending', 0]],
    )
    world.directory.replace(plugin)
    await settled(world, 'a')
    assert.equal(calls, 1)
  })

  it('waits for an approval that was withdrawn, and is dead when the plugin has no such hook any more', async (t) => {
    const script = () => nothing
    const world = await createHookWorld(
      t,
      scriptedPlugin('a', articlesHook, script),
      scriptedPlugin('b', articlesHook, script),
    )
    const engine = world.engine()
    await world.write(engine)
    world.directory.replace(scriptedPlugin('a', articlesHook, script, { approved: false }))
    world.directory.replace(scriptedPlugin('b', [['after_create', 'pages']], script))
    engine.start()
    const stored = await until('both were looked at', async () => {
      const { deliveries } = await engine.deliveries({})
      return deliveries.some(({ state }) => state === 'dead') && (await rowsOf(world))[0]?.state === 'pending'
        ? deliveries
        : undefined
    })
    assert.deepEqual(
      stored.map(({ plugin, state, attempts, error }) => [plugin, state, attempts, error]),
      [
        ['a', 'pending', 0, ''],
        ['b', 'dead', 1, 'the plugin registers no such hook any more'],
      ],
    )
    assert.deepEqual(world.samples, [])
  })

  it('runs so many at once as configured, of one plugin half as many as it has VMs', async (t) => {
    const running = new Map<string, number>()
    const most = new Map<string, number>()
    let allMost = 0
    const script = async ({ plugin }: SeenCall) => {
      running.set(plugin, (running.get(plugin) ?? 0) + 1)
      most.set(plugin, Math.max(most.get(plugin) ?? 0, running.get(plugin) ?? 0))
      allMost = Math.max(
        allMost,
        [...running.values()].reduce((sum, count) => sum + count, 0),
      )
      await pause(5)
      running.set(plugin, (running.get(plugin) ?? 0) - 1)
      return nothing
    }
    const plugins = ['a', 'b', 'c'].map((name) => scriptedPlugin(name, articlesHook, script, { vms: 4 }))
    const world = await createHookWorld(t, ...plugins, scriptedPlugin('d', articlesHook, script, { vms: 1 }))
    const engine = world.engine({ limits: { ...testHookLimits, concurrentAfterMax: 5 } })
    engine.start()
    await Promise.all(Array.from({ length: 30 }, () => world.write(engine)))
    for (const name of ['a', 'b', 'c', 'd']) await settled(world, name)
    assert.deepEqual([...most].sort(), [
      ['a', 2],
      ['b', 2],
      ['c', 2],
      ['d', 1],
    ])
    assert.ok(allMost <= 5, `${allMost} at once`)
    assert.equal(world.samples.length, 120)
  })

  it('of one plugin that never ends leaves the turns of others alone', async (t) => {
    let release = () => {}
    const blocked = new Promise<void>((resolve) => {
      release = resolve
    })
    const slow = scriptedPlugin('slow', articlesHook, () => blocked.then(() => nothing))
    const world = await createHookWorld(
      t,
      slow,
      scriptedPlugin('quick', articlesHook, () => nothing),
    )
    const engine = world.engine()
    engine.start()
    for (let count = 0; count < 20; count += 1) await world.write(engine)
    await settled(world, 'quick')
    assert.deepEqual(await backlogOf(world, 'slow'), [20, 0])
    const [first] = (await engine.deliveries({ state: 'running', plugin: 'slow' })).deliveries
    await assert.rejects(engine.discardDelivery(Number(first?.id), 'ann'), { code: 'HOOK_DELIVERY_RUNNING' })
    await assert.rejects(engine.retryDelivery(Number(first?.id), 'ann'), { code: 'HOOK_DELIVERY_RUNNING' })
    const closing = engine.close()
    release()
    await closing
    // What was under way has ended, and nothing else was begun.
    assert.deepEqual(await backlogOf(world, 'slow'), [18, 0])
    assert.deepEqual((await engine.deliveries({ state: 'running' })).deliveries, [])
  })

  it('is taken over from a process that went away, and never counted twice', async (t) => {
    let clockMs = 1_000_000
    const seen: unknown[] = []
    let answer: CallOutcome | Promise<CallOutcome> = new Promise(() => undefined)
    const world = await createHookWorld(
      t,
      scriptedPlugin('a', articlesHook, ({ data }) => {
        seen.push(data._attempt)
        return answer
      }),
    )
    const now = () => clockMs
    // An engine whose call never ends stands for a process that was killed under it; closing it would wait.
    const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }
    const common = {
      directory: world.directory,
      database: world.database,
      limits: testHookLimits,
      log: silent,
      now,
    }
    const killed = createHookEngine(common)
    killed.start()
    await world.write(killed)
    await until('it is being made', () => seen.length === 1)
    answer = nothing
    const next = world.engine({ now })
    next.start()
    await pause(30)
    assert.deepEqual(seen, [1])
    clockMs += testHookLimits.afterTimeoutMs + hookLimits.deliveryLeaseMs
    await settled(world, 'a')
    assert.deepEqual(seen, [1, 2])
  })

  it('is dead after it ended the process at each try', async (t) => {
    const world = await createHookWorld(
      t,
      scriptedPlugin('a', articlesHook, () => assert.fail('it must not be called')),
    )
    const engine = world.engine()
    await world.write(engine)
    await world.database.kysely
      .updateTable('hook_deliveries')
      .set({ state: 'running', attempts: 3, due_at: 0 })
      .execute()
    engine.start()
    const [dead] = await until('it is dead', async () => {
      const { deliveries } = await engine.deliveries({ state: 'dead' })
      return deliveries.length > 0 ? deliveries : undefined
    })
    assert.match(dead?.error ?? '', /process ended/)
  })

  it('is shared between two processes without being made twice', async (t) => {
    const seen: unknown[] = []
    const world = await createHookWorld(
      t,
      scriptedPlugin(
        'a',
        articlesHook,
        async ({ data }) => {
          seen.push(data.n)
          await pause(1)
          return nothing
        },
        { vms: 8 },
      ),
    )
    const engines = [world.engine(), world.engine(), world.engine()]
    const [first] = engines
    assert.ok(first)
    for (let n = 0; n < 60; n += 1) await world.write(first, { row: { n } })
    for (const engine of engines) engine.start()
    await settled(world, 'a')
    assert.equal(seen.length, 60)
    assert.equal(new Set(seen).size, 60)
  })
})
