import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { plugin, type TestHost, useHost } from '../helpers/create-host.js'
import { asVisitor } from '../helpers/embedded-hooks.js'
import { install } from '../helpers/installed-plugins.js'
import { until } from '../helpers/until.js'

/** A table that a plugin writes to from its after-hooks, and a route that shows it. */
const notebook = [
  'local function open() db.define_table("seen", { columns = { { name = "note", type = "text" } } }) end',
  'function on_init() open() end',
  'function note(text) local _, err = db.insert("seen", { note = text }); if err then error(err) end end',
  'http.handle("GET", "/seen", function()',
  '  local out = json.array({})',
  '  for _, row in ipairs(db.query("seen", { order_by = "created_at" })) do out[#out + 1] = row.note end',
  '  return { json = out }',
  'end, { public = true })',
].join('\n')

async function notes(host: TestHost, name: string): Promise<readonly string[]> {
  const answer = await host.call('GET', `/${name}/seen`)
  assert.equal(answer.status, 200, answer.text)
  return answer.json<string[]>()
}

describe('hooks after a write', () => {
  const shared = useHost({
    plugins: {},
    hooks: true,
    config: { plugin_max_instructions: 20_000_000, plugin_hook_max_concurrent_after: 3 },
  })

  it('run with the database, once for each handler, with the row and its request', async (t) => {
    const body = `${notebook}
      hooks.on("after_update", "articles", function(data)
        note(table.concat({ data._event, data._table, data.title, data._old.title, data._actor, data._attempt }, " "))
      end)
      hooks.on("after_update", "articles", function(data) note("second " .. type(data._delivery)) end)
      hooks.on("after_update", "*", function(data) note("every " .. data._table) end)
    `
    const host = shared()
    await install(t, host, { 'first/init.lua': plugin('first', body) })
    const row = { title: 'new' }
    const options = { ...asVisitor, old: { title: 'old' } }
    assert.equal(await host.host.hooks.run('after_update', 'articles', row, options), row)
    await until('three hooks have run', async () => (await notes(host, 'first')).length === 3)
    assert.deepEqual([...(await notes(host, 'first'))].sort(), [
      'after_update articles new old ann 1',
      'every articles',
      'second string',
    ])
    await until(
      'nothing is owed',
      async () =>
        (await host.admin<{ deliveries: [] }>('GET', '/hooks/deliveries?plugin=first')).deliveries.length ===
        0,
    )
  })

  it('are tried again after an error, and given up for an operator after too many', async (t) => {
    const body = `${notebook}
      hooks.on("after_create", "flaky", function(data)
        if data._attempt < 2 then error("not yet") end
        note("made at " .. data._attempt)
      end)
      hooks.on("after_create", "greedy", function(data)
        for i = 1, 200 do db.count("seen") end
      end)
    `
    const host = shared()
    await install(t, host, { 'tried/init.lua': plugin('tried', body) })
    await host.host.hooks.run('after_create', 'flaky', {})
    await until('it was made', async () => (await notes(host, 'tried')).includes('made at 2'))
    await host.host.hooks.run('after_create', 'greedy', {})
    interface Page {
      deliveries: { id: string; state: string; error: string; attempts: number; table: string }[]
    }
    const owed = await until('it has failed once', async () => {
      const { deliveries } = await host.admin<Page>('GET', '/hooks/deliveries?state=pending&plugin=tried')
      return deliveries.find(({ attempts, table }) => table === 'greedy' && attempts > 0)
    })
    assert.match(owed.error, /operation|ops/i)
    await host.admin('POST', `/hooks/deliveries/${owed.id}/retry`)
    await host.admin('GET', '/hooks/deliveries?state=lost', { status: 400 })
    await host.admin('POST', '/hooks/deliveries/999999/retry', { status: 404 })
    await until('it is discarded', async () => {
      const answer = await host.send('DELETE', `/api/v1/admin/plugins/hooks/deliveries/${owed.id}`, {
        headers: host.credentials,
      })
      return answer.status === 200
    })
    const { deliveries } = await host.admin<Page>('GET', '/hooks/deliveries?plugin=tried')
    assert.deepEqual(deliveries, [])
  })

  it('wait for a plugin that is disabled, over a restart', async (t) => {
    const body = `${notebook}
      hooks.on("after_create", "x", function(data) if data.fail and data._attempt == 1 then error("later") end note(data.name) end)
    `
    const host = shared()
    await install(t, host, { 'waiting/init.lua': plugin('waiting', body) })
    await host.host.hooks.run('after_create', 'x', { name: 'one', fail: true })
    await until('it has failed', () => host.lines.some(({ msg }) => msg.includes('is tried again')))
    await host.host.plugins.disable('waiting', 'test')
    // Nobody is told of what is written while the plugin does not run.
    await host.host.hooks.run('after_create', 'x', { name: 'two' })
    await host.restart()
    const { deliveries } = await host.admin<{ deliveries: unknown[] }>(
      'GET',
      '/hooks/deliveries?plugin=waiting',
    )
    assert.equal(deliveries.length, 1)
    await host.host.plugins.enable('waiting', 'test')
    await host.approveAll()
    await until('it is made', async () => (await notes(host, 'waiting')).includes('one'))
    assert.deepEqual(await notes(host, 'waiting'), ['one'])
  })

  it('of a slow plugin hold up neither its routes nor other plugins', async (t) => {
    const slow = `${notebook}
      hooks.on("after_create", "slow", function() while true do end end)
    `
    const quick = `${notebook}
      hooks.on("after_create", "slow", function(data) note(tostring(data.n)) end)
    `
    const host = shared()
    await install(t, host, {
      'slow/init.lua': plugin('slow', slow),
      'quick/init.lua': plugin('quick', quick),
    })
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => host.host.hooks.run('after_create', 'slow', { n })),
    )
    // A machine that is busy beyond its cores may let a single request wait too long.
    const seen = await until('the quick one is through', async () => {
      const answer = await host.call('GET', '/quick/seen')
      return answer.status === 200 && answer.json<string[]>().length >= 20
        ? answer.json<string[]>()
        : undefined
    })
    assert.equal(new Set(seen).size, 20)
    const { deliveries } = await host.admin<{ deliveries: { plugin: string }[] }>('GET', '/hooks/deliveries')
    assert.deepEqual([...new Set(deliveries.map((delivery) => delivery.plugin))], ['slow'])
  })
})
