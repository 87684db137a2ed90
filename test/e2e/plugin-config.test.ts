import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createWorkplace } from '../helpers/server-process.js'

const tokens = `plugin_info = {
  name = "worker_token", version = "1.0.0", description = "test",
  config_schema = {
    properties = {
      secret = { type = "string", secret = true, minLength = 8 },
      ttl = { type = "string", format = "duration", default = "30d" },
    },
    required = { "secret" },
  },
}
http.handle("GET", "/ttl", function() return { json = { ttl = config.get("ttl") } } end, { public = true })
function on_init() print("starts with " .. config.get("ttl")) end
`
const sections = (section: object, more: object = {}) =>
  JSON.stringify({
    plugin_enabled: true,
    plugin_directory: './own',
    plugins: { 'worker-token': section },
    ...more,
  })

const address = ['--port', '0']

it('FL-08, FL-09: names all that is wrong with host and plugins at once, opens no port, and ends with 7; the check says the same', async (test) => {
  const place = await createWorkplace(test)
  await place.write({
    'own/worker_token/init.lua': tokens,
    'config.json': sections(
      { secret: `\${WORKER_TOKEN_SECRET}`, tll: '1h' },
      { plugin_max_vms: 0, plugins_directory: 'x' },
    ),
  })
  const served = await place.run(['serve', ...address])
  assert.equal(served.code, 7, served.err)
  assert.equal(served.out, '')
  for (const expected of [
    /The configuration has 4 problems/,
    /plugin_max_vms = 0/,
    /plugins_directory = "x"/,
    /plugins\.worker-token\.secret \(config\.json line 1\): names the environment variable WORKER_TOKEN_SECRET, which is not set/,
    /plugins\.worker-token\.tll .*did you mean ttl\?/,
  ]) {
    assert.match(served.err, expected)
  }
  const checked = await place.run(['config', 'check'])
  assert.equal(checked.code, 7)
  assert.equal(checked.err.replace('error: ', ''), served.err.replace('modulacms: ', ''))
  const { out, code } = await place.run(['config', 'check', '--json'])
  assert.equal(code, 7)
  const report = JSON.parse(out)
  assert.deepEqual([report.valid, report.problems.length], [false, 4])
})

it('FL-08: takes values of the environment over those of the file, and prints no secret', async (test) => {
  const place = await createWorkplace(test)
  await place.write({
    'own/worker_token/init.lua': tokens,
    'config.json': sections({ secret: `\${WORKER_TOKEN_SECRET}`, ttl: '1h' }),
  })
  const environment = {
    WORKER_TOKEN_SECRET: 'swordfish-in-the-environment',
    MODULACMS__PLUGINS__Worker_Token__TTL: '2m',
  }
  const valid = await place.run(['config', 'check', 'config.json'], environment)
  assert.deepEqual([valid.code, valid.out], [0, 'valid: config.json (1 plugin)\n'], valid.err)
  const server = await place.serve([], environment)
  const health = await (await fetch(`${server.url}/_/health`)).json()
  assert.deepEqual((health as { plugins: string[] }).plugins, ['worker_token'])
  server.process.kill('SIGTERM')
  const { out, err } = await server.ended
  assert.match(err, /starts with 120000/)
  for (const text of [out, err, valid.out, valid.err]) assert.ok(!text.includes('swordfish'))
})

it('ends with 1 when a required plugin does not start, and names why', async (test) => {
  const place = await createWorkplace(test)
  const sad =
    'plugin_info = { name = "sad", version = "1", description = "t" }\nfunction on_init() error("so sad") end\n'
  await place.write({
    'own/sad/init.lua': sad,
    'config.json': JSON.stringify({
      plugin_enabled: true,
      plugin_directory: './own',
      plugins: { sad: { required: true } },
    }),
  })
  const { code, out, err } = await place.run(['serve', ...address])
  assert.deepEqual([code, out], [1, ''])
  assert.match(err, /does not start without these plugins.*\n.*sad: on_init failed: .*so sad/)
})

it('warns of what is said of plugins that are not there', async (test) => {
  const place = await createWorkplace(test)
  await place.write({
    'own/worker_token/init.lua': tokens,
    'config.json': sections(
      { enabled: false },
      { plugins: { worker_tokn: {}, worker_token: { enabled: false } } },
    ),
  })
  const { code, err } = await place.run(['config', 'check'])
  assert.equal(code, 0, err)
  assert.match(
    err,
    /WARN plugins\.worker_tokn \(config\.json line 1\) configures a plugin that is not in the plugin directory/,
  )
})
