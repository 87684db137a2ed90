import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CompiledQuery } from 'kysely'
import { hookLimits } from '../../../../src/base/limits/hooks.js'
import { ActionRecorder } from '../../../../src/plugins/hooks/action-recorder.js'
import { articlesHook, backlogOf, rowsOf } from '../../../helpers/hook-deliveries.js'
import { createHookWorld, nothing, scriptedPlugin } from '../../../helpers/hook-world.js'
import { until } from '../../../helpers/until.js'

const day = 24 * 60 * 60 * 1000

describe('the bounds of the outbox', () => {
  it('drop what is too much for one plugin, tell of it once, and let the write happen', async (t) => {
    const script = () => nothing
    const world = await createHookWorld(
      t,
      scriptedPlugin('full', articlesHook, script),
      scriptedPlugin('b', articlesHook, script),
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

  it('keep room for what admins do, however much plugins record', async (t) => {
    const hook = [['after_create', 'host_actions']] as const
    const world = await createHookWorld(
      t,
      scriptedPlugin('audit', hook, () => nothing),
    )
    await world.database.kysely
      .insertInto('hook_backlogs')
      .values({ plugin: 'audit', waiting: hookLimits.pluginActionsOwedMax, dead: 0 })
      .execute()
    const recorder = new ActionRecorder({
      hooks: world.engine(),
      database: world.database,
      log: { info() {}, warn() {}, error() {} },
    })
    const action = (name: string) => ({
      action: name,
      outcome: 'success' as const,
      actor: { kind: 'user' },
      resource: { type: 'x' },
    })
    for (let count = 0; count < 3; count += 1) {
      recorder.recordOfPlugin(action('shop.a.b'))
      recorder.record(action('user.create'))
    }
    await recorder.close()
    const payloads = await world.database.kysely.selectFrom('hook_payloads').select('payload').execute()
    assert.deepEqual(
      payloads.map(({ payload }) => (JSON.parse(payload) as { action: string }).action),
      ['user.create', 'user.create', 'user.create'],
    )
    assert.equal(world.lines.filter(([, message]) => message.includes('further ones are dropped')).length, 1)
  })

  it('end what waits too long, and forget what is dead too long, oldest first', async (t) => {
    const start = Date.now()
    const plugin = scriptedPlugin('a', articlesHook, () => nothing)
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
      scriptedPlugin('a', articlesHook, () => nothing),
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
