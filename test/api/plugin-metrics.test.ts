import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ownMetricLimits } from '../../src/base/limits/telemetry.js'
import { plugin, startHost, type TestHost, useHost } from '../helpers/create-host.js'
import { install } from '../helpers/installed-plugins.js'
import { type PrometheusText, parsePrometheusText } from '../helpers/prometheus-text.js'

const open = 'local public = { public = true }\n'

async function read(server: TestHost): Promise<PrometheusText> {
  const answer = await server.send('GET', '/metrics', { headers: server.credentials })
  assert.equal(answer.status, 200, answer.text)
  return parsePrometheusText(answer.text)
}

/** Numbers of a metric of a plugin, by the values of its labels. */
async function numbers(server: TestHost, owner: string, name: string): Promise<Record<string, number>> {
  const samples = (await read(server)).samples(`modulacms_plugin_${owner}__${name}`)
  return Object.fromEntries(
    samples.map(({ labels: { plugin: found, ...labels }, value }) => {
      assert.equal(found, owner)
      return [Object.values(labels).join(' '), value]
    }),
  )
}

const own = async (server: TestHost, owner: string) =>
  [...(await read(server)).metrics.keys()].filter((name) => name.startsWith(`modulacms_plugin_${owner}__`))

const dropped = async (server: TestHost, owner: string, reason: string) =>
  (await read(server)).value('plugin_metrics_dropped_total', { plugin: owner, reason }) ?? 0

const counting = (metric: string, version = '1.0.0', init = '', name = 'shop') =>
  plugin(
    name,
    `${open}
local m = ${metric}
function on_init() ${init} end
http.handle("POST", "/inc", function(req) m:inc() return {} end, public)
http.handle("POST", "/set", function(req) m:set(2.5) return {} end, public)
http.handle("POST", "/die", function(req) m:inc() while true do end end, public)
http.handle("POST", "/raise", function(req) m:inc() error("no") end, public)
`,
    version,
  )

describe('metrics of plugins', () => {
  const server = useHost({
    plugins: {
      'shop/init.lua': plugin(
        'shop',
        `${open}
local orders = metrics.counter("orders_total", { help = "Orders.", labels = { "status", "size" } })
local depth = metrics.gauge("depth")
local took = metrics.histogram("took_seconds", { labels = { "kind" }, buckets = { 0.5, 1 } })
local inits = metrics.counter("inits_total")
function on_init() inits:inc() end
http.handle("POST", "/orders", function(req)
  orders:inc(1, { status = "new", size = 3 })
  orders:inc(2, { status = "new", size = 3 })
  orders:inc(nil, { size = true })
  orders:inc()
  depth:set(10) depth:inc(2) depth:dec() depth:dec(0.5)
  took:observe(0.5, { kind = "a" }) took:observe(7, { kind = "a" })
  return {}
end, public)
`,
      ),
      'other/init.lua': plugin(
        'other',
        `${open}
local orders = metrics.gauge("orders_total")
http.handle("POST", "/orders", function(req) orders:set(-1) return {} end, public)
`,
      ),
    },
    config: { plugin_executors: 3, plugin_max_instructions: 5_000_000 },
  })

  it('are shown as soon as the answer is there, added up over all threads, apart from those of others', async () => {
    const host = server()
    assert.deepEqual(await numbers(host, 'shop', 'inits_total'), { '': 1 }, 'on_init has measured')
    assert.deepEqual(await numbers(host, 'shop', 'orders_total'), {})
    for (let round = 0; round < 15; round += 1) {
      const answers = await Promise.all([1, 2, 3, 4].map(() => host.call('POST', '/shop/orders')))
      for (const { status } of answers) assert.equal(status, 200)
    }
    assert.equal((await host.call('POST', '/other/orders')).status, 200)
    assert.deepEqual(await numbers(host, 'shop', 'orders_total'), { 'new 3': 180, ' true': 60, ' ': 60 })
    assert.deepEqual(await numbers(host, 'shop', 'depth'), { '': 10.5 })
    assert.deepEqual(await numbers(host, 'other', 'orders_total'), { '': -1 })
    const text = await read(host)
    const labels = { plugin: 'shop', kind: 'a' }
    assert.equal(text.value('modulacms_plugin_shop__took_seconds_count', labels), 120)
    assert.equal(text.value('modulacms_plugin_shop__took_seconds_sum', labels), 450)
    assert.equal(text.value('modulacms_plugin_shop__took_seconds_bucket', { ...labels, le: '0.5' }), 60)
    assert.equal(text.metrics.get('modulacms_plugin_shop__orders_total')?.help, 'Orders.')
  })

  it('stand in the JSON for admins as well', async () => {
    const host = server()
    const answer = await host.send('GET', '/api/v1/admin/metrics', { headers: host.credentials })
    const { metrics } = answer.json<{ metrics: { name: string; type: string }[] }>()
    const found = metrics.filter(({ name }) => name.startsWith('modulacms_plugin_other__'))
    assert.deepEqual(
      found.map(({ name, type }) => [name, type]),
      [['modulacms_plugin_other__orders_total', 'gauge']],
    )
  })

  it('outlast calls that end badly, threads, and reloads; another type begins anew', async (t) => {
    const host = server()
    await install(t, host, { 'life/init.lua': counting('metrics.counter("n")', '1.0.0', '', 'life') })
    const post = async (path: string, status: number) =>
      assert.equal((await host.call('POST', `/life${path}`)).status, status, path)
    await post('/inc', 200)
    await post('/raise', 500)
    await post('/die', 504)
    assert.deepEqual(await numbers(host, 'life', 'n'), { '': 3 })
    await host.write({
      'life/init.lua': counting('metrics.counter("n", { help = "Now." })', '1.0.1', '', 'life'),
    })
    await host.admin('POST', '/life/reload')
    await host.approveAll()
    await post('/inc', 200)
    assert.deepEqual(await numbers(host, 'life', 'n'), { '': 4 })
    const failing = counting('metrics.gauge("n")', '1.0.2', 'm:set(77) error("not today")', 'life')
    await host.write({ 'life/init.lua': failing })
    await host.send('POST', '/api/v1/admin/plugins/life/reload', { headers: host.credentials })
    assert.deepEqual(await numbers(host, 'life', 'n'), { '': 4 }, 'it never served')
    await host.write({ 'life/init.lua': counting('metrics.gauge("n")', '1.0.3', 'm:set(9)', 'life') })
    await host.admin('POST', '/life/reload')
    await host.approveAll()
    assert.deepEqual(await numbers(host, 'life', 'n'), { '': 9 })
    assert.equal((await read(host)).metrics.get('modulacms_plugin_life__n')?.type, 'gauge')
    await post('/set', 200)
    assert.deepEqual(await numbers(host, 'life', 'n'), { '': 2.5 })
    await host.admin('POST', '/life/disable')
    assert.deepEqual(await own(host, 'life'), [])
    await host.admin('POST', '/life/enable')
    assert.deepEqual(await numbers(host, 'life', 'n'), { '': 9 })
  })
})

const refused: readonly (readonly [string, RegExp])[] = [
  ['metrics.counter("__proto__")', /invalid name "__proto__"/],
  ['metrics.counter("Orders")', /invalid name/],
  ['metrics.counter("a__b")', /invalid name/],
  ['metrics.counter("a_")', /invalid name/],
  ['metrics.counter("9")', /invalid name/],
  ['metrics.counter("")', /invalid name/],
  ['metrics.counter()', /invalid name/],
  ['metrics.counter("a\\n")', /invalid name/],
  ['metrics.counter("a{x=1}")', /invalid name/],
  ['metrics.counter("é")', /invalid name/],
  ['metrics.counter("\\xff")', /invalid name/],
  ['metrics.counter(string.rep("a", 65))', /64 characters at most/],
  ['metrics.counter("a") metrics.gauge("a")', /the metric a is declared already/],
  ['metrics.histogram("a") metrics.counter("a_count")', /lines of one name/],
  ['metrics.counter("a_bucket") metrics.histogram("a")', /lines of one name/],
  ['metrics.counter("a", { labels = { "le" } })', /the label le is reserved/],
  ['metrics.counter("a", { labels = { "plugin" } })', /the label plugin is reserved/],
  ['metrics.counter("a", { labels = { "__name__" } })', /invalid label/],
  ['metrics.counter("a", { labels = { "b", "b" } })', /there twice/],
  ['metrics.counter("a", { labels = { "a", "b", "c", "d", "e", "f" } })', /too many labels: 6; 5/],
  ['metrics.counter("a", { labels = "b" })', /labels must be a list/],
  ['metrics.counter("a", { labels = { 1 } })', /invalid label/],
  ['metrics.counter("a", { buckets = { 1 } })', /unknown option "buckets"/],
  ['metrics.counter("a", "help")', /options must be a table/],
  ['metrics.counter("a", { help = {} })', /help must be a string/],
  ['metrics.counter("a", { help = string.rep("é", 129) })', /help is too long: 258 bytes; 256/],
  ['metrics.histogram("a", { buckets = {} })', /buckets has 0 bounds/],
  ['metrics.histogram("a", { buckets = { 2, 1 } })', /finite numbers that rise/],
  ['metrics.histogram("a", { buckets = { 1, 1 } })', /finite numbers that rise/],
  ['metrics.histogram("a", { buckets = { 0/0 } })', /finite numbers that rise/],
  ['metrics.histogram("a", { buckets = { 1/0 } })', /finite numbers that rise/],
  ['metrics.histogram("a", { buckets = { "1" } })', /finite numbers that rise/],
  [
    'local b = {} for i = 1, 21 do b[i] = i end metrics.histogram("a", { buckets = b })',
    /21 bounds; 1 to 20/,
  ],
  ['for i = 1, 51 do metrics.counter("a" .. i) end', /maximum metric limit reached: a plugin may have 50/],
  ['metrics.counter("a"):inc()', /metrics\.inc is not allowed at module scope/],
]

describe('hostile metrics', () => {
  const server = useHost({
    plugins: {
      ...Object.fromEntries(refused.map(([code], at) => [`p${at}/init.lua`, plugin(`p${at}`, `\n${code}`)])),
      'odd/init.lua': plugin(
        'odd',
        `${open}
local c = metrics.counter("c_total", { labels = { "value" } })
local g = metrics.gauge("g", { labels = { "value" } })
local h = metrics.histogram("h", { labels = { "value" } })
local plain = metrics.counter("plain_total")
http.handle("POST", "/values", function(req)
  for _, value in ipairs({ "a\\nb", 'q"q', "b\\\\n", "n\\0n", "\\xff\\xfe", "__proto__", "\\r", string.rep("x", 1000000) }) do
    c:inc(1, { value = value })
    g:set(1, { value = value })
    h:observe(1, { value = value })
  end
  return {}
end, public)
http.handle("POST", "/amounts", function(req)
  for _, n in ipairs({ 0/0, 1/0, -1/0, -1, math.mininteger }) do
    plain:inc(n)
    h:observe(n, { value = "never" })
  end
  plain:inc(math.maxinteger)
  plain:inc(0)
  return {}
end, public)
http.handle("POST", "/many", function(req)
  local from = tonumber(req.body)
  for i = from, from + 9999 do c:inc(1, { value = "v" .. i }) end
  return {}
end, public)
http.handle("POST", "/misuse", function(req)
  local proxy = setmetatable({}, { __index = function() return "x" end, __pairs = function() error("no") end })
  local tries = {
    function() c:inc("1") end, function() c:inc({}) end, function() c.inc(1) end, function() c.inc(g, 1) end,
    function() c:inc(1, "x") end, function() c:inc(1, { value = {} }) end, function() c:inc(1, { other = 1 }) end,
    function() c:inc(1, { "x" }) end, function() c:inc(1, { [c] = 1 }) end, function() h:observe() end,
    function() g:set() end, function() c:set(1) end, function() c.inc = nil end, function() metrics.counter("late") end,
    function() metrics._inc(0, 1) end, function() c:inc(1, { value = print }) end,
  }
  local said = {}
  for i, try in ipairs(tries) do
    local ok, message = pcall(try)
    said[i] = ok and "NOTHING" or tostring(message)
  end
  c:inc(1, proxy)
  return { json = said }
end, public)
`,
      ),
    },
    config: { plugin_executors: 2, plugin_timeout: 30 },
  })
  const clean = (text: PrometheusText) =>
    text.samples('modulacms_plugin_odd__c_total').map(({ labels }) => labels.value)

  it('cannot leave their labels, whatever bytes these have', async () => {
    const host = server()
    assert.equal((await host.call('POST', '/odd/values')).status, 200)
    const text = await read(host)
    assert.deepEqual(clean(text), [
      'a\nb',
      'q"q',
      'b\\n',
      'n\ufffdn',
      '\ufffd\ufffd',
      '__proto__',
      '\ufffd',
      'other',
    ])
    assert.equal(text.samples('modulacms_plugin_odd__g').length, 7, 'a gauge has no series for the rest')
    assert.equal(text.samples('modulacms_plugin_odd__h_count').length, 8)
    assert.equal(await dropped(host, 'odd', 'label_bytes'), 3)
  })

  it('count nothing that is no number or goes down', async () => {
    const host = server()
    assert.equal((await host.call('POST', '/odd/amounts')).status, 200)
    assert.deepEqual(await numbers(host, 'odd', 'plain_total'), { '': 2 ** 63 })
    assert.equal((await numbers(host, 'odd', 'h_count')).never, undefined)
    assert.equal(await dropped(host, 'odd', 'not_finite'), 6)
    assert.equal(await dropped(host, 'odd', 'negative'), 4)
  })

  it('raise for misuse with the line of the plugin, and change nothing then', async () => {
    const host = server()
    const before = await numbers(host, 'odd', 'c_total')
    const answer = await host.call('POST', '/odd/misuse')
    assert.equal(answer.status, 200, answer.text)
    const said = answer.json<string[]>()
    const expected = [
      /^odd\/init\.lua:\d+: counter c_total:inc: a number is expected, not a string$/,
      /a number is expected, not a table/,
      /call it with a colon: counter c_total:inc/,
      /call it with a colon/,
      /the labels must be a table such as/,
      /the label "value" must be a string, a number or a boolean, not a table/,
      /unknown label "other"/,
      /unknown label that is a number/,
      /unknown label that is a table/,
      /histogram h:observe: a number is expected, not a nil/,
      /gauge g:set: a number is expected/,
      /nil value \(method 'set'\)/,
      /cannot modify frozen/,
      /metrics\.counter must be called at module scope/,
      /nil value \(field '_inc'\)/,
      /not a function/,
    ]
    assert.equal(said.length, expected.length)
    for (const [at, pattern] of expected.entries()) assert.match(said[at] ?? '', pattern)
    for (const text of said) assert.match(text, /init\.lua:\d+:/)
    assert.deepEqual(await numbers(host, 'odd', 'c_total'), { ...before, '': 1 }, 'metamethods are not asked')
  })

  it('are bounded when labels are made up without end, and lose no count', async () => {
    const host = server()
    const before = Object.values(await numbers(host, 'odd', 'c_total')).reduce((sum, value) => sum + value, 0)
    for (let from = 0; from < 100_000; from += 10_000) {
      assert.equal((await host.call('POST', '/odd/many', { body: String(from) })).status, 200)
    }
    const after = await numbers(host, 'odd', 'c_total')
    assert.ok(Object.keys(after).length <= ownMetricLimits.linesMax + 1, String(Object.keys(after).length))
    assert.equal(
      Object.values(after).reduce((sum, value) => sum + value, 0),
      before + 100_000,
    )
    assert.ok((await dropped(host, 'odd', 'series')) >= 99_000)
  })

  for (const [at, [code, message]] of refused.entries()) {
    it(`cannot be declared: ${code}`, () => {
      const failed = server().host.status().failed
      const reason = failed.find(({ name }) => name === `p${at}`)?.reason ?? 'it runs'
      assert.match(reason, message)
      assert.match(reason, new RegExp(`p${at}/init\\.lua:3:`))
    })
  }
})

it('what was measured does not depend on the thread that measured', async (t) => {
  const host = await startHost(t, {
    plugins: { 'shop/init.lua': counting('metrics.counter("n")') },
    config: { plugin_executors: 2, plugin_timeout: 1, plugin_max_failures: 1000 },
    softLimits: false,
  })
  for (let round = 0; round < 3; round += 1) assert.equal((await host.call('POST', '/shop/inc')).status, 200)
  assert.equal((await host.call('POST', '/shop/die')).status, 504)
  assert.ok(((await read(host)).value('plugin_hard_stops_total', { plugin: 'shop' }) ?? 0) >= 1)
  assert.equal((await host.call('POST', '/shop/inc')).status, 200)
  assert.deepEqual(await numbers(host, 'shop', 'n'), { '': 4 })
})
