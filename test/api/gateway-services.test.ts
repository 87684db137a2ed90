import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it, type TestContext } from 'node:test'
import { plugin, type TestHost, useHost } from '../helpers/create-host.js'
import { install } from '../helpers/installed-plugins.js'
import { until } from '../helpers/until.js'

const counter = (name: string, version = '1.0.0') =>
  plugin(
    name,
    `
local options = { limit = 40, window = "31d" }
http.handle("POST", "/take", function()
  local allowed = gateway.rate_limit("shared", options)
  return { status = allowed and 200 or 429 }
end, { public = true })
http.handle("GET", "/state", function()
  local _, state = gateway.rate_limit("shared", options)
  return { json = state }
end, { public = true })
hooks.on("before_create", "content_data", function(row)
  if not gateway.rate_limit("writes", { limit = 2, window = "1h" }) then error("too many writes") end
end)
gateway.on_request(function(req)
  local allowed, state = gateway.rate_limit("stage", { limit = 3, window = "1h" })
  if allowed then return end
  return { status = 429, headers = { ["retry-after"] = tostring(state.retry_after) }, json = state }
end, { paths = { "/api/v1/plugins/${name}/staged" }, timeout_ms = 5000 })
http.handle("GET", "/staged", function() return { json = true } end, { public = true })
kv.listen("jobs", function(message)
  kv.set({ "done", message.value.n }, (gateway.rate_limit("jobs", { limit = 1, window = "1h" })))
end)
http.handle("POST", "/enqueue", function()
  for n = 1, 2 do kv.enqueue({ n = n }, { queue = "jobs" }) end
  return { status = 202 }
end, { public = true })
`,
    version,
  )

/** Sends so many requests, a few at once, and counts their statuses. */
async function statusesOf(
  count: number,
  send: () => Promise<{ status: number }>,
): Promise<Record<number, number>> {
  const counts: Record<number, number> = {}
  let left = count
  const lane = async () => {
    while (left-- > 0) {
      const { status } = await send()
      counts[status] = (counts[status] ?? 0) + 1
    }
  }
  await Promise.all(Array.from({ length: 4 }, lane))
  return counts
}

/** Where it matters which executor a call comes to. */
const wide = useHost({
  plugins: {},
  config: { plugin_executors: 3, plugin_max_vms: 6, plugin_hook_reserve_vms: 0 },
})
const folder = mkdtempSync(join(tmpdir(), 'modulacms-services-'))
writeFileSync(join(folder, 'index.html'), '<html><head></head><body>shell</body></html>')
after(() => rmSync(folder, { recursive: true, force: true }))
const plain = useHost({
  plugins: {},
  config: { 'gateway.shellDir': folder, 'gateway.shellExcludes': 'cpanel' },
})

describe('limits of plugins', () => {
  it('hold exactly over all executors and VMs, and each plugin has its own', async (t) => {
    const server = wide()
    await install(t, server, { 'shop/init.lua': counter('shop'), 'spy/init.lua': counter('spy') })
    for (const name of ['shop', 'spy']) {
      const counts = await statusesOf(80, () => server.call('POST', `/${name}/take`))
      const { 200: allowed = 0, 429: refused = 0, 503: unknown = 0 } = counts
      assert.equal(allowed + refused + unknown, 80, JSON.stringify(counts))
      assert.ok(refused > 30, JSON.stringify(counts))
      // A call that waited too long on a busy machine may have been counted.
      assert.ok(allowed <= 40 && allowed + unknown >= 40, `${name}: ${JSON.stringify(counts)}`)
    }
  })

  it('outlive a reload, and end with the plugin', async (t) => {
    const server = plain()
    await install(t, server, { 'lasting/init.lua': counter('lasting') })
    const taken = async () => {
      const { remaining } = (await server.call('GET', '/lasting/state')).json<{ remaining: number }>()
      return 40 - remaining
    }
    assert.equal(await taken(), 1)
    await server.write({ 'lasting/init.lua': `${counter('lasting')}\n-- changed` })
    await server.admin('POST', '/lasting/reload')
    await server.approveAll()
    assert.equal(await taken(), 2)
    await server.admin('POST', '/lasting/disable')
    await server.admin('POST', '/lasting/enable')
    await server.approveAll()
    assert.equal(await taken(), 1)
  })

  it('are there in stages, before writes and for messages', async (t) => {
    const server = plain()
    await install(t, server, { 'shop/init.lua': counter('shop') })
    const staged: number[] = []
    for (let n = 0; n < 5; n += 1) staged.push((await server.call('GET', '/shop/staged')).status)
    assert.deepEqual(staged, [200, 200, 200, 429, 429])
    const refused = await server.call('GET', '/shop/staged')
    assert.match(String(refused.headers['retry-after']), /^1[12]\d\d$/)

    const create = (table: string, json: unknown) =>
      server.send('POST', `/api/v1/content/${table}`, { json, headers: server.credentials })
    const schema = { type: 'object', properties: {} }
    assert.equal((await create('datatypes', { name: 'page', schema })).status, 201)
    const written: number[] = []
    for (const slug of ['a', 'b', 'c']) {
      const entry = { datatype: 'page', slug, title: slug, fields: {} }
      written.push((await create('content_data', entry)).status)
    }
    assert.deepEqual(written, [201, 201, 422])

    const enqueued = await server.call('POST', '/shop/enqueue')
    assert.equal(enqueued.status, 202, enqueued.text)
    const kv = server.host.kv.namespace('plugin:shop')
    const done = async () => [await kv.get(['done', 1]), await kv.get(['done', 2])].map(({ value }) => value)
    await until('both messages', async () => !(await done()).includes(null))
    assert.deepEqual([...(await done())].sort(), [false, true])
  })
})

const watcher = (name: string) =>
  plugin(
    name,
    `
http.handle("GET", "/log", function(req)
  local entries, err = gateway.log.query({ path = req.query.path, limit = 500 })
  return { json = { entries = entries, err = err } }
end, { public = true })
http.handle("GET", "/stats", function()
  local stats, err = gateway.stats()
  return { json = { stats = stats, err = err } }
end, { public = true })
http.handle("POST", "/shell", function(req)
  local changed, err = gateway.shell[req.json.act](req.json.basename)
  return { json = { changed = changed, err = err } }
end, { public = true })
`,
    '1.0.0',
    'gateway_access = { "log:read", "stats:read", "shell:write" }',
  )

const accessOf = (plugin: string, ...names: string[]) => ({
  json: { gateway_access: names.map((access) => ({ plugin, access })) },
})

/** Installs a watcher; of what it asks for, only the routes are approved. */
async function installWatcher(t: TestContext, server: TestHost, name: string): Promise<void> {
  const { plugins } = server.host
  await install(t, server, { [`${name}/init.lua`]: watcher(name) }, { approve: false })
  await plugins.approveRoutes(plugins.routes(), 'test')
}

describe('what the gateway tells plugins', () => {
  it('is told as long as an admin approves it, and without what proves who somebody is', async (t) => {
    const server = plain()
    await installWatcher(t, server, 'watcher')
    await server.send('DELETE', '/gateway/api/logs', { headers: server.credentials })
    const log = async () =>
      (await server.call('GET', '/watcher/log?path=/health')).json<{ entries?: unknown[]; err?: string }>()
    const secret = 'hunter2'
    await server.send('GET', `/health?token=${secret}`, {
      headers: { authorization: `Bearer ${secret}`, cookie: `session=${secret}`, 'x-api-key': secret },
    })
    assert.match((await log()).err ?? '', /not approved for "log:read"; ask for it with gateway_access/)
    await server.admin('POST', '/gateway-access/approve', accessOf('watcher', 'stats:read'))
    assert.match((await log()).err ?? '', /not approved/, 'another access is none')
    await server.admin('POST', '/gateway-access/approve', accessOf('watcher', 'log:read'))
    const shown = await log()
    assert.equal(shown.entries?.length, 1)
    assert.doesNotMatch(JSON.stringify(shown), new RegExp(`${secret}|token`))
    const { text } = await server.call('GET', '/watcher/stats')
    const { stats } = JSON.parse(text) as { stats: { requests: { total: number } } }
    assert.ok(stats.requests.total > 3, text)
    assert.doesNotMatch(text, /modulacms-(?:api|services)|127\.0\.0\.1/, 'neither directories nor addresses')
    await server.admin('POST', '/gateway-access/revoke', accessOf('watcher', 'log:read'))
    assert.deepEqual((await log()).entries, undefined)
    assert.match((await log()).err ?? '', /not approved/)
  })

  it('lets an approved plugin take pages from the shell and give them back, and no other one', async (t) => {
    const server = plain()
    await installWatcher(t, server, 'warden')
    const act = async (name: string, basename: string) =>
      (await server.call('POST', '/warden/shell', { json: { act: name, basename } })).json<{
        changed?: boolean
        err?: string
      }>()
    const isShell = async () => {
      const page = await server.send('GET', '/reports/all', { headers: { 'sec-fetch-dest': 'document' } })
      return page.text.includes('shell')
    }
    assert.match((await act('exclude', 'reports')).err ?? '', /not approved for "shell:write"/)
    assert.equal(await isShell(), true)
    await server.admin('POST', '/gateway-access/approve', accessOf('warden', 'shell:write'))
    assert.deepEqual(await act('exclude', 'reports'), { changed: true })
    assert.deepEqual(await act('exclude', 'reports'), { changed: false })
    assert.equal(await isShell(), false)
    for (const basename of ['', 'a/b', '..', 'a b', 'x'.repeat(129)]) {
      assert.match((await act('exclude', basename)).err ?? '', /cannot be used/, basename)
    }
    assert.deepEqual(await act('exclude', 'cpanel'), { changed: false })
    assert.match((await act('include', 'cpanel')).err ?? '', /Cannot remove/)
    assert.deepEqual(await act('include', 'reports'), { changed: true })
    assert.deepEqual(await act('include', 'reports'), { changed: false })
    assert.equal(await isShell(), true)
    await server.admin('POST', '/gateway-access/revoke', accessOf('warden', 'shell:write'))
    assert.match((await act('exclude', 'reports')).err ?? '', /not approved/)
    assert.equal(await isShell(), true)
  })

  it('says what is missing where there is no shell', async (t) => {
    const server = wide()
    await installWatcher(t, server, 'watcher')
    await server.admin('POST', '/gateway-access/approve', accessOf('watcher', 'shell:write'))
    const sending = { json: { act: 'exclude', basename: 'reports' } }
    assert.match(
      (await server.call('POST', '/watcher/shell', sending)).text,
      /no shell; an operator sets gateway\.shellDir/,
    )
  })
})

const keeper = (name: string) =>
  plugin(
    name,
    `
http.handle("POST", "/set", function(req)
  return { json = { gateway.cache.set(req.json.key, req.json.value) } }
end, { public = true })
http.handle("GET", "/get", function() return { json = { value = gateway.cache.get("k") } } end, { public = true })
`,
  )

describe('caches of plugins', () => {
  it('are one for all executors, of one plugin, and end with it', async (t) => {
    const server = wide()
    await install(t, server, { 'store/init.lua': keeper('store'), 'peer/init.lua': keeper('peer') })
    const get = async (name: string) =>
      (await server.call('GET', `/${name}/get`)).json<{ value?: unknown }>().value
    const value = { by: 'store' }
    assert.equal((await server.call('POST', '/store/set', { json: { key: 'k', value } })).status, 200)
    const seen = await Promise.all(Array.from({ length: 12 }, () => get('store')))
    assert.deepEqual(
      seen,
      Array.from({ length: 12 }, () => value),
    )
    assert.equal(await get('peer'), undefined)
    await server.admin('POST', '/peer/disable')
    assert.deepEqual(await get('store'), value)
    await server.admin('POST', '/store/disable')
    await server.admin('POST', '/store/enable')
    await server.approveAll()
    assert.equal(await get('store'), undefined)
  })
})
