import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, it } from 'node:test'
import { call, createSandboxFixture, outcomeOf, useSandboxFixture } from '../../helpers/sandbox-fixture.js'
import { roomySettings } from '../../helpers/vm-fixture.js'

const echo = `
  probe.on('echo', function(body) return body end)
  probe.on('wait', function(body) probe.wait(tonumber(body)) return 'waited' end)`

const source = (init: string, lib: Readonly<Record<string, string>> = {}) => ({
  folder: 'tester',
  files: new Map([
    ['init.lua', init],
    ...Object.entries(lib).map(([name, text]) => [`lib/${name}.lua`, text] as const),
  ]),
})

const threads = (): number => readdirSync('/proc/self/task').length

const fixture = useSandboxFixture()

describe('loading a plugin', () => {
  it('reads the manifest in a VM that is thrown away', async () => {
    const { sandbox } = fixture()
    const init = `
      plugin_info = { name = 'tester', version = '1.0.0', list = { 1, 2 } }
      probe.on('a', function() end)
      function on_init() end
      phase = probe.phase()`
    const inspection = await sandbox.inspect(source(init), roomySettings)
    assert.deepEqual({ ...inspection.pluginInfo }, { name: 'tester', version: '1.0.0', list: [1, 2] })
    assert.equal(inspection.hasOnInit, true)
    assert.equal(inspection.hasOnShutdown, false)
    assert.deepEqual(inspection.registrations, [{ kind: 'handler', key: 'a', data: {} }])
    const bare = await sandbox.inspect(source('plugin_info = "text"'), roomySettings)
    assert.equal(bare.pluginInfo, undefined)
  })

  it('fails with the line of the author, and leaves the sandbox healthy', async () => {
    const { sandbox, load, noticed } = fixture()
    const cases: readonly (readonly [string, RegExp])[] = [
      ['local x = = 1', /^tester\/init.lua:1: unexpected symbol near '='$/],
      ['\n\nerror("mine")', /^tester\/init.lua:3: mine$/],
      ['local x = nil\nreturn x.y', /^tester\/init.lua:2: attempt to index a nil value \(local 'x'\)$/],
      ['error({ code = 1 })', /^\(error object is a table value\)$/],
      ['error(nil)', /^\(error object is a nil value\)$/],
      ['while true do end', /used more than 1000000 Lua instructions/],
      ['local t = {} while true do t[#t + 1] = ("x"):rep(10000) .. #t end', /not enough memory/],
      ['require("broken")', /error loading module 'broken': tester\/lib\/broken.lua:2: in the module/],
      [
        'require("absent")',
        /^tester\/init.lua:1: module 'absent' not found: the plugin has no lib\/absent.lua$/,
      ],
      ['probe.wait(100000)', /ran out of time while waiting/],
      ['plugin_info = { f = print }', /a function cannot be passed to the host at f$/],
      ['\x1bLua', /attempt to load a binary chunk|unexpected symbol/],
    ]
    const limits = { ...roomySettings, memoryBytesMax: 8 * 1024 * 1024, instructionsMax: 1_000_000 }
    for (const [init, message] of cases) {
      const settings = { ...limits, timeoutMs: message.source.includes('out of time') ? 200 : 5000 }
      const plugin = source(init, { broken: '\nerror("in the module")' })
      const expected = (error: Error & { code?: string }) => {
        assert.match(error.message, message, init)
        return error.code === 'SANDBOX_LOAD_FAILED'
      }
      await assert.rejects(sandbox.inspect(plugin, settings), expected)
      await assert.rejects(sandbox.createGeneration('tester', '1', plugin, settings), expected)
    }
    assert.equal(noticed('hardStopped'), 0)
    assert.equal(sandbox.isQuarantined('tester'), false)
    const good = await load('healthy', echo)
    assert.deepEqual(outcomeOf(await call(good, 'echo', 'x')), ['x'])
  })

  it('that does not stop costs one thread and confines the plugin', async (test) => {
    const { sandbox, load } = await createSandboxFixture(test)
    const good = await load('good', echo)
    const init = 'local t = setmetatable({}, {}) getmetatable(t).__call = t t()'
    const loading = assert.rejects(load('bad', init, { timeoutMs: 200 }), /executor was lost.*plugin bad/)
    assert.deepEqual(outcomeOf(await call(good, 'echo', 'x')), ['x'])
    await loading
    assert.equal(sandbox.isQuarantined('bad'), true)
    assert.equal(sandbox.isQuarantined('good'), false)
    assert.deepEqual(outcomeOf(await call(good, 'echo', 'y')), ['y'])
  })
})

describe('a generation', () => {
  it('forgets the globals of a call in every VM, but not those of the module', async () => {
    const { load } = fixture()
    const plugin = await load(
      'globals',
      `
      hits = 0
      probe.on('leak', function(body) local before = leaked leaked = body hits = hits + 1 return before, hits > 0 end)
      probe.on('fail', function(body) leaked = body error('no') end)`,
    )
    for (let round = 0; round < 20; round += 1) {
      assert.deepEqual(outcomeOf(await call(plugin, 'leak', `secret ${round}`)), [undefined, true])
      assert.equal(outcomeOf(await call(plugin, 'fail', 'secret')), 'ERROR')
    }
  })

  it('drains: refuses new calls and lets those in flight end', async () => {
    const { load } = fixture()
    const plugin = await load('drained', echo, { vms: 4 })
    const inFlight = call(plugin, 'wait', '80')
    await call(plugin, 'echo')
    const drained = plugin.drain()
    assert.equal(plugin.status().state, 'draining')
    assert.equal(outcomeOf(await call(plugin, 'echo')), 'CLOSED')
    assert.deepEqual(outcomeOf(await call(plugin, 'echo', 'x', { phase: 'shutdown' })), ['x'])
    assert.equal(await drained, true)
    assert.deepEqual(outcomeOf(await inFlight), ['waited'])
    await plugin.close()
    assert.equal(plugin.status().state, 'closed')
    assert.equal(outcomeOf(await call(plugin, 'echo', 'x', { phase: 'shutdown' })), 'CLOSED')
    assert.equal(await plugin.drain(), true)
  })

  it('closes over the heads of its calls, and its successor is served meanwhile', async () => {
    const { load } = fixture()
    const old = await load('plugin', echo, { vms: 4 })
    const next = await load('plugin', echo)
    const inFlight = call(old, 'wait', '3000')
    await call(old, 'echo')
    await old.close()
    await old.close()
    assert.equal(outcomeOf(await inFlight), 'CLOSED')
    assert.deepEqual(outcomeOf(await call(next, 'echo', 'x')), ['x'])
  })

  it('leaves no thread behind, be there fifty of them', async (test) => {
    const { sandbox, load } = await createSandboxFixture(test)
    await sandbox.ready()
    const first = await load('plugin', echo)
    await call(first, 'echo')
    const before = threads()
    for (let round = 0; round < 50; round += 1) {
      const next = await load('plugin', echo, { vms: 1 }, false)
      if (round % 10 === 0)
        assert.match(String(outcomeOf(await call(next, 'echo', 'x'))), /^(x|POOL_EXHAUSTED)$/)
      await next.close()
    }
    assert.ok(threads() <= before + 2, `${before} threads became ${threads()}`)
    assert.deepEqual(outcomeOf(await call(first, 'echo', 'still')), ['still'])
  })

  it('answers every call when the sandbox closes', async (test) => {
    const { sandbox, load } = await createSandboxFixture(test)
    const plugin = await load('plugin', echo)
    const calls = Array.from({ length: 20 }, () => call(plugin, 'wait', '5000'))
    await call(plugin, 'echo')
    await sandbox.close()
    for (const outcome of await Promise.all(calls)) {
      assert.ok(!outcome.ok)
      assert.match(outcome.code, /^(CLOSED|EXECUTOR_LOST|POOL_EXHAUSTED)$/)
      assert.equal(outcome.blamed, false)
    }
    assert.equal(outcomeOf(await call(plugin, 'echo')), 'CLOSED')
    await assert.rejects(load('late', echo), /the host is closing/)
  })
})
