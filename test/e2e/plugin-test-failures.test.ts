import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertPassed, demo, resultOf, runDemo, thingsPath, useDemo } from '../helpers/plugin-tests.js'

const results = useDemo(
  demo({
    failing: `local function helper(value)
  test.assert_nil(value, "helper")
end
function test_soft()
  test.assert_eq({ a = { 1, 2 } }, { a = { 1, 3 } })
  test.assert_eq("1", 1)
  helper(7)
  test.assert_contains("abc", "x")
  test.assert_error(function() error("one thing") end, "another")
  test.assert_error(function() end)
  test.assert_neq({ 1 }, { 1.0 })
  test.assert(true)
  error({ code = 7 })
end
function test_tail()
  return test.assert_eq(1, 2)
end
function test_in_the_plugin()
  greeting.x = 1
end
function test_setup_is_named() end
test.teardown(function() error("cannot clean") end)`,
    a_syntax: 'function test_one()\n  if\nend',
    b_raises: 'local x\nlocal y = x.field',
    c_empty: 'local nothing = 1',
    d_good: 'function test_good() test.assert(true) end',
    boom: `function test_boom()
  local answer = test.request("GET", "/api/v1/plugins/demo/boom")
  test.assert_eq(200, answer.status)
  test.assert_error(function() test.assert_contains(answer.body, "cause") error("fails") end)
end`,
  }),
)

test('assertions are soft, and each failure has its line', () => {
  const report = results('failing')
  const { failures, assertions, passed, file } = resultOf(report, 'test_soft')
  assert.deepEqual([passed, assertions, file], [false, 8, 'test/failing.test.lua'])
  assert.deepEqual(failures, [
    { line: 5, message: 'at .a[2]: expected 2, got 3' },
    { line: 6, message: 'expected "1", got 1 (string and number)' },
    { line: 2, message: 'helper: expected nil, got 7' },
    { line: 8, message: 'expected "abc" to contain "x"' },
    { line: 9, message: 'expected an error with "another", got "demo/test/failing.test.lua:9: one thing"' },
    { line: 10, message: 'expected an error, and none was raised' },
    { line: 11, message: 'expected anything but { 1.0 }' },
    { line: 13, message: '{ code = 7 }', error: true },
    { line: 22, message: 'teardown: cannot clean', error: true },
  ])
  assert.equal(resultOf(report, 'test_tail').failures[0]?.line, 15)
  assert.match(resultOf(report, 'test_in_the_plugin').failures[0]?.message ?? '', /index a function value/)
})

test('a file that cannot be loaded is one result, and the other files run', () => {
  const report = results('a_syntax', 'b_raises', 'c_empty', 'd_good')
  const summary = report.files.map(({ tests }) => tests.map((one) => [one.test, one.failures[0]?.line]))
  assert.deepEqual(summary, [[['(load)', 3]], [['(load)', 2]], [['(load)', 0]], [['test_good', undefined]]])
  assert.match(
    resultOf({ ...report, files: report.files.slice(2) }, '(load)').failures[0]?.message ?? '',
    /test_/,
  )
})

test('a test that never ends is stopped with what it has found out, and the next one runs', async (t) => {
  const report = await runDemo(
    t,
    {
      ...demo({
        loops: `function test_loops()
  test.assert_eq(1, 2, "before the loop")
  while true do pcall(function() while true do end end) end
end
function test_goes_on() test.assert_eq(0, db.count("things")) end`,
      }),
      // Time is what runs out first, however fast the machine is.
      'config.json': JSON.stringify({ plugin_max_instructions: 10_000_000_000 }),
    },
    { timeoutMs: 1000 },
  )
  const [before, stopped] = resultOf(report, 'test_loops').failures
  assert.deepEqual(before, { line: 2, message: 'before the loop: expected 1, got 2' })
  assert.match(stopped?.message ?? '', /out of time/)
  assert.deepEqual([stopped?.error, stopped?.line], [true, 1])
  assert.equal(resultOf(report, 'test_goes_on').passed, true)
})

test('a test that fills its memory, its stack or its instructions is stopped, and the next one runs', async (t) => {
  const report = await runDemo(
    t,
    {
      ...demo({
        bombs: `function test_fills_memory()
  local texts = {}
  while true do texts[#texts + 1] = ("x"):rep(100000) .. #texts end
end
function test_fills_memory_for_ever()
  while true do pcall(test_fills_memory) end
end
function test_recurses()
  local function again() return 1 + again() end
  again()
end
function test_counts() for _ = 1, 1e9 do end end
function test_goes_on() test.assert_eq(0, db.count("things")) end`,
      }),
      'config.json': JSON.stringify({
        plugin_max_memory: 4 * 1024 * 1024,
        plugin_max_instructions: 1_000_000,
      }),
    },
    { timeoutMs: 30_000 },
  )
  const message = (name: string) => resultOf(report, name).failures[0]?.message ?? ''
  assert.match(message('test_fills_memory'), /not enough memory/)
  assert.match(message('test_fills_memory_for_ever'), /plugin_max_memory/)
  assert.match(message('test_recurses'), /stack overflow|not enough memory/)
  assert.match(message('test_counts'), /plugin_max_instructions/)
  assert.equal(resultOf(report, 'test_goes_on').passed, true)
})

test('a handler that is stopped costs the next request nothing', async (t) => {
  const report = await runDemo(t, {
    ...demo({
      stopped: `function test_stopped()
  test.assert_eq(504, test.request("GET", "/api/v1/plugins/demo/spin").status)
  test.assert_eq(200, test.request("GET", ${thingsPath}).status)
end`,
    }),
    'config.json': JSON.stringify({ plugin_timeout: 1 }),
  })
  assertPassed(report)
})

test('the error of a handler stands beside the failed test, not in the answer', () => {
  const report = results('boom')
  const { log, failures } = resultOf(report, 'test_boom')
  assert.equal(failures.length, 2)
  assert.match(log.join('\n'), /demo\/init\.lua:\d+: the cause of it/)
})
