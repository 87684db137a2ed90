import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { plugin, type TestHost, useHost } from '../helpers/create-host.js'
import { install } from '../helpers/installed-plugins.js'
import { until } from '../helpers/until.js'

const watcher = plugin(
  'watcher',
  `function on_init() db.define_table("seen", { columns = { { name = "what", type = "json" } } }) end
hooks.on("after_create", "host_actions", function(data)
  local _, err = db.insert("seen", { what = json.encode(data) })
  if err then error(err) end
end)
hooks.on("after_create", "*", function(data)
  db.insert("seen", { what = json.encode({ everything = data._table }) })
end)
http.handle("GET", "/seen", function()
  local out = json.array({})
  for _, row in ipairs(db.query("seen", { order_by = "id", limit = 1000 })) do out[#out + 1] = json.decode(row.what) end
  return { json = out }
end, { public = true })
http.handle("POST", "/act", function(req)
  hooks.record("door.open", { identity = req.identity, resource_id = 7, details = { note = "by hand" }, client_ip = req.client_ip })
  return { status = 204 }
end)
http.handle("POST", "/wrong", function(req)
  local ok, err = pcall(hooks.record, req.json.action, req.json.fields)
  return { json = { ok = ok, err = tostring(err) } }
end, { public = true })`,
)

const other = plugin('other', 'http.handle("GET", "/", function() return { status = 204 } end)')

interface Seen {
  readonly action: string
  readonly outcome: string
  readonly actor_kind: string
  readonly actor_id: string
  readonly resource_type: string
  readonly resource_id?: string
  readonly details: Readonly<Record<string, unknown>>
  readonly client_ip: string
  readonly request_id: string
  readonly everything?: string
}

async function seenBy(host: TestHost): Promise<readonly Seen[]> {
  return (await host.call('GET', '/watcher/seen')).json<Seen[]>()
}

const seen = (host: TestHost, action: string): Promise<Seen> =>
  until(`${action} was seen`, async () => (await seenBy(host)).find((each) => each.action === action))

describe('what is done in the administration', () => {
  const server = useHost({
    plugins: { 'watcher/init.lua': watcher, 'other/init.lua': other },
    approve: false,
  })

  it('is kept nowhere while nobody waits for it', async () => {
    const host = server()
    await host.admin('POST', '/watcher/reload')
    const { deliveries } = await host.admin<{ deliveries: unknown[] }>('GET', '/hooks/deliveries')
    assert.deepEqual(deliveries, [])
    await host.approveAll()
  })

  it('reaches the hooks for host_actions, and nobody else', async () => {
    const host = server()
    await host.admin('POST', '/other/reload')
    const reload = await seen(host, 'plugin.reload')
    assert.deepEqual(
      [reload.outcome, reload.actor_kind, reload.actor_id, reload.resource_type, reload.resource_id],
      ['success', 'service', 'admin', 'plugin', 'other'],
    )
    assert.equal(reload.client_ip, '127.0.0.1')
    assert.notEqual(reload.request_id, '')

    await host.admin('POST', '/nobody/enable', { status: 404 })
    const enable = await seen(host, 'plugin.enable')
    assert.deepEqual([enable.outcome, enable.details], ['failure', { code: 'PLUGIN_NOT_FOUND' }])

    const headers = host.credentials
    const json = {
      pattern: '/x/**',
      target: 'https://example.com',
      headers: { authorization: 'Bearer of-a-rule' },
    }
    await host.send('POST', '/redirects/api/rules', { headers, json })
    const rule = await seen(host, 'proxy_rule.create')
    assert.equal(rule.resource_type, 'proxy_rule')
    await host.send('DELETE', '/keyval/api/queue/dlq', { headers })
    assert.deepEqual((await seen(host, 'kv_dead_letter.purge')).resource_type, 'kv_dead_letter')

    const all = await seenBy(host)
    assert.deepEqual(
      all.filter(({ everything }) => everything !== undefined),
      [],
      'hooks for all tables see nothing',
    )
    const text = JSON.stringify(all)
    assert.ok(
      !text.includes('of-a-rule') && !text.includes(host.host.adminToken.token),
      'no credential is recorded',
    )
  })

  it('comes from plugins as well, under their name', async () => {
    const host = server()
    await host.call('POST', '/watcher/act', { headers: host.credentials })
    const open = await seen(host, 'watcher.door.open')
    assert.deepEqual(
      [open.actor_id, open.resource_type, open.resource_id, open.details],
      ['admin', 'door', '7', { note: 'by hand', plugin: 'watcher' }],
    )
    for (const [json, text] of [
      [{ action: 'plugin' }, 'lower-case words'],
      [{ action: '../x' }, 'lower-case words'],
      [{ action: 'a.b', fields: { who: 1 } }, 'has no field "who"'],
      [{ action: 'a.b', fields: { details: { x: 'x'.repeat(40_000) } } }, 'the limit is 32768'],
      [{ action: 'a.b', fields: [1] }, 'a table with names'],
    ] as const) {
      const answer = await host.call('POST', '/watcher/wrong', { json })
      const { ok, err } = answer.json<{ ok: boolean; err: string }>()
      assert.ok(!ok && err.includes(text), err)
    }
  })

  it('cannot be forged by a plugin with a name that actions of the host begin with', async (t) => {
    const forger = plugin(
      'hook',
      `http.handle("POST", "/", function(req)
  hooks.record("breaker.reset", { identity = { type = "service", id = "admin" }, details = req.json })
  return { status = 204 }
end, { public = true })`,
    )
    const host = server()
    await install(t, host, { 'hook/init.lua': forger })
    let deep: unknown = 1
    for (let level = 0; level < 61; level += 1) deep = [deep]
    for (const json of [{ plugin: 'host' }, { deep }]) await host.call('POST', '/hook/', { json })
    const forged = await until('both were seen', async () => {
      const all = (await seenBy(host)).filter(({ action }) => action.includes('breaker.reset'))
      return all.length === 2 ? all : undefined
    })
    assert.deepEqual(
      forged.map(({ action, details }) => [action, details.plugin]),
      [
        ['plugins.hook.breaker.reset', 'hook'],
        ['plugins.hook.breaker.reset', 'hook'],
      ],
    )
    assert.match(JSON.stringify(forged.map(({ details }) => details)), /levels/)
  })

  it('arrives whatever somebody has called themselves', async () => {
    const host = server()
    const odd = 'a\ud800\u0000\u202e\n\udc00'
    const row = { action: 'session.open', actor_name: odd, details: { username: odd } }
    await host.host.hooks.run('after_create', 'host_actions', row)
    await seen(host, 'session.open')
  })

  it('can only be noted: no hook stands in front of it', async () => {
    const before = plugin(
      'before',
      'hooks.on("before_create", "host_actions", function() return { deny = "no" } end)',
    )
    const host = server()
    await host.write({ 'before/init.lua': before })
    await host.admin('POST', '/before/reload', { status: 500 })
    const { failed_reason: reason } = await host.admin<{ failed_reason: string }>('GET', '/before')
    assert.match(reason, /before_create never happens to host_actions/)
    await host.remove('before')
  })

  it('is not lost when the host closes right behind it', async () => {
    const host = server()
    await host.admin('POST', '/other/disable')
    await host.restart()
    const isKept = ({ action, resource_id: id }: Seen) => action === 'plugin.disable' && id === 'other'
    await until('the last action is seen', async () => (await seenBy(host)).find(isKept))
  })
})
