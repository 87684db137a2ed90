import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { plugin, startHost, type TestHost, type TestHostOptions } from '../helpers/create-host.js'
import { createFolder } from '../helpers/shell-world.js'
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

describe('limits of plugins', () => {
  it('hold exactly over all executors and VMs, and each plugin has its own', async (t) => {
    const server = await startHost(t, {
      plugins: { 'shop/init.lua': counter('shop'), 'spy/init.lua': counter('spy') },
      config: { plugin_executors: 3, plugin_max_vms: 6, plugin_hook_reserve_vms: 0 },
    })
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
    const server = await startHost(t, { plugins: { 'shop/init.lua': counter('shop') } })
    const taken = async () => {
      const { remaining } = (await server.call('GET', '/shop/state')).json<{ remaining: number }>()
      return 40 - remaining
    }
    assert.equal(await taken(), 1)
    await server.write({ 'shop/init.lua': `${counter('shop')}\n-- changed` })
    await server.admin('POST', '/shop/reload')
    await server.approveAll()
    assert.equal(await taken(), 2)
    await server.admin('POST', '/shop/disable')
    await server.admin('POST', '/shop/enable')
    await server.approveAll()
    assert.equal(await taken(), 1)
  })

  it('are there in stages, before writes and for messages', async (t) => {
    const server = await startHost(t, { plugins: { 'shop/init.lua': counter('shop') } })
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

const watcher = plugin(
  'watcher',
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

const accessOf = (...names: string[]) => ({
  json: { gateway_access: names.map((access) => ({ plugin: 'watcher', access })) },
})

async function startWatcher(t: TestContext, more: Partial<TestHostOptions> = {}): Promise<TestHost> {
  const server = await startHost(t, { plugins: { 'watcher/init.lua': watcher }, approve: false, ...more })
  await server.host.plugins.approveRoutes(server.host.plugins.routes(), 'test')
  return server
}

describe('what the gateway tells plugins', () => {
  it('is told as long as an admin approves it, and without what proves who somebody is', async (t) => {
    const server = await startWatcher(t)
    const log = async () =>
      (await server.call('GET', '/watcher/log?path=/health')).json<{ entries?: unknown[]; err?: string }>()
    const secret = 'hunter2'
    await server.send('GET', `/health?token=${secret}`, {
      headers: { authorization: `Bearer ${secret}`, cookie: `session=${secret}`, 'x-api-key': secret },
    })
    assert.match((await log()).err ?? '', /not approved for "log:read"; ask for it with gateway_access/)
    await server.admin('POST', '/gateway-access/approve', accessOf('stats:read'))
    assert.match((await log()).err ?? '', /not approved/, 'another access is none')
    await server.admin('POST', '/gateway-access/approve', accessOf('log:read'))
    const shown = await log()
    assert.equal(shown.entries?.length, 1)
    assert.doesNotMatch(JSON.stringify(shown), new RegExp(`${secret}|token`))
    const { text } = await server.call('GET', '/watcher/stats')
    const { stats } = JSON.parse(text) as { stats: { requests: { total: number } } }
    assert.ok(stats.requests.total > 3, text)
    assert.doesNotMatch(text, /modulacms-api|127\.0\.0\.1/, 'neither directories nor addresses')
    await server.admin('POST', '/gateway-access/revoke', accessOf('log:read'))
    assert.deepEqual((await log()).entries, undefined)
    assert.match((await log()).err ?? '', /not approved/)
  })

  it('lets an approved plugin take pages from the shell and give them back, and no other one', async (t) => {
    const folder = createFolder(t, { 'shell/index.html': '<html><head></head><body>shell</body></html>' })
    const server = await startWatcher(t, {
      config: { 'gateway.shellDir': join(folder, 'shell'), 'gateway.shellExcludes': 'cpanel' },
    })
    const act = async (name: string, basename: string) =>
      (await server.call('POST', '/watcher/shell', { json: { act: name, basename } })).json<{
        changed?: boolean
        err?: string
      }>()
    const isShell = async () => {
      const page = await server.send('GET', '/reports/all', { headers: { 'sec-fetch-dest': 'document' } })
      return page.text.includes('shell')
    }
    assert.match((await act('exclude', 'reports')).err ?? '', /not approved for "shell:write"/)
    assert.equal(await isShell(), true)
    await server.admin('POST', '/gateway-access/approve', accessOf('shell:write'))
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
    await server.admin('POST', '/gateway-access/revoke', accessOf('shell:write'))
    assert.match((await act('exclude', 'reports')).err ?? '', /not approved/)
    assert.equal(await isShell(), true)
  })

  it('says what is missing where there is no shell', async (t) => {
    const server = await startWatcher(t)
    await server.admin('POST', '/gateway-access/approve', accessOf('shell:write'))
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
    const server = await startHost(t, {
      plugins: { 'shop/init.lua': keeper('shop'), 'spy/init.lua': keeper('spy') },
      config: { plugin_executors: 2, plugin_max_vms: 4, plugin_hook_reserve_vms: 0 },
    })
    const get = async (name: string) =>
      (await server.call('GET', `/${name}/get`)).json<{ value?: unknown }>().value
    const value = { by: 'shop' }
    assert.equal((await server.call('POST', '/shop/set', { json: { key: 'k', value } })).status, 200)
    const seen = await Promise.all(Array.from({ length: 12 }, () => get('shop')))
    assert.deepEqual(
      seen,
      Array.from({ length: 12 }, () => value),
    )
    assert.equal(await get('spy'), undefined)
    await server.admin('POST', '/spy/disable')
    assert.deepEqual(await get('shop'), value)
    await server.admin('POST', '/shop/disable')
    await server.admin('POST', '/shop/enable')
    await server.approveAll()
    assert.equal(await get('shop'), undefined)
  })
})
