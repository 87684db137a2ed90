import assert from 'node:assert/strict'
import { it } from 'node:test'
import { plugin, startHost, type TestHost } from '../helpers/create-host.js'

const body = `local at_start
function on_init()
  local count, err = core.count("content_data", {})
  db.define_table("notes", { columns = { { name = "text", type = "text" } } })
  db.insert("notes", { text = err or ("counted " .. count) })
end
http.handle("GET", "/start", function()
  return { json = db.query("notes", {}) }
end, { public = true })
http.handle("GET", "/count", function()
  local count, err = core.count("content_data", {})
  return { json = { count = count, err = err } }
end, { public = true })
`
const source = (version = '1.0.0') => ({
  'reader/init.lua': plugin('reader', body, version, 'core_access = { content_data = { "read" } }'),
})

async function startsOf(server: TestHost): Promise<readonly string[]> {
  const answer = await server.call('GET', '/reader/start')
  return answer.json<{ text: string }[]>().map(({ text }) => text)
}

async function approveRoutes(server: TestHost): Promise<void> {
  await server.host.plugins.approveRoutes(server.host.plugins.routes(), 'test')
}

it('lets on_init do at a restart and a reload what was approved, and nothing before', async (test) => {
  const server = await startHost(test, { plugins: source(), approve: false })
  await approveRoutes(server)
  const refused = (await startsOf(server)).at(-1) ?? ''
  assert.match(refused, /approved/)
  const read = { plugin: 'reader', table: 'content_data', access: 'read' }
  await server.admin('POST', '/core/approve', { json: { core: [read] } })
  assert.deepEqual((await server.call('GET', '/reader/count')).json(), { count: 0 })
  await server.restart({ approve: false })
  assert.equal((await startsOf(server)).at(-1), 'counted 0')
  await server.admin('POST', '/reader/reload')
  assert.equal((await startsOf(server)).at(-1), 'counted 0')
  await server.write(source('2.0.0'))
  await server.admin('POST', '/reader/reload')
  await approveRoutes(server)
  assert.match((await startsOf(server)).at(-1) ?? '', /approved/, 'another version asks again')
  await server.admin('POST', '/core/revoke', { json: { core: [read] } })
  const { err } = (await server.call('GET', '/reader/count')).json<{ err: string }>()
  assert.match(err, /approved/)
})
