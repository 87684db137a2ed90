import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { CompiledQuery } from 'kysely'
import { hookLimits } from '../../../../src/base/limits.js'
import { createHookEngine } from '../../../../src/plugins/hooks/hook-engine.js'
import type { CallOutcome } from '../../../../src/sandbox/generation.js'
import {
  createHookWorld,
  failedWith,
  type HookWorld,
  nothing,
  type SeenCall,
  scriptedPlugin,
  testHookLimits,
} from '../../../helpers/hook-world.js'
import { until } from '../../../helpers/until.js'

const one = [['after_create', 'articles']] as const
const day = 24 * 60 * 60 * 1000

const rowsOf = ({ database }: HookWorld) =>
  database.kysely.selectFrom('hook_deliveries').selectAll().orderBy('id').execute()

const backlogOf = async ({ database }: HookWorld, plugin: string) => {
  const query = database.kysely.selectFrom('hook_backlogs').select(['waiting', 'dead'])
  const row = await query.where('plugin', '=', plugin).executeTakeFirst()
  return row === undefined ? undefined : [row.waiting, row.dead]
}

const payloadsOf = ({ database }: HookWorld) =>
  database.kysely.selectFrom('hook_payloads').selectAll().execute()

const settled = (world: HookWorld, plugin: string) =>
  until('nothing is owed', async () => (await backlogOf(world, plugin))?.[0] === 0)

describe('what is owed to after-hooks', () => {
  it('is stored with the write, one for each handler, and goes with it when it is undone', async (t) => {
    const hooks = [...one, ...one, ['after_create', '*'] as const, ['after_update', 'articles'] as const]
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
      scriptedPlugin('a', one, (call) => {
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
      scriptedPlugin('a', one, ({ data }) => {
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
      scriptedPlugin('a', one, ({ data }) => {
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
    const plugin = scriptedPlugin('a', one, () => {
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
    const world = await createHookWorld(t, scriptedPlugin('a', one, script), scriptedPlugin('b', one, script))
    const engine = world.engine()
    await world.write(engine)
    world.directory.replace(scriptedPlugin('a', one, script, { approved: false }))
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
    const plugins = ['a', 'b', 'c'].map((name) => scriptedPlugin(name, one, script, { vms: 4 }))
    const world = await createHookWorld(t, ...plugins, scriptedPlugin('d', one, script, { vms: 1 }))
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
    const slow = scriptedPlugin('slow', one, () => blocked.then(() => nothing))
    const world = await createHookWorld(
      t,
      slow,
      scriptedPlugin('quick', one, () => nothing),
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
      scriptedPlugin('a', one, ({ data }) => {
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
      scriptedPlugin('a', one, () => assert.fail('it must not be called')),
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
        one,
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

describe('the bounds of the outbox', () => {
  it('drop what is too much for one plugin, tell of it once, and let the write happen', async (t) => {
    const script = () => nothing
    const world = await createHookWorld(
      t,
      scriptedPlugin('full', one, script),
      scriptedPlugin('b', one, script),
    )
    await world.database.kysely
      .insertInto('hook_backlogs')
      .values({ plugin: 'full', waiting: hookLimits.deliveriesWaitingMax, dead: 0 })
      .execute()
    const engine = world.engine()
    for (let count = 0; count < 3; count += 1) await world.write(engine)
    assert.deepEqual(
      (await rowsOf(world)).map(({ plugin }) => plugin),
      ['b', 'b', 'b'],
    )
    assert.equal(world.lines.filter(([, message]) => message.includes('further ones are dropped')).length, 1)
  })

  it('end what waits too long, and forget what is dead too long, oldest first', async (t) => {
    const start = Date.now()
    const plugin = scriptedPlugin('a', one, () => nothing)
    const world = await createHookWorld(t, plugin)
    world.directory.replace({ ...plugin, state: 'stopped' })
    const values = (createdMs: number, state: 'pending' | 'running' | 'dead') => ({
      ...{ plugin: 'a', event: 'after_create', hook_table: 'articles', ordinal: 1, table_name: 'articles' },
      ...{ payload_id: 1, request_id: 'r', depth: 0, due_at: createdMs, created_at: createdMs, state },
    })
    await world.database.kysely
      .insertInto('hook_deliveries')
      .values([
        values(start - 31 * day, 'dead'),
        values(start - 8 * day, 'pending'),
        values(start - 8 * day, 'running'),
        values(start - 6 * day, 'pending'),
        { ...values(start, 'pending'), due_at: start + 365 * day },
      ])
      .execute()
    const engine = world.engine({ now: () => start })
    engine.start()
    await until('it was swept', async () => (await rowsOf(world)).length === 4)
    const rows = await until('a time that does not come was set back', async () => {
      const stored = await rowsOf(world)
      return stored.at(-1)?.due_at === start ? stored : undefined
    })
    assert.deepEqual(
      rows.map(({ state }) => state),
      ['dead', 'dead', 'pending', 'pending'],
    )
    assert.match(rows[0]?.error ?? '', /in time/)
    assert.deepEqual(await backlogOf(world, 'a'), [2, 2])
  })

  it('keep only so many dead ones of a plugin', async (t) => {
    const world = await createHookWorld(t)
    const count = hookLimits.deliveriesDeadMax + 50
    const now = Date.now()
    const rows = Array.from({ length: count }, (_, at) => ({
      ...{ plugin: 'a', event: 'after_create', hook_table: 'x', ordinal: 1, table_name: 'x', payload_id: 1 },
      ...{ request_id: 'r', depth: 0, due_at: now + at, created_at: now, state: 'dead' as const },
    }))
    for (let at = 0; at < rows.length; at += 500) {
      await world.database.kysely
        .insertInto('hook_deliveries')
        .values(rows.slice(at, at + 500))
        .execute()
    }
    assert.deepEqual(await backlogOf(world, 'a'), [0, count])
    world.engine().start()
    await until(
      'they are fewer',
      async () => (await backlogOf(world, 'a'))?.[1] === hookLimits.deliveriesDeadMax,
    )
    assert.equal((await rowsOf(world))[0]?.due_at, now + 50)
  })

  it('show deliveries a page at a time', async (t) => {
    const world = await createHookWorld(
      t,
      scriptedPlugin('a', one, () => nothing),
    )
    const engine = world.engine()
    const count = hookLimits.deliveryPageMax + 5
    for (let n = 0; n < count; n += 1) await world.write(engine)
    const first = await engine.deliveries({ plugin: 'a' })
    assert.equal(first.deliveries.length, hookLimits.deliveryPageMax)
    const second = await engine.deliveries({ plugin: 'a', after: Number(first.next) })
    assert.deepEqual([second.deliveries.length, second.next], [5, undefined])
    assert.deepEqual((await engine.deliveries({ plugin: 'b' })).deliveries, [])
  })

  it('use an index for whatever is asked often', async (t) => {
    const world = await createHookWorld(t)
    const { kysely } = world.database
    const due = kysely
      .selectFrom('hook_deliveries')
      .select('id')
      .where('plugin', '=', 'a')
      .where('state', '=', 'pending')
      .where('due_at', '<=', 1)
      .orderBy('due_at')
    const oldest = kysely.selectFrom('hook_deliveries').select('id').where('state', '=', 'dead').orderBy('id')
    const shared = kysely.selectFrom('hook_deliveries').select('id').where('payload_id', '=', 1)
    for (const query of [due, oldest, shared]) {
      const compiled = query.limit(1).compile()
      const explained = CompiledQuery.raw(`explain query plan ${compiled.sql}`, [...compiled.parameters])
      const plan = await kysely.executeQuery<{ detail: string }>(explained)
      const text = plan.rows.map(({ detail }) => detail).join('; ')
      assert.match(text, /USING (?:COVERING )?INDEX hook_deliveries_by/)
      assert.doesNotMatch(text, /TEMP B-TREE|SCAN/)
    }
  })
})
