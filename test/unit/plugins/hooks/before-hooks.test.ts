import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { HookContext, HookedWrite } from '../../../../src/content/hook-runner.js'
import type { CallFailureCode } from '../../../../src/sandbox/generation.js'
import {
  changed,
  createHookWorld,
  denied,
  failedWith,
  nothing,
  type Script,
  scriptedPlugin,
  testHookLimits,
} from '../../../helpers/hook-world.js'

const context: HookContext = { requestId: 'r1', actor: '', depth: 0 }
const write: HookedWrite = { event: 'create', table: 'articles', row: { title: 'a' }, old: undefined }
const one = [['before_create', 'articles']] as const

describe('the chain of before-hooks', () => {
  it('gives each hook the row as the ones before left it, and ends at the first refusal', async (t) => {
    const seen: unknown[] = []
    const script: Script = ({ key, data }) => {
      seen.push([key, data.title])
      if (key.endsWith('#1')) return changed({ title: 'b', more: 1 })
      return key.endsWith('#2') ? denied('enough') : nothing
    }
    const hooks = [...one, ...one, ...one]
    const world = await createHookWorld(t, scriptedPlugin('a', hooks, script))
    await assert.rejects(world.engine().before(write, context), {
      code: 'HOOK_VETOED',
      message: /"a".*enough/,
    })
    assert.deepEqual(seen, [
      ['before_create:articles#1', 'a'],
      ['before_create:articles#2', 'b'],
    ])
    assert.deepEqual(
      world.samples.map(({ status, when, event, table }) => [status, when, event, table]),
      [
        ['ok', 'before', 'before_create', 'articles'],
        ['veto', 'before', 'before_create', 'articles'],
      ],
    )
    assert.deepEqual(write.row, { title: 'a' })
  })

  it('calls hooks in their own phase, with reserved VMs, and marks their requests with a depth', async (t) => {
    const requests: unknown[] = []
    const script: Script = ({ request: { phase, reserved, requestId, operationsMax } }) => {
      requests.push([phase, reserved, requestId, operationsMax])
      return nothing
    }
    const world = await createHookWorld(t, scriptedPlugin('a', one, script))
    const engine = world.engine()
    await engine.before(write, context)
    await engine.before(write, { ...context, requestId: 'r1~2', depth: 2 })
    assert.deepEqual(requests, [
      ['before_hook', true, 'r1~1', 100],
      ['before_hook', true, 'r1~3', 100],
    ])
  })

  it('shows the old row only where there is one', async (t) => {
    const seen: unknown[] = []
    const events = ['create', 'update', 'delete', 'publish', 'archive'] as const
    const hooks = events.map((event) => [`before_${event}`, '*'] as const)
    const world = await createHookWorld(
      t,
      scriptedPlugin('a', hooks, ({ data }) => {
        seen.push([data._event, data._old])
        return nothing
      }),
    )
    const old = { title: 'o' }
    for (const event of events) await world.engine().before({ ...write, event, old }, context)
    assert.deepEqual(seen, [
      ['before_create', undefined],
      ['before_update', old],
      ['before_delete', undefined],
      ['before_publish', old],
      ['before_archive', old],
    ])
  })

  it('refuses for whatever the plugin does to itself, and counts it', async (t) => {
    const codes: CallFailureCode[] = ['ERROR', 'TIMEOUT', 'INSTRUCTIONS', 'MEMORY', 'RESULT_TOO_LARGE']
    for (const code of codes) {
      const world = await createHookWorld(
        t,
        scriptedPlugin('a', one, () => failedWith(code)),
      )
      const engine = world.engine()
      for (let count = 0; count < testHookLimits.failuresMax; count += 1) {
        await assert.rejects(
          engine.before(write, context),
          (error: Error & { code: string; status: number }) => {
            assert.deepEqual([error.code, error.status], ['HOOK_VETOED', 422])
            assert.doesNotMatch(error.message, /secret|init\.lua/)
            return true
          },
        )
      }
      assert.equal(await engine.before(write, context), write.row, code)
      assert.equal(engine.breakers()[0]?.state, 'open')
    }
  })

  it('refuses without counting when a hook could not be run', async (t) => {
    let outcome = failedWith('POOL_EXHAUSTED')
    const world = await createHookWorld(
      t,
      scriptedPlugin('a', one, () => outcome),
    )
    const engine = world.engine()
    for (let count = 0; count < 10; count += 1) {
      await assert.rejects(engine.before(write, context), { code: 'HOOK_UNAVAILABLE', status: 503 })
    }
    assert.deepEqual(engine.breakers(), [])
    assert.deepEqual(world.samples, [])
    outcome = failedWith('EXECUTOR_LOST', true)
    await assert.rejects(engine.before(write, context), { code: 'HOOK_VETOED' })
    assert.deepEqual(
      engine.breakers().map(({ failures }) => failures),
      [1],
    )
  })

  it('starts over when a plugin is reloaded under it, with the hooks of the next generation', async (t) => {
    const seen: string[] = []
    const next = scriptedPlugin('b', [['before_create', '*', 200]], () => changed({ b: 2 }), {
      generation: 2,
    })
    const first = scriptedPlugin('a', one, ({ data }) => {
      seen.push(String(data.title))
      return changed({ title: `${data.title}+` })
    })
    const closing: Script = () => {
      world.directory.replace(next)
      return failedWith('CLOSED')
    }
    const world = await createHookWorld(t, first, scriptedPlugin('b', [['before_create', '*', 200]], closing))
    const row = await world.engine().before(write, context)
    assert.deepEqual(row, { title: 'a+', b: 2 })
    assert.deepEqual(seen, ['a', 'a'])
  })

  it('skips a plugin that was stopped under it, and gives up on one that is never there', async (t) => {
    const stopping: Script = ({ plugin }) => {
      const served = world.directory.find(plugin)
      if (served !== undefined) world.directory.replace({ ...served, state: 'stopped' })
      return failedWith('CLOSED')
    }
    const world = await createHookWorld(t, scriptedPlugin('a', one, stopping))
    assert.equal(await world.engine().before(write, context), write.row)
    const closed = await createHookWorld(
      t,
      scriptedPlugin('a', one, () => failedWith('CLOSED')),
    )
    await assert.rejects(closed.engine().before(write, context), { code: 'HOOK_UNAVAILABLE', status: 503 })
  })

  it('shares its time among its hooks; who gets less than its own time is not blamed', async (t) => {
    const limits = { ...testHookLimits, hookTimeoutMs: 60, eventTimeoutMs: 90 }
    const given: number[] = []
    const script: Script = async ({ request, key }) => {
      given.push(request.timeoutMs ?? 0)
      await pause(50)
      return key.endsWith('#1') ? nothing : failedWith('TIMEOUT')
    }
    const world = await createHookWorld(t, scriptedPlugin('a', [...one, ...one], script))
    const engine = world.engine({ limits })
    await assert.rejects(engine.before(write, context))
    assert.equal(given[0], 60)
    assert.ok((given[1] ?? 60) < 60, `the second had ${given[1]} ms`)
    assert.deepEqual(engine.breakers(), [])
  })

  it('refuses what hooks set off without end', async (t) => {
    const world = await createHookWorld(
      t,
      scriptedPlugin('a', [['after_create', '*']], () => nothing),
    )
    const engine = world.engine()
    assert.equal(await engine.before(write, { ...context, depth: 8 }), write.row)
    const endless = engine.before(write, { ...context, depth: 9 })
    await assert.rejects(endless, { code: 'HOOK_DEPTH_EXCEEDED', status: 422 })
    const other = { ...write, event: 'update' } as const
    assert.equal(await engine.before(other, { ...context, depth: 9 }), write.row)
  })
})

describe('the breaker of a hook', () => {
  it('belongs to a generation, and late results of an older one change nothing', async (t) => {
    let answer: Script = () => failedWith('ERROR')
    const script: Script = (call) => answer(call)
    const world = await createHookWorld(t, scriptedPlugin('a', one, script))
    const engine = world.engine()
    let release = () => {}
    const late = new Promise<void>((resolve) => {
      release = resolve
    })
    answer = () => late.then(() => failedWith('ERROR'))
    const old = assert.rejects(engine.before(write, context))
    await pause(1)
    answer = () => failedWith('ERROR')
    world.directory.replace(scriptedPlugin('a', one, script, { generation: 2 }))
    await assert.rejects(engine.before(write, context))
    release()
    await old
    assert.deepEqual(
      engine.breakers().map(({ failures }) => failures),
      [1],
    )
    for (let count = 0; count < 2; count += 1) await assert.rejects(engine.before(write, context))
    assert.equal(engine.breakers()[0]?.state, 'open')
    world.directory.replace(scriptedPlugin('a', one, script, { generation: 3 }))
    assert.deepEqual(engine.breakers(), [])
    await assert.rejects(engine.before(write, context))
  })

  it('is shared by the handlers of one event and table, and by no others', async (t) => {
    const script: Script = ({ data }) => (data.fail ? failedWith('ERROR') : nothing)
    const hooks = [...one, ...one, ['before_create', '*'] as const]
    const world = await createHookWorld(t, scriptedPlugin('a', hooks, script))
    const engine = world.engine()
    const failing = { ...write, row: { fail: true } }
    for (let count = 0; count < 3; count += 1) await assert.rejects(engine.before(failing, context))
    // Those for the table are off, the one for every table is not.
    await assert.rejects(engine.before(failing, context))
    assert.deepEqual(
      engine.breakers().map(({ table, state }) => [table, state]),
      [
        ['articles', 'open'],
        ['*', 'closed'],
      ],
    )
    engine.resetBreaker({ plugin: 'a', event: 'before_create', table: 'articles' }, 'ann')
    assert.throws(() => engine.resetBreaker({ plugin: 'a', event: 'before_create', table: 'x' }, 'ann'), {
      code: 'HOOK_NOT_FOUND',
    })
    assert.deepEqual(
      engine.breakers().map(({ table }) => table),
      ['*'],
    )
  })
})
