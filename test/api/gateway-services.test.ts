import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { plugin, startHost } from '../helpers/create-host.js'
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
end, { paths = { "/api/v1/plugins/${name}/staged" } })
http.handle("GET", "/staged", function() return { json = true } end, { public = true })
kv.listen("jobs", function(message)
  kv.set({ "done", message.n }, (gateway.rate_limit("jobs", { limit = 1, window = "1h" })))
end)
http.handle("POST", "/enqueue", function()
  for n = 1, 2 do kv.enqueue("jobs", { n = n }) end
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
    const staged = await statusesOf(5, () => server.call('GET', '/shop/staged'))
    assert.deepEqual(staged, { 200: 3, 429: 2 })
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

    assert.ok((await server.call('POST', '/shop/enqueue')).status < 300)
    const kv = server.host.kv.namespace('plugin:shop')
    const done = async () => [await kv.get(['done', 1]), await kv.get(['done', 2])].map(({ value }) => value)
    await until('both messages', async () => !(await done()).includes(null))
    assert.deepEqual([...(await done())].sort(), [false, true])
  })
})
