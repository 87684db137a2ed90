import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import { plugin, startHost, useHost } from '../helpers/create-host.js'
import { refusalOf, runHooks } from '../helpers/embedded-hooks.js'
import { until } from '../helpers/until.js'

describe('hostile hooks', () => {
  const hostile = `
    hooks.on("before_create", "spin", function() while true do end end)
    hooks.on("before_create", "catch", function() while true do pcall(function() while true do end end) end end)
    hooks.on("before_create", "bomb", function() local t = {} while true do t[#t + 1] = ("x"):rep(1e6) .. #t end end)
    hooks.on("before_create", "native", function() return string.find(("a"):rep(40), ("a*"):rep(20) .. "b") end)
    hooks.on("before_create", "huge", function() return { set = { a = ("x"):rep(2 * 1024 * 1024) } } end)
    hooks.on("before_create", "many", function() local t = {} for i = 1, 300000 do t[i] = i end return { set = { t = t } } end)
    hooks.on("before_create", "cycle", function() local t = {}; t.t = t; return { set = t } end)
    hooks.on("before_create", "proto", function() return { set = { ["__proto__"] = { admin = true } } } end)
    hooks.on("before_create", "nested", function() return { set = { a = { ["__proto__"] = { admin = true } } } } end)
    hooks.on("before_create", "under", function() return { set = { _table = "users" } } end)
    hooks.on("before_create", "list", function() return { set = { 1, 2 } } end)
    hooks.on("before_create", "text", function() return { set = "text" } end)
    hooks.on("before_create", "func", function() return { set = { f = print } } end)
    hooks.on("before_create", "bytes", function() return { set = { f = "\\255\\254" } } end)
    hooks.on("before_create", "nan", function() return { set = { f = 0 / 0 } } end)
    hooks.on("before_create", "denyf", function() return { deny = {} } end)
    hooks.on("before_create", "yield", function() coroutine.yield(1) end)
    hooks.on("before_create", "wrapped", function()
      return coroutine.wrap(function() coroutine.yield({ set = { y = 1 } }) end)()
    end)
    hooks.on("before_create", "meta", function()
      return setmetatable({}, { __index = function() while true do end end, __pairs = error })
    end)
    hooks.on("before_create", "results", function() return table.unpack({}, 1, 200) end)
    hooks.on("before_create", "error", function() error(setmetatable({}, { __tostring = function() while true do end end })) end)
    hooks.on("before_create", "late", function() hooks.on("before_create", "x", print) end)
    hooks.on("before_read", "content_data", function(data) while true do data[#data + 1] = 1 end end)
  `
  const good = `
    hooks.on("before_create", "good", function() return { set = { good = true } } end)
    http.handle("GET", "/ping", function() return { body = "pong" } end, { public = true })
  `
  const use = useHost({
    plugins: { 'bad/init.lua': plugin('bad', hostile), 'good/init.lua': plugin('good', good) },
    hooks: true,
    config: { plugin_hook_timeout_ms: 300, plugin_hook_event_timeout_ms: 600 },
  })
  const refused = [
    ...[
      'spin',
      'catch',
      'bomb',
      'native',
      'huge',
      'many',
      'cycle',
      'proto',
      'nested',
      'under',
      'list',
      'text',
    ],
    ...['func', 'bytes', 'nan', 'denyf', 'yield', 'error', 'late'],
  ]
  for (const name of refused) {
    it(`are stopped: ${name}`, async () => {
      // Beside each attack, the others are served.
      const beside = Promise.all([
        until('a good request is served', async () => (await use().call('GET', '/good/ping')).status === 200),
        runHooks(use(), 'before_create', 'good'),
      ])
      const error = await refusalOf(use(), 'before_create', name)
      assert.equal(error.code, 'HOOK_VETOED', error.message)
      assert.doesNotMatch(error.message, /init\.lua|:\d/)
      const [, row] = await beside
      assert.deepEqual(row, { good: true })
    })
  }

  it('are harmless when they only look so', async () => {
    assert.deepEqual(await runHooks(use(), 'before_create', 'wrapped'), { y: 1 })
    assert.deepEqual(await runHooks(use(), 'before_create', 'meta', { a: 1 }), { a: 1 })
    assert.deepEqual(await runHooks(use(), 'before_create', 'results', { a: 1 }), { a: 1 })
    assert.equal(({} as { admin?: boolean }).admin, undefined)
  })
})

test('a plugin with too many hooks, or wrong ones, does not load, and says why', async (t) => {
  const wrong: Readonly<Record<string, readonly [string, RegExp]>> = {
    many: ['for i = 1, 51 do hooks.on("before_create", "t" .. i, print) end', /maximum hook limit.*50/],
    event: [
      'hooks.on("before_insert", "t", print)',
      /invalid hook event "before_insert": use one of before_create/,
    ],
    every: ['hooks.on("before_read", "*", print)', /"\*" is not allowed for read hooks/],
    empty: ['hooks.on("before_create", "", print)', /must not be empty/],
    long: ['hooks.on("before_create", ("t"):rep(129), print)', /invalid hook table.*128/],
    line: ['hooks.on("before_create", "a\\nb", print)', /invalid hook table/],
    handler: ['hooks.on("before_create", "t", "print")', /function expected/],
    init: ['function on_init() hooks.on("before_create", "t", print) end', /module scope/],
  }
  const plugins = Object.entries(wrong).map(([name, [body]]) => [`${name}/init.lua`, plugin(name, body)])
  const fifty = plugin('fifty', 'for i = 1, 50 do hooks.on("before_create", "t" .. i, print) end')
  const host = await startHost(t, { plugins: { ...Object.fromEntries(plugins), 'fifty/init.lua': fifty } })
  for (const [name, [, reason]] of Object.entries(wrong)) {
    assert.match(host.host.plugins.get(name)?.failed_reason ?? 'it runs', reason)
  }
  assert.equal(host.host.plugins.get('fifty')?.state, 'running')
})
