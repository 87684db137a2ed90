import assert from 'node:assert/strict'
import { it } from 'node:test'
import { plugin, type TestHost, useHost } from '../helpers/create-host.js'
import { install, uninstall } from '../helpers/installed-plugins.js'
import { until } from '../helpers/until.js'

const answering = (answer: string) =>
  `http.handle("GET", "/ok", function() return { body = "${answer}" } end, { public = true })`

interface Details {
  readonly state: string
  readonly failed_reason?: string
  readonly hot_reload?: string
  readonly generation: number
  readonly version: string
}

const details = (server: TestHost, name: string) => server.admin<Details>('GET', `/${name}`)
const text = async (server: TestHost, path: string) => (await server.call('GET', path)).text

const good = answering('ok')
const shared = useHost({
  config: { plugin_max_instructions: 20_000_000 },
  plugins: {
    'a_good/init.lua': plugin('a_good', good, '1', 'dependencies = { "z_base" },'),
    'z_base/init.lua': plugin('z_base', good),
    'bad_init/init.lua': plugin('bad_init', `${good}\nfunction on_init() error("database is sad") end`),
    'slow_init/init.lua': plugin('slow_init', `${good}\nfunction on_init() while true do end end`),
    'needs_bad/init.lua': plugin('needs_bad', good, '1', 'dependencies = { "bad_init" },'),
    'needs_absent/init.lua': plugin('needs_absent', good, '1', 'dependencies = { "absent" },'),
    'ring_a/init.lua': plugin('ring_a', good, '1', 'dependencies = { "ring_b" },'),
    'ring_b/init.lua': plugin('ring_b', good, '1', 'dependencies = { "ring_a" },'),
    'syntax/init.lua': 'plugin_info = {',
    'early_db/init.lua': plugin('early_db', `${good}\ndb.query("x")`),
    'no_manifest/init.lua': good,
    'empty/readme.txt': 'not a plugin',
  },
})

it('fails a plugin alone for its on_init, its syntax, its module scope, its manifest or its dependencies', async () => {
  const server = shared()
  const { plugins } = await server.admin<{ plugins: { name: string; state: string }[] }>('GET', '')
  const running = plugins.filter(({ state }) => state === 'running').map(({ name }) => name)
  assert.deepEqual(running.sort(), ['a_good', 'z_base'])
  for (const name of ['a_good', 'z_base']) assert.equal(await text(server, `/${name}/ok`), 'ok')
  const reasons: readonly (readonly [string, RegExp])[] = [
    ['bad_init', /^on_init failed.*database is sad/s],
    ['slow_init', /^on_init failed/],
    ['needs_bad', /"bad_init" is not running/],
    ['needs_absent', /absent/],
    ['ring_a', /circular dependency/],
    ['ring_b', /circular dependency/],
    ['syntax', /init\.lua:\d+/],
    ['early_db', /init\.lua/],
    ['no_manifest', /plugin_info/],
  ]
  for (const [name, reason] of reasons) {
    const { state, failed_reason: failed = '' } = await details(server, name)
    assert.equal(state, 'failed', name)
    assert.match(failed, reason, name)
  }
  assert.ok(!plugins.some(({ name }) => name === 'empty'))
  const health = (await server.send('GET', '/health')).json()
  assert.equal(health.status, 'degraded')
})

it('runs on_init once a generation, whatever the number of VMs, and on_shutdown when it is disabled', async (test) => {
  const body = `
function on_init()
  db.define_table("starts", { columns = { { name = "what", type = "text" } } })
  db.insert("starts", { what = "init" })
end
function on_shutdown() db.insert("starts", { what = "shutdown" }) end
http.handle("GET", "/starts", function()
  return { json = { init = db.count("starts", { where = { what = "init" } }), shutdown = db.count("starts", { where = { what = "shutdown" } }) } }
end, { public = true })`
  const server = shared()
  await install(test, server, { 'counter/init.lua': plugin('counter', body) })
  const counts = async () => (await server.call('GET', '/counter/starts')).json()
  for (let call = 0; call < 8; call += 1) assert.deepEqual(await counts(), { init: 1, shutdown: 0 })
  await server.admin('POST', '/counter/reload')
  assert.deepEqual(await counts(), { init: 2, shutdown: 0 })
  await server.admin('POST', '/counter/disable')
  await server.admin('POST', '/counter/disable')
  await server.admin('POST', '/counter/enable')
  assert.deepEqual(await counts(), { init: 3, shutdown: 1 })
})

it('keeps a plugin disabled over a restart, and only it', async (test) => {
  const server = shared()
  await install(test, server, {
    'one/init.lua': plugin('one', answering('1')),
    'two/init.lua': plugin('two', answering('2')),
  })
  await server.admin('POST', '/one/disable')
  await server.restart({ approve: false })
  assert.equal((await details(server, 'one')).state, 'stopped')
  assert.equal(await text(server, '/two/ok'), '2', 'approvals outlive a restart')
  await server.admin('POST', '/one/reload', { status: 409 })
  await server.admin('POST', '/one/enable')
  assert.equal(await text(server, '/one/ok'), '1', 'with the approvals that it had')
})

it('reloads under load, broken edits included, without failing a request', async (test) => {
  const server = shared()
  await install(test, server, { 'swap/init.lua': plugin('swap', answering('0')) })
  const failures = new Map<string, number>()
  let answered = 0
  let isOver = false
  const clients = Array.from({ length: 50 }, async () => {
    while (!isOver) {
      const answer = await server.call('GET', '/swap/ok')
      if (answer.status === 200) {
        answered += 1
        continue
      }
      const failure = answer.text.replace(/"request_id":"[^"]*"/, '')
      failures.set(failure, (failures.get(failure) ?? 0) + 1)
    }
  })
  const first = (await details(server, 'swap')).generation
  for (let reload = 1; reload <= 50; reload += 1) {
    if (reload % 10 === 0) {
      await server.write({ 'swap/init.lua': 'this is no Lua' })
      await server.admin('POST', '/swap/reload', { status: 500 })
      assert.equal(await text(server, '/swap/ok'), String(reload - 1), 'a broken edit changes nothing')
    }
    await server.write({ 'swap/init.lua': plugin('swap', answering(String(reload))) })
    await server.admin('POST', '/swap/reload')
    assert.equal(await text(server, '/swap/ok'), String(reload), 'a reload is live when it is answered')
  }
  isOver = true
  await Promise.all(clients)
  assert.deepEqual([...failures], [], `beside ${answered} answers`)
  assert.ok(answered > 500)
  assert.notEqual((await details(server, 'swap')).generation, first)
})

it('keeps the old generation when the edited one is broken, and shows why to admins only', async (test) => {
  const server = shared()
  await install(test, server, { 'edit/init.lua': plugin('edit', answering('old')) })
  const { generation } = await details(server, 'edit')
  const broken = [
    'this is no Lua',
    plugin('edit', `${answering('new')}\nfunction on_init() error("lost my keys") end`),
    plugin('edit', `${answering('new')}\n${answering('new')}`),
    plugin('renamed', answering('new')),
    plugin('edit', answering('new'), '1', 'dependencies = { "absent" },'),
  ]
  for (const source of broken) {
    await server.write({ 'edit/init.lua': source })
    const failure = await server.admin('POST', '/edit/reload', { status: 500 })
    assert.doesNotMatch(JSON.stringify(failure), /keys|Lua|init\.lua/)
    assert.equal(await text(server, '/edit/ok'), 'old')
    const now = await details(server, 'edit')
    assert.equal(now.state, 'running')
    assert.equal(now.generation, generation)
    assert.ok(now.failed_reason)
  }
  await server.write({ 'edit/init.lua': plugin('edit', answering('mended')) })
  await server.admin('POST', '/edit/reload')
  assert.equal(await text(server, '/edit/ok'), 'mended')
  assert.equal((await details(server, 'edit')).failed_reason, undefined)
})

it('lets a request that runs finish on the generation it began with', async (test) => {
  const slow = (answer: string, turns: number) =>
    `http.handle("GET", "/slow", function() for _ = 1, ${turns} do end return { body = "${answer}" } end, { public = true })`
  const server = shared()
  await install(test, server, { 'slow/init.lua': plugin('slow', slow('old', 10_000_000)) })
  let isAnswered = false
  const before = server.call('GET', '/slow/slow').finally(() => {
    isAnswered = true
  })
  await until('it runs', async () => {
    const vms = await server.admin<{ vms_available: number; vms_total: number }>('GET', '/slow')
    return isAnswered || vms.vms_available < vms.vms_total
  })
  await server.write({ 'slow/init.lua': plugin('slow', slow('new', 1)) })
  await server.admin('POST', '/slow/reload')
  assert.equal((await before).text, 'old')
  assert.equal(await text(server, '/slow/slow'), 'new')
})

it('finds a folder that was added while it ran, and answers 404 for one that is not there', async (test) => {
  const server = shared()
  test.after(async () => {
    await uninstall(server, ['added'])
    await server.remove('some-folder')
  })
  await server.admin('POST', '/added/reload', { status: 404 })
  await server.write({ 'some-folder/init.lua': plugin('added', answering('new')) })
  await server.admin('POST', '/added/reload')
  assert.equal(
    (await server.call('GET', '/added/ok')).code,
    'ROUTE_NOT_FOUND',
    'nothing is approved by itself',
  )
  await server.approveAll()
  assert.equal(await text(server, '/added/ok'), 'new')
})

it('does not watch unless it is told to', async () => {
  assert.equal((await details(shared(), 'a_good')).hot_reload, undefined)
})
