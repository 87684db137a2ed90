import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import type { HostError } from '../../src/base/errors.js'
import type { ConfigProblem } from '../../src/config/problems.js'
import { plugin, startHost, type TestHost, type TestHostOptions, useHost } from '../helpers/create-host.js'

const showing =
  'http.handle("GET", "/values", function() return { json = { all = config.get() } } end, { public = true })'
const schema = (properties: string, more = '') =>
  `config_schema = { properties = { ${properties} }, ${more} },`

const filesOf = (plugins: Readonly<Record<string, string>>): TestHostOptions['plugins'] =>
  Object.fromEntries(Object.entries(plugins).map(([name, text]) => [`${name}/init.lua`, text]))

const start = (
  test: TestContext,
  plugins: Readonly<Record<string, string>>,
  sections: Readonly<Record<string, object>>,
  more: Readonly<Record<string, unknown>> = {},
): Promise<TestHost> => {
  const options: TestHostOptions = {
    plugins: filesOf(plugins),
    config: { plugins: sections, ...more },
  }
  return startHost(test, options)
}

async function refusal(starting: Promise<unknown>): Promise<HostError> {
  const thrown = await starting.then(
    () => undefined,
    (error: unknown) => error as HostError,
  )
  assert.ok(thrown, 'the host started')
  return thrown
}

const health = async (server: TestHost) => (await server.send('GET', '/health')).json<Health>()

interface Health {
  readonly status: string
  readonly version: string
  readonly edition: string
  readonly plugins: readonly string[]
}

/** Those that start, and those that are not hostile and fail all the same. */
const running = ['base', 'good', 'middle', 'moving', 'ok', 'one', 'telling', 'three', 'top', 'two']
const failing = ['raising', 'wanting', 'wants']

/** Tries all that a plugin may do with its values. */
const own = `
local at_load = config.get("greeting"):upper()
http.handle("GET", "/values", function()
  local copy = config.get("limits")
  copy.max = 99
  config.get().greeting = "changed"
  return { json = {
    at_load = at_load, all = config.get(), max = config.get("limits.max"), none = config.get("nope") == nil,
    preset = config.get("nope.deeper", 7), list = #config.get("list"), into_text = config.get("greeting.x") == nil,
    refused = select(2, pcall(function() config.get = nil end)) ~= nil, typed = pcall(config.get, 5) == false,
  } }
end, { public = true })
function on_init() if config.get("greeting") ~= "hello" then error("no values in on_init") end end`
const ownProperties =
  'greeting = { type = "string" }, limits = { properties = { max = { type = "integer", default = 3 } } }, list = { type = "array", default = {} }, key = { secret = true }'

const moving = (number: string, type: string) =>
  plugin('moving', showing, number, schema(`n = { type = "${type}" }`))

const keyProperties = 'key = { secret = true }, open = { type = "string" }'
const telling = `${showing}
function on_init() log.info("it is swordfish-1234", { key = "swordfish-1234" }) print("swordfish-1234") end
http.handle("GET", "/raise", function() error("with swordfish-1234") end, { public = true })`
const raising = `${showing}\nfunction on_init() error("with swordfish-5678 inside") end`

const hostile: Readonly<Record<string, string>> = {
  large: `config_schema = { description = string.rep("x", 10 * 1024 * 1024) },`,
  deep: `config_schema = (function() local t = {} for _ = 1, 5000 do t = { items = t } end return t end)(),`,
  wide: `config_schema = { properties = (function() local t = {} for at = 1, 5000 do t["p" .. at] = {} end return t end)() },`,
  cyclic: `config_schema = (function() local t = {} t.items = t return t end)(),`,
  calls: `config_schema = { properties = { a = { default = function() end } } },`,
  proto: `config_schema = { properties = { ["__proto__"] = { default = { polluted = true } } } },`,
  bytes: `config_schema = { title = "\\xff\\xfe" },`,
  number: `config_schema = 5,`,
  pattern: `config_schema = { properties = { a = { pattern = "^(a+)+$", default = string.rep("a", 1000) .. "!" } } },`,
  doubling: `config_schema = (function()
      local defs = { d20 = { type = "string" } }
      for at = 0, 19 do defs["d" .. at] = { allOf = { { ["$ref"] = "#/$defs/d" .. at + 1 }, { ["$ref"] = "#/$defs/d" .. at + 1 } } } end
      return { ["$defs"] = defs, properties = { a = { ["$ref"] = "#/$defs/d0" } } }
    end)(),`,
  default: `config_schema = { properties = { a = { type = "integer", default = "x" } } },`,
}

const stopping = (name: string, more: string, needs = '') =>
  plugin(name, `function on_shutdown() log.info("stops ${name}") ${more} end`, '1', needs)

const shared = useHost({
  plugins: filesOf({
    ...Object.fromEntries(
      Object.entries(hostile).map(([name, more]) => [name, plugin(name, showing, '1', more)]),
    ),
    good: plugin('good', showing),
    one: plugin('one', own, '1', schema(ownProperties, 'required = { "greeting" }')),
    two: plugin('two', showing, '1', schema('greeting = { type = "string" }')),
    three: plugin('three', showing),
    wanting: plugin('wanting', showing, '1', schema('n = { type = "integer" }', 'required = { "n" }')),
    moving: moving('1', 'integer'),
    telling: plugin('telling', telling, '1', schema(keyProperties)),
    raising: plugin('raising', raising, '1', schema(keyProperties)),
    ok: plugin('ok', `${showing}\nassert(tenants == nil)`, '1', 'requires = { "db", "config" },'),
    wants: plugin('wants', showing, '1', 'requires = { "db", "tenants" },'),
    base: stopping('base', ''),
    middle: stopping('middle', 'error("stuck")', 'dependencies = { "base" },'),
    top: stopping('top', '', 'dependencies = { "middle" },'),
  }),
  config: {
    plugins: {
      one: { greeting: 'hello', key: 'a secret key' },
      two: { greeting: 'of two' },
      moving: { n: 5 },
      telling: { key: 'swordfish-1234' },
      raising: { key: 'swordfish-5678' },
    },
  },
})

it('gives each plugin its own values, at module scope and in calls, and no other’s', async () => {
  const server = shared()
  assert.deepEqual((await server.call('GET', '/one/values')).json(), {
    at_load: 'HELLO',
    all: { greeting: 'hello', limits: { max: 3 }, list: [] },
    max: 3,
    none: true,
    preset: 7,
    list: 0,
    into_text: true,
    refused: true,
    typed: true,
  })
  assert.deepEqual((await server.call('GET', '/two/values')).json(), { all: { greeting: 'of two' } })
  assert.deepEqual((await server.call('GET', '/three/values')).json(), { all: {} })
})

it('lets a plugin of which nothing is said fail alone', async () => {
  const server = shared()
  const { failed_reason: reason } = await server.admin<{ failed_reason: string }>('GET', '/wanting')
  assert.match(reason, /plugins\.wanting\.n .*is missing; it must be an integer/)
  assert.equal((await health(server)).status, 'degraded')
  assert.equal((await server.call('GET', '/good/values')).status, 200)
})

it('refuses a reload whose schema the values do not fit, and serves on', async () => {
  const server = shared()
  await server.write({ 'moving/init.lua': moving('2', 'string') })
  await server.admin('POST', '/moving/reload', { status: 500 })
  const { failed_reason: reason } = await server.admin<{ failed_reason: string }>('GET', '/moving')
  assert.match(reason, /plugins\.moving\.n .*must be a text/)
  assert.deepEqual((await server.call('GET', '/moving/values')).json(), { all: { n: 5 } })
  await server.write({ 'moving/init.lua': moving('1', 'number') })
  await server.admin('POST', '/moving/reload')
  assert.deepEqual((await server.call('GET', '/moving/values')).json(), { all: { n: 5 } })
})

it('keeps secrets out of logs and reasons', async () => {
  const server = shared()
  assert.equal((await server.call('GET', '/telling/raise')).status, 500)
  const listed = JSON.stringify([
    await server.admin('GET', ''),
    await server.admin('GET', '/raising'),
    server.host.status(),
  ])
  assert.ok(server.lines.length > 0)
  for (const text of [JSON.stringify(server.lines), listed]) assert.ok(!text.includes('swordfish'), text)
  assert.match(JSON.stringify(server.lines), /it is \*\*\*/)
})

it('FL-19: has nil for a module that is not there, and does not load a plugin that requires it', async () => {
  const server = shared()
  const { plugins } = await health(server)
  assert.ok(plugins.includes('ok') && !plugins.includes('wants'), plugins.join())
  const failed = server.host.status().failed.find(({ name }) => name === 'wants')
  assert.match(failed?.reason ?? '', /requires names the module "tenants", which this host does not have/)
})

it('answers probes at all their paths', async () => {
  const server = shared()
  for (const path of ['/health', '/_/health', '/api/v1/health']) {
    const answer = await server.send('GET', path)
    assert.equal(answer.status, 200)
    assert.deepEqual(answer.json<Health>().plugins, running)
  }
  for (const path of ['/health/live', '/health/ready']) {
    assert.deepEqual((await server.send('GET', path)).json(), { status: 'ok' })
  }
})

it('lets hostile schemas fail alone, with a reason, and serves on', async () => {
  const server = shared()
  assert.deepEqual((await health(server)).plugins, running)
  const failed = server.host.status().failed.filter(({ name }) => !failing.includes(name))
  assert.deepEqual(failed.map(({ name }) => name).sort(), Object.keys(hostile).sort())
  for (const { name, reason } of failed) {
    assert.match(reason, /config_schema|plugin_info|plugins\.default\.a|table|deep|cycle|function/, name)
    assert.ok(reason.length < 20_000, name)
  }
  assert.equal(({} as Record<string, unknown>).polluted, undefined)
  assert.equal((await server.call('GET', '/good/values')).status, 200)
})

it('FL-18: stops all plugins in the reverse order, whatever one of them raises', async () => {
  const server = shared()
  await server.close()
  const stops = server.lines.map(({ msg }) => msg).filter((msg) => msg.startsWith('stops '))
  assert.deepEqual(stops, ['stops top', 'stops middle', 'stops base'])
  assert.ok(server.lines.some(({ msg, plugin: name }) => msg === 'on_shutdown failed' && name === 'middle'))
})

it('FL-09: refuses to start with wrong values, and names those of all plugins at once', async (test) => {
  const wanting = (name: string) =>
    plugin(
      name,
      `local x = config.get("n") + 1\n${showing}`,
      '1',
      schema('n = { type = "integer" }, key = { secret = true, minLength = 20 }', 'required = { "n" }'),
    )
  const error = await refusal(
    start(
      test,
      { one: wanting('one'), two: wanting('two'), free: plugin('free', showing) },
      { one: { n: 'x', key: 'swordfish' }, two: { m: 1 }, free: { a: 1 } },
    ),
  )
  assert.equal(error.code, 'CONFIG_INVALID')
  const problems = error.details?.problems as readonly ConfigProblem[]
  assert.deepEqual(problems.map(({ key }) => key).sort(), [
    'plugins.free.a',
    'plugins.one.key',
    'plugins.one.n',
    'plugins.two.m',
    'plugins.two.n',
  ])
  assert.ok(!error.message.includes('swordfish'), error.message)
})

it('takes out what is not enabled or not of the edition, and no order brings it back', async (test) => {
  const all = { a: plugin('a', showing), b_b: plugin('b_b', showing), c: plugin('c', showing) }
  const server = await start(
    test,
    all,
    { c: { enabled: false, nonsense: true } },
    { edition: 'small', editions: { small: ['b-b', 'c', 'absent'], large: ['a'] } },
  )
  const { status, edition, plugins, version } = await health(server)
  assert.deepEqual([status, edition, plugins], ['healthy', 'small', ['b_b']])
  assert.match(version, /^\d+\.\d+\.\d+/)
  for (const name of ['a', 'c']) {
    assert.equal((await server.call('GET', `/${name}/values`)).status, 404, name)
    for (const order of ['enable', 'reload']) {
      const answer = await server.admin<{ error: { code: string } }>('POST', `/${name}/${order}`, {
        status: 409,
      })
      assert.equal(answer.error.code, 'PLUGIN_SWITCHED_OFF')
    }
  }
  assert.equal((await server.call('GET', '/b_b/values')).status, 200)
  assert.match(server.host.status().problems.join(), /edition "small" names the plugin absent/)
  await server.restart({ config: { plugins: {} }, approve: true })
  assert.deepEqual((await health(server)).plugins, ['a', 'b_b', 'c'], 'the default edition has all')
})

it('FL-18: does not start without a plugin that is required', async (test) => {
  const sad = plugin('sad', `${showing}\nfunction on_init() error("sad " .. "reason") end`)
  const plugins = { sad, good: plugin('good', showing) }
  const error = await refusal(
    start(test, plugins, { sad: { required: true }, gone: { required: true }, good: { required: true } }),
  )
  assert.equal(error.code, 'REQUIRED_PLUGIN_FAILED')
  assert.match(error.message, /sad: on_init failed: .*sad reason/s)
  assert.match(error.message, /gone: it is not in the plugin directory/)
  assert.ok(!error.message.includes('good'), error.message)

  const server = await start(test, plugins, {})
  assert.equal((await health(server)).status, 'degraded')
  assert.deepEqual((await health(server)).plugins, ['good'])
})

it('FL-18: answers 503 for the approved routes of a plugin that fails at a start, and 404 for all others', async (test) => {
  const more = 'http.handle("GET", "/unapproved", function() return {} end, { public = true })'
  const server = await start(test, { a: plugin('a', showing) }, {})
  await server.write({ 'a/init.lua': plugin('a', `${showing}\n${more}\nfunction on_init() error("no") end`) })
  await server.restart({ approve: false })
  assert.equal((await health(server)).status, 'degraded')
  const answer = await server.call('GET', '/a/values')
  assert.deepEqual(
    [answer.status, answer.json<{ error: { code: string } }>().error.code],
    [503, 'PLUGIN_UNAVAILABLE'],
  )
  for (const path of ['/a/unapproved', '/a/nothing'])
    assert.equal((await server.call('GET', path)).status, 404)
  await server.restart({ approve: false, config: { plugins: { a: { enabled: false } } } })
  assert.equal((await server.call('GET', '/a/values')).status, 404, 'switched off is not failed')
})
