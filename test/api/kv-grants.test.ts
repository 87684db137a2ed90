import assert from 'node:assert/strict'
import { it } from 'node:test'
import { plugin, startHost } from '../helpers/create-host.js'

const body = `local at_start
function on_init()
  local ok, err = kv.shared("config").set({ "start" }, plugin_info.version)
  kv.set({ "start" }, err or "written")
end
http.handle("GET", "/start", function()
  return { json = { start = kv.get({ "start" }).value } }
end, { public = true })
http.handle("POST", "/write", function()
  local ok, err = kv.shared("config").set({ "now" }, 1)
  local entry, refused = kv.shared("config").get({ "now" })
  return { json = { written = ok ~= nil, err = err, read = entry ~= nil, refused = refused } }
end, { public = true })
`
const source = (version: string) => ({
  'writer/init.lua': plugin('writer', body, version, 'kv_access = { config = { "write" } }'),
})

it('lets a plugin use a shared namespace as it was approved: access, version and time', async (t) => {
  const server = await startHost(t, { plugins: source('1.0.0'), approve: false })
  const start = async () => (await server.call('GET', '/writer/start')).json<{ start: string }>().start
  const write = async () =>
    (await server.call('POST', '/writer/write')).json<{ written: boolean; err?: string; read: boolean }>()
  const approveRoutes = () => server.host.plugins.approveRoutes(server.host.plugins.routes(), 'test')
  const grant = { kv: [{ plugin: 'writer', namespace: 'config', access: 'write' }] }
  await approveRoutes()
  assert.match(await start(), /not approved.*--kv config:write/)
  assert.equal((await write()).written, false)
  const unasked = { kv: [{ plugin: 'writer', namespace: 'config', access: 'read' }] }
  await server.admin('POST', '/kv/approve', { json: unasked, status: 400 })
  await server.admin('POST', '/kv/approve', { json: grant })
  assert.deepEqual([(await write()).written, (await write()).read], [true, false])
  await server.restart({ approve: false })
  assert.equal(await start(), 'written')
  await server.write(source('2.0.0'))
  await server.admin('POST', '/writer/reload')
  await approveRoutes()
  assert.match(await start(), /not approved/, 'another version asks again, also in its on_init')
  assert.equal((await write()).written, false)
  const config = server.host.kv.namespace('shared:config')
  assert.equal((await config.get(['start'])).value, '1.0.0')
  await server.admin('POST', '/kv/approve', { json: grant })
  assert.equal((await write()).written, true)
  await server.admin('POST', '/kv/revoke', { json: grant })
  assert.equal((await write()).written, false)
  const { kv } = await server.admin<{ kv: unknown[] }>('GET', '/kv')
  assert.deepEqual(kv, [
    {
      plugin_name: 'writer',
      namespace: 'config',
      access: 'write',
      approved: false,
      plugin_version: '2.0.0',
    },
  ])
})
