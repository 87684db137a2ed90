import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import type { PluginManager } from '../../../src/plugins/manager.js'
import { fakeInit } from '../../helpers/fake-sandbox.js'
import { createPluginWorld } from '../../helpers/plugin-host.js'

function statesOf(manager: PluginManager): Readonly<Record<string, string>> {
  return Object.fromEntries(manager.list().map(({ name, state }) => [name, state]))
}

function reasonOf(manager: PluginManager, plugin: string): string {
  return manager.get(plugin)?.failed_reason ?? ''
}

/** A promise that the test settles. */
function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

describe('PluginManager.start', () => {
  it('loads plugins in the order of their dependencies and runs on_init once for each', async (t) => {
    const world = await createPluginWorld(t)
    const needsB = { name: 'a', version: '1', description: 'A.', dependencies: ['b'] }
    await world.write('a/init.lua', fakeInit('a', { info: needsB, onInit: '' }))
    await world.write('folder_of_b/init.lua', fakeInit('b', { onInit: '' }))
    await world.write('c/init.lua', fakeInit('c'))
    const { manager, sandbox } = await world.start()
    assert.deepEqual(statesOf(manager), { a: 'running', b: 'running', c: 'running' })
    assert.deepEqual(
      sandbox.events.map((event) => event.slice(0, 9)),
      ['on_init b', 'on_init a'],
    )
    const [request] = sandbox.generations.flatMap(({ requests }) => requests)
    assert.deepEqual([request?.kind, request?.phase, request?.timeoutMs], ['lifecycle', 'init', 5000])
    assert.deepEqual(manager.get('a')?.dependencies, ['b'])
  })

  it('lets a failing plugin harm only itself and those that need it', async (t) => {
    const world = await createPluginWorld(t)
    const needs = (name: string, other: string) => ({
      info: { name, version: '1', description: 'D.', dependencies: [other] },
    })
    await world.write('bad_init/init.lua', fakeInit('bad_init', { onInit: 'init.lua:3: boom' }))
    await world.write('child/init.lua', fakeInit('child', needs('child', 'bad_init')))
    await world.write('orphan/init.lua', fakeInit('orphan', needs('orphan', 'ghost')))
    await world.write('syntax/init.lua', 'not Lua')
    await world.write('nameless/init.lua', JSON.stringify({ info: { version: '1' } }))
    await world.write('raises/init.lua', fakeInit('raises', { moduleError: 'init.lua:9: raised' }))
    await world.write('shifty/init.lua', fakeInit('shifty', { laterVersion: '2' }))
    await world.write('good/init.lua', fakeInit('good'))
    const { manager, sandbox } = await world.start()
    const { good, ...others } = statesOf(manager)
    assert.equal(good, 'running')
    assert.deepEqual(new Set(Object.values(others)), new Set(['failed']))
    assert.match(reasonOf(manager, 'bad_init'), /^on_init failed: init\.lua:3: boom/)
    assert.match(reasonOf(manager, 'child'), /"bad_init" is not running/)
    assert.match(reasonOf(manager, 'orphan'), /"ghost" was not found/)
    assert.match(reasonOf(manager, 'syntax'), /syntax error/)
    assert.match(reasonOf(manager, 'nameless'), /name is required/)
    assert.match(reasonOf(manager, 'shifty'), /must be the same/)
    assert.deepEqual(sandbox.open(), ['good 1.0.0'])
    assert.equal(manager.statusReport().failed.length, 7)
    assert.equal(manager.find('bad_init')?.generation, undefined)
  })

  it('FL-07: does not start with a name that two folders claim, and runs neither', async (t) => {
    const world = await createPluginWorld(t)
    await world.write('one/init.lua', fakeInit('shop', {}, '1'))
    await world.write('two/init.lua', fakeInit('shop', {}, '2'))
    await world.write('good/init.lua', fakeInit('good'))
    const { manager, sandbox } = world.create()
    await assert.rejects(manager.start(), { code: 'PLUGIN_NAME_TAKEN', message: /"shop": one and two/ })
    assert.deepEqual(sandbox.open(), [], 'no code of them runs')
  })

  it('gives a name to the plugin that has it, and reports a broken folder that is only called so', async (t) => {
    const world = await createPluginWorld(t)
    await world.write('one/init.lua', fakeInit('shop', {}, '1'))
    await world.write('shop/init.lua', 'broken, but has the name as its folder')
    const { manager } = await world.start()
    assert.equal(manager.get('shop')?.version, '1')
    const { problems } = manager.statusReport()
    assert.equal(problems.length, 1)
    assert.match(problems[0] ?? '', /folder shop cannot be used/)
  })

  it('reports an unreadable plugin directory and keeps the approvals', async (t) => {
    const world = await createPluginWorld(t)
    await world.write('a/init.lua', fakeInit('a', { routes: [{ method: 'GET', path: '/x' }] }))
    const first = await world.start()
    await first.manager.approveRoutes([{ plugin: 'a', method: 'GET', path: '/x' }], 'ann')
    await first.manager.close()
    await world.remove('')
    await writeFile(world.directory, 'no directory')
    const second = await world.start()
    assert.match(second.manager.statusReport().problems[0] ?? '', /cannot be read/)
    await second.manager.close()
    await world.remove('')
    const third = await world.start()
    assert.deepEqual(third.manager.list(), [])
    await third.manager.close()
    await world.write('a/init.lua', fakeInit('a', { routes: [{ method: 'GET', path: '/x' }] }))
    const { manager } = await world.start()
    assert.equal(manager.routes()[0]?.approved, true)
  })

  it('forgets the approvals of a plugin that is gone while others are there', async (t) => {
    const world = await createPluginWorld(t)
    const init = fakeInit('a', { routes: [{ method: 'GET', path: '/x' }] })
    await world.write('a/init.lua', init)
    await world.write('b/init.lua', fakeInit('b'))
    const first = await world.start()
    await first.manager.approveRoutes([{ plugin: 'a', method: 'GET', path: '/x' }], 'ann')
    await first.manager.close()
    await world.remove('a')
    await (await world.start()).manager.close()
    await world.write('a/init.lua', init)
    const { manager } = await world.start()
    assert.equal(manager.routes()[0]?.approved, false)
  })
})

describe('PluginManager.reload', () => {
  it('swaps to the next generation, then closes the old one when its calls have ended', async (t) => {
    const world = await createPluginWorld(t)
    await world.write('a/init.lua', fakeInit('a', {}, '1'))
    const { manager, sandbox } = await world.start()
    const [old] = sandbox.generations
    const { promise, resolve } = deferred()
    assert.ok(old)
    old.inFlight = promise
    const before = manager.find('a')
    await world.write('a/init.lua', fakeInit('a', { onInit: '' }, '2'))
    await manager.reload('a', 'ann')
    assert.equal(before?.generation?.version, '1')
    assert.equal(manager.find('a')?.generation?.version, '2')
    assert.equal(old.state, 'draining')
    resolve()
    await manager.close()
    assert.deepEqual(sandbox.open(), [])
    assert.ok(sandbox.events.indexOf('on_init a 2') < sandbox.events.indexOf('close a 1'))
    assert.ok(!sandbox.events.some((event) => event.startsWith('on_shutdown')))
  })

  it('keeps the old generation serving when the next one fails, and shows why', async (t) => {
    const world = await createPluginWorld(t)
    await world.write('a/init.lua', fakeInit('a', { routes: [{ method: 'GET', path: '/x' }] }, '1'))
    const { manager, sandbox } = await world.start()
    await manager.approveRoutes([{ plugin: 'a', method: 'GET', path: '/x' }], 'ann')
    const served = manager.find('a')
    const failures = [fakeInit('a', { onInit: 'boom' }, '2'), 'broken', fakeInit('renamed', {}, '2')]
    const reasons = [/on_init failed: boom/, /syntax error/, /"renamed" does not match plugin name "a"/]
    for (const [index, text] of failures.entries()) {
      await world.write('a/init.lua', text)
      await assert.rejects(manager.reload('a', 'ann'), {
        code: 'PLUGIN_LOAD_FAILED',
        message: /the previous version keeps serving/,
      })
      assert.match(reasonOf(manager, 'a'), reasons[index] ?? /never/)
      assert.equal(manager.find('a'), served)
      assert.equal(manager.routes()[0]?.approved, true)
    }
    assert.deepEqual(sandbox.open(), ['a 1'])
    await world.write('a/init.lua', fakeInit('a', {}, '3'))
    await manager.reload('a', 'ann')
    assert.equal(reasonOf(manager, 'a'), '')
    assert.equal(manager.get('a')?.version, '3')
  })

  it('loads a failed plugin, and a folder that appeared since the start', async (t) => {
    const world = await createPluginWorld(t)
    await world.write('folder/init.lua', 'broken')
    const { manager } = await world.start()
    assert.deepEqual(statesOf(manager), { folder: 'failed' })
    await world.write('folder/init.lua', fakeInit('real_name'))
    await manager.reload('folder', 'ann')
    await world.write('other/init.lua', fakeInit('late'))
    await manager.reload('late', 'ann')
    assert.deepEqual(statesOf(manager), { real_name: 'running', late: 'running' })
    await assert.rejects(manager.reload('ghost', 'ann'), { code: 'PLUGIN_NOT_FOUND', status: 404 })
  })

  it('finds a plugin whose folder was renamed', async (t) => {
    const world = await createPluginWorld(t)
    await world.write('old/init.lua', fakeInit('a', {}, '1'))
    const { manager } = await world.start()
    await world.remove('old')
    await assert.rejects(manager.reload('a', 'ann'), { message: /vanished.*previous version keeps serving/ })
    await world.write('new/init.lua', fakeInit('a', {}, '2'))
    await manager.reload('a', 'ann')
    assert.equal(manager.get('a')?.version, '2')
  })

  it('carries out orders for one plugin one after the other, and equal waiting ones once', async (t) => {
    const world = await createPluginWorld(t)
    await world.write('a/init.lua', fakeInit('a'))
    const { manager, sandbox } = await world.start()
    await Promise.all(Array.from({ length: 20 }, () => manager.reload('a', 'ann')))
    assert.ok(sandbox.generations.length <= 3, `${sandbox.generations.length} generations`)
    await manager.close()
    assert.deepEqual(sandbox.open(), [])
  })

  it('gives each generation a fresh breaker', async (t) => {
    const world = await createPluginWorld(t)
    await world.write('a/init.lua', fakeInit('a'))
    const { manager } = await world.start()
    manager.find('a')?.breaker.trip()
    assert.equal(manager.get('a')?.circuit_breaker_state, 'open')
    await manager.reload('a', 'ann')
    assert.equal(manager.get('a')?.circuit_breaker_state, 'closed')
  })
})

describe('PluginManager.disable', () => {
  it('runs on_shutdown, stops serving, and remembers it without running the code again', async (t) => {
    const world = await createPluginWorld(t)
    await world.write('a/init.lua', fakeInit('a', { onShutdown: '' }))
    const { manager, sandbox } = await world.start()
    await manager.disable('a', 'ann')
    await manager.disable('a', 'ann')
    assert.deepEqual(sandbox.events, ['on_shutdown a 1', 'close a 1'])
    assert.equal(manager.find('a')?.state, 'stopped')
    await assert.rejects(manager.reload('a', 'ann'), { code: 'PLUGIN_DISABLED', status: 409 })
    await manager.close()

    const second = await world.start()
    assert.deepEqual(statesOf(second.manager), { a: 'stopped' })
    assert.deepEqual(second.sandbox.inspected, [])
    assert.deepEqual(second.manager.statusReport().stopped, ['a'])
    await second.manager.enable('a', 'ann')
    assert.equal(second.manager.find('a')?.state, 'running')
    await second.manager.close()
    assert.deepEqual(statesOf((await world.start()).manager), { a: 'running' })
  })

  it('still knows a disabled plugin whose files have changed', async (t) => {
    const world = await createPluginWorld(t)
    await world.write('a/init.lua', fakeInit('a', {}, '1'))
    const first = await world.start()
    await first.manager.disable('a', 'ann')
    await first.manager.close()
    await world.write('a/init.lua', fakeInit('a', { onInit: '' }, '2'))
    const { manager, sandbox } = await world.start()
    assert.deepEqual(statesOf(manager), { a: 'stopped' })
    assert.deepEqual(sandbox.generations, [])
  })
})

describe('PluginManager quarantine', () => {
  it('persists it, applies it before the next load, and lifts it on enable', async (t) => {
    const world = await createPluginWorld(t)
    await world.write('a/init.lua', fakeInit('a'))
    const first = await world.start()
    first.manager.noteHardStop('a', 'spun in string.find')
    assert.equal(first.manager.get('a')?.quarantined, true)
    assert.equal(first.manager.find('a')?.state, 'running')
    await first.manager.close()

    const { manager, sandbox } = await world.start()
    assert.equal(sandbox.isQuarantined('a'), true)
    await manager.reload('a', 'ann')
    assert.equal(sandbox.isQuarantined('a'), true)
    await manager.enable('a', 'ann')
    assert.equal(manager.get('a')?.quarantined, false)
    await manager.close()
    assert.equal((await world.start()).sandbox.isQuarantined('a'), false)
  })
})

describe('PluginManager.close', () => {
  it('stops plugins in the reverse of the order in which they were started, and only once', async (t) => {
    const world = await createPluginWorld(t)
    const needsB = { name: 'a', version: '1', description: 'A.', dependencies: ['b'] }
    await world.write('a/init.lua', fakeInit('a', { info: needsB, onShutdown: 'fails' }))
    await world.write('b/init.lua', fakeInit('b', { onShutdown: '' }))
    const { manager, sandbox } = await world.start()
    await manager.reload('b', 'ann')
    await Promise.all([manager.close(), manager.close()])
    const stops = sandbox.events.filter((event) => event.startsWith('on_shutdown'))
    assert.deepEqual(
      stops.map((event) => event.split(' ')[1]),
      ['a', 'b'],
    )
    assert.deepEqual(sandbox.open(), [])
    assert.ok(world.log.includes('warn on_shutdown failed'))
    await assert.rejects(manager.reload('a', 'ann'), { code: 'PLUGINS_CLOSING', status: 503 })
  })

  it('ends a start that is under way and leaves nothing open', async (t) => {
    const world = await createPluginWorld(t)
    for (const name of ['a', 'b', 'c']) await world.write(`${name}/init.lua`, fakeInit(name, { onInit: '' }))
    const { manager, sandbox } = world.create()
    const { promise, resolve } = deferred()
    sandbox.gate = promise
    const starting = manager.start()
    const closing = manager.close()
    resolve()
    await Promise.all([starting, closing])
    assert.deepEqual(sandbox.open(), [])
    assert.deepEqual(
      sandbox.events.filter((event) => event.startsWith('on_init')),
      [],
    )
  })
})
