import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HookContext, HookedRead } from '../../src/content/hook-runner.js'
import { plugin } from '../helpers/create-host.js'
import { createHookHost, type HookHost } from '../helpers/hook-host.js'
import { until } from '../helpers/until.js'

const context: HookContext = { requestId: 'r1', actor: '', depth: 0 }
const read = (slug: string): HookedRead => ({
  slug,
  headers: { accept: 'text/html' },
  query: { __proto__x: '1', page: '2' },
  clientIp: '10.0.0.1',
})

/** Delivers an entry as the content services do; again where no VM was free in time. */
async function deliver(host: HookHost, slug: string) {
  return until(`${slug} is read`, async () => {
    const seen = host.lines.length
    const verdict = await host.engine.beforeRead(read(slug), context)
    const headers = verdict.answer ? {} : await host.engine.afterRead(read(slug), verdict.state, context)
    const starved = host.lines.slice(seen).some(([, , { code }]) => code === 'POOL_EXHAUSTED')
    return starved ? undefined : { ...verdict, headers: { ...headers } }
  })
}

test('read hooks see the request, hand state on across plugins, and add headers', async (t) => {
  const first = plugin(
    'first',
    `hooks.on("before_read", "content_data", function(data)
      assert(data._event == "before_read" and data._table == "content_data")
      assert(data.headers.accept == "text/html" and data.query.page == "2" and data.client_ip == "10.0.0.1")
      data._started, data.slug, data.plain = { n = 1 }, "changed", "not state"
      data._table, data._event = "users", "before_create"
    end)
    hooks.on("before_read", "content_data", function(data)
      assert(data.slug == "home" and data.plain == nil and data._table == "content_data")
      data._started.n = data._started.n + 1
      data._db = #db.query("none", {}) == 0 or true
    end, { priority = 200 })
    function on_init() db.define_table("none", { columns = { { name = "a", type = "text" } } }) end`,
  )
  const second = plugin(
    'second',
    `hooks.on("before_read", "content_data", function(data) data._second = data._started.n end, { priority = 300 })
    hooks.on("after_read", "content_data", function(data)
      return { headers = {
        ["X-Seen"] = tostring(data._started.n) .. tostring(data._second) .. tostring(data._db), ["x-number"] = 5,
        ["Set-Cookie"] = "a=b", ["Content-Type"] = "text/html", ["Cache-Control"] = "public",
      } }
    end)`,
  )
  const host = await createHookHost(t, { first, second })
  const { answer, state, headers } = await deliver(host, 'home')
  assert.equal(answer, undefined)
  assert.deepEqual(JSON.parse(JSON.stringify(state)), { _db: true, _second: 2, _started: { n: 2 } })
  assert.deepEqual(headers, { 'x-seen': '22true', 'x-number': '5' })
  // A delivery that had to be repeated reports them again.
  const blocked = new Set(
    host.reports
      .filter(([kind]) => kind === 'blocked_header')
      .map(([, data]) => (data as { name: string }).name),
  )
  assert.deepEqual([...blocked].sort(), ['cache-control', 'content-type', 'set-cookie'])
})

test('a read hook answers by itself only with a numeric status', async (t) => {
  const body = `
    local answers = {
      moved = { status = 301.9, headers = { location = "/new" } },
      json = { status = 200, json = { list = json.array({}), ["__proto__"] = { a = 1 } }, headers = { ["X-A"] = "1" } },
      text = { status = "200", json = { a = 1 } },
      none = { json = { a = 1 } },
      yes = true,
    }
    hooks.on("before_read", "content_data", function(data) return answers[data.slug] end)
  `
  const host = await createHookHost(t, { a: plugin('a', body) })
  const moved = (await deliver(host, 'moved')).answer
  assert.deepEqual(
    [moved?.status, moved?.json, { ...moved?.headers }],
    [301, undefined, { location: '/new' }],
  )
  const json = (await deliver(host, 'json')).answer
  assert.deepEqual(JSON.stringify(json?.json), '{"__proto__":{"a":1},"list":[]}')
  assert.deepEqual({ ...json?.headers }, { 'x-a': '1' })
  for (const slug of ['text', 'none', 'yes', 'other']) {
    assert.equal((await deliver(host, slug)).answer, undefined, slug)
  }
  assert.deepEqual(host.engine.breakers(), [])
})

test('read hooks that do what they must not are skipped, and what they left is forgotten', async (t) => {
  const cases: Readonly<Record<string, string>> = {
    status: 'return { status = 99 }',
    body: 'return { status = 204, json = { a = 1 } }',
    scalar: 'return { status = 200, json = "text" }',
    header: 'return { status = 200, headers = { ["a b"] = "1" } }',
    split: 'return { status = 200, headers = { a = "b\\r\\nset-cookie: c=d" } }',
    many: 'local h = {} for i = 1, 101 do h["x-" .. i] = "1" end return { status = 200, headers = h }',
    fn: 'data._f = print',
    cycle: 'data._self = data',
    proto: 'data._a = { ["__proto__"] = { admin = true } }',
    large: 'data._a = ("x"):rep(65 * 1024)',
    shared: 'local s = ("x"):rep(1e6) for i = 1, 1000 do data["_" .. i] = s end',
    spin: 'while true do end',
    bytes: 'data._a = "\\255"',
    raise: 'data._left = 1 error("no")',
    yield: 'coroutine.yield()',
  }
  const body = Object.entries(cases)
    .map(([name, code]) => `cases["${name}"] = function(data) ${code} end`)
    .join('\n')
  const bad = plugin(
    'bad',
    `local cases = {}
    ${body}
    hooks.on("before_read", "content_data", function(data)
      data._kept = "by " .. data.slug
      if cases[data.slug] then return cases[data.slug](data) end
    end)`,
  )
  const good = plugin(
    'good',
    `hooks.on("before_read", "content_data", function(data) data._good = true end, { priority = 500 })`,
  )
  const host = await createHookHost(t, { bad, good })
  for (const name of Object.keys(cases)) {
    const { answer, state } = await deliver(host, name)
    assert.equal(answer, undefined, name)
    assert.deepEqual(JSON.parse(JSON.stringify(state)), { _good: true }, name)
    assert.equal(host.engine.breakers()[0]?.failures, 1, name)
    assert.deepEqual(JSON.parse(JSON.stringify((await deliver(host, 'fine')).state)), {
      _kept: 'by fine',
      _good: true,
    })
  }
  assert.equal(({} as { admin?: boolean }).admin, undefined)
})
