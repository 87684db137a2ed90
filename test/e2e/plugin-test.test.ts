import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestReport } from '../../src/harness/results.js'
import { runPluginTests } from '../../src/plugin-tests.js'
import { plugin } from '../helpers/create-host.js'
import { assertPassed, demo, pluginFolder, runDemo, thingsPath, useDemo } from '../helpers/plugin-tests.js'

const results = useDemo(
  demo({
    roles: `
function test_roles()
  local function role(auth) return test.request("get", ${thingsPath}, { auth = auth }).json.role end
  test.assert_eq("admin", role(nil))
  test.assert_eq("admin", role("admin"))
  test.assert_eq("viewer", role("viewer"))
  test.assert_nil(role("none"))
end
function test_bodies()
  local created = test.request("POST", ${thingsPath}, { body = { name = "as a table", size = 4 } })
  test.assert_eq(201, created.status)
  test.assert_eq(8, created.json.twice)
  test.assert_contains(created.headers["content-type"], "application/json")
  test.assert_eq(201, test.request("POST", ${thingsPath}, { body = json.encode({ name = "as text" }) }).status)
  local names = {}
  for _, row in ipairs(test.request("GET", ${thingsPath}).json.things) do names[#names + 1] = row.name end
  test.assert_eq({ "as a table", "as text" }, names)
  test.assert_eq("kept", test.log()[1].message)
  test.assert_eq("as a table", test.log()[1].context.name)
end
function test_what_is_misuse()
  test.assert_error(function() test.request("GET", "things") end, "must start with")
  test.assert_error(function() test.request("GET", "/", { auth = "root" }) end, "admin, viewer, none")
  test.assert_error(function() test.request() end, "string expected")
  test.assert_error(function() test.setup(1) end, "function expected")
  test.assert_error(function() test.assert = nil end, "frozen module")
end`,
    isolation: `
db.insert("things", { name = "top level" })
test.setup(function() db.insert("things", { name = "setup" }) end)
test.teardown(function() db.delete("things", { where = { name = "setup" } }) end)
local function run_alone()
  test.assert_eq(2, db.count("things"), "rows")
  test.assert_nil(leaked, "a global of the test file")
  test.assert_eq(0, remembered, "a global of the plugin")
  leaked, remembered = true, 1
  db.insert("things", { name = "one more" })
  test.assert_eq("hello", greeting())
end
test_one, test_two, test_three = run_alone, run_alone, run_alone`,
    other: `
function test_another_file() test.assert_eq(0, db.count("things")) test.assert_nil(leaked) end`,
    sandbox: `
function test_absent()
  for _, name in ipairs({ "os", "io", "debug", "package", "load", "loadstring", "dofile", "rawget" }) do
    test.assert_nil(_G[name], name)
  end
  test.assert_error(function() os.execute("true") end)
  test.assert_error(function() json = {} end, "read-only")
  test.assert_error(function() require("../test/sandbox") end, "simple name")
  test.assert_error(function() http.handle("GET", "/late", print) end, "module scope")
end`,
    transactions: `function test_transactions()
  test.assert(db.transaction(function() db.insert("things", { name = "kept" }) end))
  test.assert_eq(false, (db.transaction(function() db.insert("things", { name = "undone" }) error("no") end)))
  test.assert_eq(1, db.count("things"))
  local done, why = db.transaction(function() test.request("GET", ${thingsPath}) end)
  test.assert_eq(false, done)
  test.assert_contains(why, "inside db.transaction")
end`,
    order: 'function test_z() end\nfunction test_a() end\nfunction test_m() end\nfunction other() end',
  }),
)

test('a test sends requests as an admin, as a viewer and as nobody', () => {
  const report = results('roles')
  assertPassed(report)
  assert.equal(report.files[0]?.tests.length, 3)
})

test('tests see neither the rows, the globals nor the memory of each other', () => {
  const report = results('isolation', 'other')
  assertPassed(report)
  assert.deepEqual(report.files.map(({ tests }) => tests.length).sort(), [1, 3])
})

test('tests run in the sandbox of production', () => assertPassed(results('sandbox')))

test('the plugin sees nothing of the module test, nor of what a test file defines', async (t) => {
  const report = await runDemo(t, {
    'demo/init.lua': plugin(
      'demo',
      `
http.handle("GET", "/seen", function()
  return { json = { test = test ~= nil, helper = helper ~= nil } }
end, { public = true })
seen_at_load = test
function look() return test, helper end`,
    ),
    'demo/test/a.test.lua': `
function helper() end
function test_hidden()
  test.assert_eq({ test = false, helper = false }, test.request("GET", "/api/v1/plugins/demo/seen").json)
  test.assert_nil(seen_at_load)
  local seen, own = look()
  test.assert_nil(seen)
  test.assert_nil(own)
end`,
  })
  assertPassed(report)
})

test('tests run in the order of their lines, and a filter chooses among them', async (t) => {
  const namesOf = ({ files }: TestReport) => files.flatMap(({ tests }) => tests.map((one) => one.test))
  assert.deepEqual(namesOf(results('order')), ['test_z', 'test_a', 'test_m'])
  const filtered = demo({ order: 'function test_z() end\nfunction test_a() end\nfunction other() end' })
  assert.deepEqual(namesOf(await runDemo(t, filtered, { filter: '_a' })), ['test_a'])
  assert.deepEqual(namesOf(await runDemo(t, filtered, { filter: 'nothing' })), [])
})

test('db.transaction works in a test, and nothing waits inside it', () => {
  assertPassed(results('transactions'))
})

test('each test has operations of its own', async (t) => {
  const spend = 'for at = 1, 40 do db.count("things") end'
  const report = await runDemo(t, {
    ...demo({
      operations: `function test_a() ${spend} end\nfunction test_b() ${spend} end\nfunction test_c()
  ${spend}
  test.assert_error(function() ${spend} end, "maximum operations")
end`,
    }),
    'config.json': JSON.stringify({ plugin_max_ops: 50 }),
  })
  assertPassed(report)
})

test('plugins that the tested one depends on run beside it', async (t) => {
  const files = {
    'base/init.lua': plugin(
      'base',
      'http.handle("GET", "/ping", function() return { body = "pong" } end, { public = true })',
    ),
    'demo/init.lua': plugin('demo', '', '1.0.0', 'dependencies = { "base" }'),
    'demo/test/a.test.lua': `function test_dependency()
  test.assert_eq("pong", test.request("GET", "/api/v1/plugins/base/ping", { auth = "none" }).body)
end`,
  }
  assertPassed(await runDemo(t, files))
  const { 'base/init.lua': _, ...alone } = files
  await assert.rejects(runDemo(t, alone), /depends on the plugin base/)
})

test('what cannot be run is said, with the reason', async (t) => {
  const good = plugin('demo', '')
  const aTest = 'function test_one() end'
  const refuses = (files: Record<string, string>, reason: RegExp) =>
    assert.rejects(runDemo(t, files), { code: 'PLUGIN_TESTS_IMPOSSIBLE', message: reason })
  await refuses({ 'demo/init.lua': good }, /no folder test/)
  await refuses({ 'demo/init.lua': good, 'demo/test/notes.txt': 'x' }, /no file test\/\*\.test\.lua/)
  await refuses({ 'demo/init.lua': 'plugin_info = {', 'demo/test/a.test.lua': aTest }, /demo\/init\.lua:1/)
  await refuses({ 'demo/init.lua': 'x = 1', 'demo/test/a.test.lua': aTest }, /plugin_info/)
  await refuses(
    {
      'demo/init.lua': plugin('demo', 'function on_init() error("no luck") end'),
      'demo/test/a.test.lua': aTest,
    },
    /on_init failed.*no luck/,
  )
  await refuses(
    { 'demo/init.lua': good, 'demo/test/a.test.lua': `-- ${'x'.repeat(1024 * 1024)}` },
    /larger than/,
  )
})

test('coverage counts the lines of the plugin, and those that no test has loaded', async (t) => {
  const report = await runDemo(
    t,
    {
      'demo/init.lua': [
        'plugin_info = { name = "demo", version = "1.0.0", description = "test" }',
        'local choose = require("choose")',
        'http.handle("GET", "/choose", function(req)',
        '  return { body = choose(req.query.way) }',
        'end, { public = true })',
      ].join('\n'),
      'demo/lib/choose.lua': [
        'return function(way)',
        '  if way == "left" then',
        '    return "went left"',
        '  else',
        '    return "went right"',
        '  end',
        'end',
      ].join('\n'),
      'demo/lib/never.lua': 'local never = {}\n\n-- a comment\nreturn never',
      'demo/test/a.test.lua': `function test_left()
  test.assert_eq("went left", test.request("GET", "/api/v1/plugins/demo/choose?way=left").body)
end`,
    },
    { coverage: true },
  )
  assertPassed(report)
  const covered = report.coverage?.map(({ file, lines }) => [
    file,
    [...lines].map(([line, count]) => `${line}${count > 0 ? '+' : '-'}`).join(' '),
  ])
  assert.deepEqual(Object.fromEntries(covered ?? []), {
    'init.lua': '1+ 2+ 3+ 4+ 5+',
    'lib/choose.lua': '2+ 3+ 5-',
    'lib/never.lua': '1- 4-',
  })
})

test('nothing is left behind', async (t) => {
  const root = await pluginFolder(t, demo({ one: 'function test_one() end', two: 'error("no")' }))
  writeFileSync(
    join(root, 'config.json'),
    JSON.stringify({ data_directory: join(root, 'never'), log: { level: 'info' } }),
  )
  const mine = () => readdirSync(tmpdir()).filter((name) => name.startsWith('modulacms-test-'))
  const before = new Set(mine())
  await runPluginTests({
    directory: join(root, 'demo'),
    filter: '',
    timeoutMs: 5000,
    coverage: false,
    configFile: join(root, 'config.json'),
    environment: {},
  })
  // Other runs on this machine come and go; one that is new and stays would be ours.
  const left = mine().filter((name) => !before.has(name))
  assert.deepEqual(
    left.filter((name) => readdirSync(join(tmpdir(), name)).length === 0),
    [],
  )
  assert.deepEqual(readdirSync(root).sort(), ['config.json', 'demo'])
  assert.deepEqual(readdirSync(join(root, 'demo')).sort(), ['init.lua', 'lib', 'test'])
})
