import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { plugin, type TestHost, useHost } from '../helpers/create-host.js'
import { install } from '../helpers/installed-plugins.js'
import { until } from '../helpers/until.js'

/** Guards of one host, each in front of a plugin of its own. */

const host = useHost({
  plugins: {},
  hotReload: { debounceMs: 20, cooldownMs: 0 },
  config: { 'gateway.stage.timeout': '40ms', 'gateway.stage.failures': 2, 'gateway.stage.reset': '3s' },
})

/** What is asked of most guards is whether they are run, on a machine that may have little time for them. */
const patient = 'timeout_ms = 5000'

interface GuardText {
  readonly body?: string
  readonly options?: string
  readonly version?: string
  readonly more?: string
}

/** The plugin `<app>_guard`, whose stage answers for the plugin that it guards. */
class Guard {
  readonly server: TestHost
  readonly name: string
  readonly key: string
  readonly #app: string

  constructor(app: string) {
    this.server = host()
    this.#app = app
    this.name = `${app}_guard`
    this.key = `on_request * /api/v1/plugins/${app}/**`
  }

  text({ body = 'return { status = 403 }', options = patient, version, more = '' }: GuardText = {}): string {
    const paths = `paths = { "/api/v1/plugins/${this.#app}/**" }`
    const stage = `gateway.on_request(function(req) ${body} end, { ${paths}, ${options} })`
    return plugin(this.name, `${stage}\n${more}`, version)
  }

  call(path = `/${this.#app}/ok`) {
    return this.server.call('GET', path)
  }

  async status(): Promise<number> {
    return (await this.call()).status
  }

  write(text: string): Promise<void> {
    return this.server.write({ [`${this.name}/init.lua`]: text })
  }

  order(what: 'reload' | 'disable' | 'enable') {
    return this.server.admin('POST', `/${this.name}/${what}`)
  }

  async decide(verb: 'approve' | 'revoke'): Promise<void> {
    const stages = [{ plugin: this.name, stage: this.key }]
    await this.server.admin('POST', `/stages/${verb}`, { json: { stages } })
  }

  async listed() {
    return (await pipelineOf(this.server)).filter((stage) => stage.plugin === this.name)
  }

  /** Sends requests from four clients, each a moment after its last answer, while something is done; gives how often each status was answered. */
  async underLoad(work: () => Promise<unknown>): Promise<Map<number, number>> {
    const counts = new Map<number, number>()
    let isOver = false
    const client = async () => {
      while (!isOver) {
        const answered = await this.status()
        counts.set(answered, (counts.get(answered) ?? 0) + 1)
        // So that what is done under load is not done by a thread that has time for nothing else.
        await pause(10)
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
}

type Listed = Readonly<Record<string, unknown>>

async function pipelineOf(server: TestHost): Promise<readonly Listed[]> {
  const answer = await server.send('GET', '/gateway/api/pipeline', { headers: server.credentials })
  return answer.json<readonly Listed[]>()
}

function answering(app: string): string {
  return plugin(app, 'http.handle("GET", "/ok", function() return { body = "open" } end, { public = true })')
}

/** Installs a plugin and its guard, and approves both. */
async function startGuard(t: TestContext, app: string, text: GuardText = {}): Promise<Guard> {
  const guard = new Guard(app)
  await install(t, guard.server, {
    [`${app}/init.lua`]: answering(app),
    [`${guard.name}/init.lua`]: guard.text(text),
  })
  return guard
}

it('stands from its approval to its revocation, and while its plugin is not disabled', async (t) => {
  const guard = new Guard('shop')
  await install(t, guard.server, { 'shop/init.lua': answering('shop') })
  await install(t, guard.server, { [`${guard.name}/init.lua`]: guard.text() }, { approve: false })
  assert.equal(await guard.status(), 200, 'nothing is approved by itself')
  const counts = await guard.underLoad(async () => {
    for (let round = 0; round < 5; round += 1) {
      await guard.decide('approve')
      assert.equal(await guard.status(), 403)
      await guard.decide('revoke')
      assert.equal(await guard.status(), 200)
    }
  })
  assert.deepEqual(
    [...counts.keys()].filter((each) => each !== 200 && each !== 403),
    [],
  )
  await guard.decide('approve')
  await guard.order('disable')
  assert.equal(await guard.status(), 200, 'an admin who disables a plugin wants its guard gone')
  await guard.order('enable')
  assert.equal(await guard.status(), 403)
})

it('lets nobody past while it is reloaded, broken, mended and renamed', async (t) => {
  const guard = await startGuard(t, 'news')
  const answer = (body: string) => `return { status = 403, body = "${body}" }`
  const versions = [
    [guard.text({ body: answer('2') }), true],
    ['this is no Lua', false],
    [guard.text({ body: answer('3'), options: `${patient}, name = "other"` }), true],
    [guard.text({ body: answer('4'), more: 'error("while it is loaded")' }), false],
    [guard.text({ body: answer('5'), options: 'name = "third", timeout_ms = 3000' }), true],
    [guard.text({ body: answer('6'), more: 'function on_init() error("no") end' }), false],
    [guard.text({ body: answer('7') }), true],
  ] as const
  const counts = await guard.underLoad(async () => {
    for (const [text, isGood] of versions) {
      await guard.write(text)
      await until('it is tried', async () => {
        const { failed_reason: reason } = await guard.server.admin('GET', `/${guard.name}`)
        if (!isGood) return reason !== undefined
        return text.includes(`"${(await guard.call()).text}"`)
      })
    }
  })
  assert.equal((await guard.call()).text, '7')
  assert.equal(counts.get(200), undefined, 'no request came past the guard')
  assert.equal(counts.get(503), undefined, 'and none was lost')
  assert.ok((counts.get(403) ?? 0) > 20)
})

it('asks again when it comes to fail open', async (t) => {
  const guard = await startGuard(t, 'desk')
  await guard.write(guard.text({ body: 'error("no")', options: `${patient}, fail = "open"` }))
  await guard.order('reload')
  const asked = guard.server.host.plugins.stages().filter(({ plugin_name: name }) => name === guard.name)
  assert.deepEqual(
    asked.map(({ stage, approved }) => [stage, approved]),
    [[`${guard.key} fail=open`, false]],
  )
})

it('stays shut when its folder is taken away, also while its on_shutdown runs', async (t) => {
  const slow = 'function on_shutdown() local n = 0 for i = 1, 3e6 do n = n + i end end'
  const guard = await startGuard(t, 'bank', { more: slow })
  const counts = await guard.underLoad(async () => {
    await guard.server.remove(guard.name)
    await until('it is gone', () =>
      guard.server.lines.some(
        ({ msg, plugin: name }) => msg === 'plugin was taken out of service' && name === guard.name,
      ),
    )
    assert.equal(await guard.status(), 503)
    await guard.write(guard.text())
    await until('it is back', async () => (await guard.status()) === 403)
  })
  assert.equal(counts.get(200), undefined)
})

it('is given the time of the configuration unless it asks for another', async (t) => {
  const busy = 'local n = 0 for i = 1, 1e9 do n = n + i end'
  const guard = await startGuard(t, 'mill', { body: busy, options: '' })
  await install(t, guard.server, {
    'quick/init.lua': plugin(
      'quick',
      'http.handle("GET", "/ok", function() return { body = "q" } end, { public = true })\ngateway.on_request(function() return nil end, { paths = { "/api/v1/plugins/quick/**" }, timeout_ms = 700 })',
    ),
  })
  assert.equal(await guard.status(), 503)
  const times = (await pipelineOf(guard.server))
    .filter((stage) => stage.plugin === guard.name || stage.plugin === 'quick')
    .map((stage) => stage.timeout_ms)
  assert.deepEqual(times.sort(), [40, 700])
  assert.equal((await guard.server.call('GET', '/quick/ok')).text, 'q')
})

it('is paused after its failures, tells so, and is tried by one request after the pause', async (t) => {
  const guard = await startGuard(t, 'club', {
    body: 'if kv.get({ "broken" }).value then error("broken") end',
    options: `${patient}, name = "door"`,
    more: `
      http.handle("POST", "/break", function() kv.set({ "broken" }, true) end, { public = true })
      http.handle("POST", "/mend", function() kv.delete({ "broken" }) end, { public = true })`,
  })
  const { server, name } = guard
  assert.equal(await guard.status(), 200)
  await server.call('POST', `/${name}/break`)
  for (let at = 0; at < 4; at += 1) assert.equal(await guard.status(), 503, 'paused or not, it fails closed')
  const door = async () =>
    (await pipelineOf(server)).find(({ name: listed }) => listed === `plugin:${name}/door`)
  assert.notEqual((await door())?.breaker, 'closed')
  const health = (await server.send('GET', '/health')).json<{ status: string; checks: { stages: unknown } }>()
  assert.deepEqual([health.status, health.checks.stages], ['degraded', { paused: 1, held: 0 }])
  const metrics = await server.send('GET', '/metrics', { headers: server.credentials })
  const runs = (status: string, count: string) =>
    new RegExp(`plugin_stage_runs_total\\{plugin="${name}",stage="door",status="${status}"\\} ${count}`)
  assert.match(metrics.text, runs('paused', '[12]'))
  assert.match(metrics.text, runs('failed', '[2-4]'))
  assert.ok(server.lines.some(({ msg, stage }) => stage === 'door' && /is paused/.test(msg)))
  await server.call('POST', `/${name}/mend`)
  await until('the probe has closed the breaker', async () => (await guard.status()) === 200)
  assert.equal((await door())?.breaker, 'closed')
  assert.equal((await server.send('GET', '/health')).json<{ status: string }>().status, 'ok')
  assert.ok(server.lines.some(({ msg, stage }) => stage === 'door' && /runs again/.test(msg)))
})

it('keeps shut what it guarded after restarts: until it starts, or is approved or revoked, unless it fails open', async (t) => {
  const broken = await startGuard(t, 'vault')
  const open = await startGuard(t, 'park', { options: `${patient}, fail = "open"` })
  const changed = await startGuard(t, 'safe')
  const { server } = broken
  assert.deepEqual([await broken.status(), await open.status(), await changed.status()], [403, 403, 403])

  await changed.write(changed.text({ body: 'return { status = 402 }', version: '2.0.0' }))
  const updated = await changed.underLoad(async () => {
    await changed.order('reload')
    assert.equal(await changed.status(), 503, 'code that nobody has approved does not run')
  })
  assert.equal(updated.get(200), undefined)
  assert.equal(updated.get(402), undefined)
  assert.ok(
    server.lines.some(
      ({ msg, stages }) => /wait for a new approval/.test(msg) && String(stages) === changed.key,
    ),
  )

  await broken.write('this is no Lua')
  await open.write('this is no Lua')
  await server.write({ 'never/init.lua': plugin('never', 'error("no")') })
  t.after(() => server.remove('never'))
  await server.restart({ approve: false })

  const refused = await broken.call()
  assert.equal(refused.status, 503)
  assert.equal(refused.json<{ code: string }>().code, 'GATEWAY_STAGE_UNAVAILABLE')
  assert.doesNotMatch(refused.text, /init\.lua|syntax/)
  // What servers behind may read as the same path is shut as well.
  for (const spelling of ['//vault/ok', '/vault%2fok', '/vault;x/ok']) {
    assert.equal((await broken.call(spelling)).status, 503, spelling)
  }
  const heldOf = async () =>
    (await pipelineOf(server)).filter((stage) => 'held' in stage).map((stage) => [stage.plugin, stage.held])
  assert.deepEqual((await heldOf()).sort(), [
    [changed.name, 'waiting'],
    [broken.name, 'failed'],
  ])
  const health = await server.send('GET', '/health')
  const { status: word, checks } = health.json<{ status: string; checks: { stages: unknown } }>()
  assert.equal(word, 'degraded')
  assert.deepEqual(checks.stages, { paused: 0, held: 2 })
  assert.equal(await open.status(), 200)
  assert.equal(await changed.status(), 503)

  // Mended, it goes on with the approval that it has.
  await broken.write(broken.text())
  const counts = await broken.underLoad(() => broken.order('reload'))
  assert.equal(counts.get(200), undefined)
  assert.equal(await broken.status(), 403)

  await changed.decide('approve')
  assert.equal(await changed.status(), 402)
  await changed.write(changed.text({ body: 'return { status = 401 }', version: '3.0.0' }))
  await changed.order('reload')
  assert.equal(await changed.status(), 503)
  await changed.decide('revoke')
  assert.equal(await changed.status(), 200)

  await broken.write('this is no Lua')
  await server.restart({ approve: true })
  assert.equal(await changed.status(), 401)
  assert.equal(await broken.status(), 503)
  await broken.decide('revoke')
  assert.equal(await broken.status(), 200, 'who revokes the stage opens what it guarded')
})
