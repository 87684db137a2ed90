import assert from 'node:assert/strict'
import { it } from 'node:test'
import { plugin, startHost, type TestHost } from '../helpers/create-host.js'
import { until } from '../helpers/until.js'

const key = 'on_request * /api/v1/plugins/app/**'
const paths = '{ "/api/v1/plugins/app/**" }'
const app = { 'app/init.lua': plugin('app', answering()) }

function answering(): string {
  return 'http.handle("GET", "/ok", function() return { body = "open" } end, { public = true })'
}

/** Text of a plugin whose stage answers 403 for all requests of the plugin `app`. */
function guard(body = 'return { status = 403 }', options = '', version = '1.0.0', more = ''): string {
  const stage = `gateway.on_request(function(req) ${body} end, { paths = ${paths} ${options} })`
  return plugin('guard', `${stage}\n${more}`, version)
}

const status = async (server: TestHost) => (await server.call('GET', '/app/ok')).status

async function decide(server: TestHost, verb: 'approve' | 'revoke', stage = key): Promise<void> {
  await server.admin('POST', `/stages/${verb}`, { json: { stages: [{ plugin: 'guard', stage }] } })
}

/** Sends requests from four clients while something is done; gives how often each status was answered. */
async function underLoad(server: TestHost, work: () => Promise<unknown>): Promise<Map<number, number>> {
  const counts = new Map<number, number>()
  let isOver = false
  const client = async () => {
    while (!isOver) {
      const { status: answered } = await server.call('GET', '/app/ok')
      counts.set(answered, (counts.get(answered) ?? 0) + 1)
    }
  }
  const clients = Array.from({ length: 4 }, client)
  try {
    await work()
  } finally {
    isOver = true
    await Promise.all(clients)
  }
  return counts
}

async function pipelineOf(server: TestHost): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const answer = await server.send('GET', '/gateway/api/pipeline', { headers: server.credentials })
  return answer.json<readonly Readonly<Record<string, unknown>>[]>()
}

it('stands from its approval to its revocation, and while its plugin is not disabled', async (t) => {
  const server = await startHost(t, { plugins: app })
  // What is asked here is whether it is run, on a machine that may have little time for it.
  await server.write({ 'guard/init.lua': guard('return { status = 403 }', ', timeout_ms = 5000') })
  await server.admin('POST', '/guard/reload')
  assert.equal(await status(server), 200, 'nothing is approved by itself')
  const counts = await underLoad(server, async () => {
    for (let round = 0; round < 5; round += 1) {
      await decide(server, 'approve')
      assert.equal(await status(server), 403)
      await decide(server, 'revoke')
      assert.equal(await status(server), 200)
    }
  })
  assert.deepEqual(
    [...counts.keys()].filter((each) => each !== 200 && each !== 403),
    [],
  )
  await decide(server, 'approve')
  await server.admin('POST', '/guard/disable')
  assert.equal(await status(server), 200, 'an admin who disables a plugin wants its guard gone')
  await server.admin('POST', '/guard/enable')
  assert.equal(await status(server), 403)
})

it('lets nobody past while it is reloaded, broken, mended and renamed', async (t) => {
  const server = await startHost(t, {
    plugins: { ...app, 'guard/init.lua': guard() },
    hotReload: { debounceMs: 20, cooldownMs: 0 },
  })
  const versions = [
    [guard('return { status = 403, body = "2" }'), true],
    ['this is no Lua', false],
    [guard('return { status = 403, body = "3" }', ', name = "other"'), true],
    [guard('return { status = 403, body = "4" }', '', '1.0.0', 'error("while it is loaded")'), false],
    [guard('return { status = 403, body = "5" }', ', name = "third", timeout_ms = 3000'), true],
    [guard('return { status = 403, body = "6" }', '', '1.0.0', 'function on_init() error("no") end'), false],
    [guard('return { status = 403, body = "7" }'), true],
  ] as const
  const counts = await underLoad(server, async () => {
    for (const [text, isGood] of versions) {
      await server.write({ 'guard/init.lua': text })
      await until('it is tried', async () => {
        const { failed_reason: reason } = await server.admin('GET', '/guard')
        if (!isGood) return reason !== undefined
        return text.includes(`"${(await server.call('GET', '/app/ok')).text}"`)
      })
    }
  })
  assert.equal((await server.call('GET', '/app/ok')).text, '7')
  assert.equal(counts.get(200), undefined, 'no request came past the guard')
  assert.equal(counts.get(503), undefined, 'and none was lost')
  assert.ok((counts.get(403) ?? 0) > 20)
})

it('keeps shut what it guarded when its plugin does not start, unless it fails open', async (t) => {
  const server = await startHost(t, { plugins: { ...app, 'guard/init.lua': guard() } })
  assert.equal(await status(server), 403)
  await server.write({ 'guard/init.lua': 'this is no Lua' })
  await server.restart({ approve: false })
  const refused = await server.call('GET', '/app/ok')
  assert.equal(refused.status, 503)
  assert.equal(refused.json<{ code: string }>().code, 'GATEWAY_STAGE_UNAVAILABLE')
  assert.doesNotMatch(refused.text, /init\.lua|syntax/)
  // What servers behind may read as the same path is shut as well.
  for (const spelling of ['//app/ok', '/app%2fok', '/app;x/ok']) {
    assert.equal((await server.call('GET', spelling)).status, 503, spelling)
  }
  const held = (await pipelineOf(server)).find(({ plugin: name }) => name === 'guard')
  assert.equal(held?.held, 'failed')
  const health = await server.send('GET', '/health')
  const { status: word, checks } = health.json<{ status: string; checks: { stages: unknown } }>()
  assert.equal(word, 'degraded')
  assert.deepEqual(checks.stages, { paused: 0, held: 1 })
  // Mended, it goes on with the approval that it has.
  await server.write({ 'guard/init.lua': guard() })
  const counts = await underLoad(server, () => server.admin('POST', '/guard/reload'))
  assert.equal(counts.get(200), undefined)
  assert.equal(await status(server), 403)
  await server.write({ 'guard/init.lua': 'this is no Lua' })
  await server.restart()
  await decide(server, 'revoke')
  assert.equal(await status(server), 200, 'who revokes the stage opens what it guarded')
})

it('does not keep shut what a stage that fails open, or a plugin that was never approved, is registered for', async (t) => {
  const server = await startHost(t, {
    plugins: { ...app, 'guard/init.lua': guard('return { status = 403 }', ', fail = "open"') },
  })
  assert.equal(await status(server), 403)
  await server.write({ 'guard/init.lua': 'this is no Lua', 'never/init.lua': plugin('never', 'error("no")') })
  await server.restart({ approve: false })
  assert.equal(await status(server), 200)
  assert.ok(!(await pipelineOf(server)).some((stage) => 'held' in stage))
})

it('keeps shut what it guarded until its new version is approved or revoked, also after a restart', async (t) => {
  const server = await startHost(t, { plugins: { ...app, 'guard/init.lua': guard() } })
  await server.write({ 'guard/init.lua': guard('return { status = 402 }', '', '2.0.0') })
  const counts = await underLoad(server, async () => {
    await server.admin('POST', '/guard/reload')
    assert.equal(await status(server), 503, 'code that nobody has approved does not run')
  })
  assert.equal(counts.get(200), undefined)
  assert.equal(counts.get(402), undefined)
  assert.ok(
    server.lines.some(({ msg, stages }) => /wait for a new approval/.test(msg) && String(stages) === key),
  )
  await server.restart({ approve: false })
  assert.equal(await status(server), 503)
  assert.equal((await pipelineOf(server)).find(({ plugin: name }) => name === 'guard')?.held, 'waiting')
  await decide(server, 'approve')
  assert.equal(await status(server), 402)
  await server.write({ 'guard/init.lua': guard('return { status = 401 }', '', '3.0.0') })
  await server.admin('POST', '/guard/reload')
  assert.equal(await status(server), 503)
  await decide(server, 'revoke')
  assert.equal(await status(server), 200)
  await server.restart({ approve: true })
  assert.equal(await status(server), 401)
})

it('asks again when it comes to fail open', async (t) => {
  const server = await startHost(t, { plugins: { ...app, 'guard/init.lua': guard() } })
  await server.write({ 'guard/init.lua': guard('error("no")', ', fail = "open"') })
  await server.admin('POST', '/guard/reload')
  const asked = server.host.plugins.stages().map(({ stage, approved }) => [stage, approved])
  assert.deepEqual(asked, [[`${key} fail=open`, false]])
})

it('stays shut when its folder is taken away, also while its on_shutdown runs', async (t) => {
  const slow = 'function on_shutdown() local n = 0 for i = 1, 3e6 do n = n + i end end'
  const server = await startHost(t, {
    plugins: { ...app, 'guard/init.lua': guard('return { status = 403 }', '', '1.0.0', slow) },
    hotReload: { debounceMs: 20, cooldownMs: 0 },
  })
  const counts = await underLoad(server, async () => {
    await server.remove('guard')
    await until('it is gone', () => server.lines.some(({ msg }) => msg === 'plugin was taken out of service'))
    assert.equal(await status(server), 503)
    await server.write({ 'guard/init.lua': guard() })
    await until('it is back', async () => (await status(server)) === 403)
  })
  assert.equal(counts.get(200), undefined)
})

it('is given the time of the configuration unless it asks for another', async (t) => {
  const busy = 'local n = 0 for i = 1, 1e9 do n = n + i end'
  const server = await startHost(t, {
    plugins: {
      ...app,
      'guard/init.lua': guard(busy),
      'quick/init.lua': plugin(
        'quick',
        'http.handle("GET", "/ok", function() return { body = "q" } end, { public = true })\ngateway.on_request(function() return nil end, { paths = { "/api/v1/plugins/quick/**" }, timeout_ms = 700 })',
      ),
    },
    config: { 'gateway.stage.timeout': '40ms', 'gateway.stage.failures': 1000 },
  })
  assert.equal(await status(server), 503)
  const times = (await pipelineOf(server))
    .filter((stage) => 'timeout_ms' in stage)
    .map((stage) => stage.timeout_ms)
  assert.deepEqual(times.sort(), [40, 700])
  assert.equal((await server.call('GET', '/quick/ok')).text, 'q')
})

it('is paused after its failures, tells so, and is tried by one request after the pause', async (t) => {
  const body = 'if kv.get({ "broken" }).value then error("broken") end'
  const toggles = `
    http.handle("POST", "/break", function() kv.set({ "broken" }, true) end, { public = true })
    http.handle("POST", "/mend", function() kv.delete({ "broken" }) end, { public = true })`
  const server = await startHost(t, {
    plugins: { ...app, 'guard/init.lua': guard(body, ', name = "door"', '1.0.0', toggles) },
    config: { 'gateway.stage.failures': 2, 'gateway.stage.reset': '3s' },
  })
  assert.equal(await status(server), 200)
  await server.call('POST', '/guard/break')
  for (let at = 0; at < 4; at += 1) assert.equal(await status(server), 503, 'paused or not, it fails closed')
  const door = async () => (await pipelineOf(server)).find(({ name }) => name === 'plugin:guard/door')
  assert.notEqual((await door())?.breaker, 'closed')
  const health = (await server.send('GET', '/health')).json<{ status: string; checks: { stages: unknown } }>()
  assert.deepEqual([health.status, health.checks.stages], ['degraded', { paused: 1, held: 0 }])
  const metrics = await server.send('GET', '/metrics', { headers: server.credentials })
  assert.match(metrics.text, /plugin_stage_runs_total\{plugin="guard",stage="door",status="paused"\} [12]/)
  assert.match(metrics.text, /plugin_stage_runs_total\{plugin="guard",stage="door",status="failed"\} [2-4]/)
  assert.ok(server.lines.some(({ msg, stage }) => stage === 'door' && /is paused/.test(msg)))
  await server.call('POST', '/guard/mend')
  await until('the probe has closed the breaker', async () => (await status(server)) === 200)
  assert.equal((await door())?.breaker, 'closed')
  assert.equal((await server.send('GET', '/health')).json<{ status: string }>().status, 'healthy')
  assert.ok(server.lines.some(({ msg, stage }) => stage === 'door' && /runs again/.test(msg)))
})
