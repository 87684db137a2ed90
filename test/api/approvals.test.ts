import assert from 'node:assert/strict'
import { join } from 'node:path'
import { it } from 'node:test'
import Sqlite from 'better-sqlite3'
import { plugin, startHost, type TestHost, useHost } from '../helpers/create-host.js'
import { install } from '../helpers/installed-plugins.js'

const route = (path: string, isPublic = true) =>
  `http.handle("GET", "${path}", function() return { json = {} } end, { public = ${isPublic} })`
const status = async (server: TestHost, path: string) => (await server.call('GET', path)).status
const source = (body: string, version = '1.0.0', name = 'asking') => ({
  [`${name}/init.lua`]: plugin(name, body, version),
})

async function reload(server: TestHost, body: string, version?: string): Promise<void> {
  await server.write(source(body, version))
  await server.admin('POST', '/asking/reload')
}

const shared = useHost({ plugins: {}, approve: false })

it('approves and revokes at once, and names what is unknown', async (test) => {
  const server = shared()
  await install(test, server, source(route('/a') + route('/b'), '1.0.0', 'named'), { approve: false })
  assert.equal(await status(server, '/named/a'), 404)
  const routes = [
    { plugin: 'named', method: 'GET', path: '/a' },
    { plugin: 'named', method: 'GET', path: '/absent' },
  ]
  const partly = await server.admin<{ errors: string[] }>('POST', '/routes/approve', {
    json: { routes },
    status: 400,
  })
  assert.equal(partly.errors.length, 1)
  assert.match(partly.errors[0] ?? '', /\/absent/)
  assert.equal(await status(server, '/named/a'), 200)
  assert.equal(await status(server, '/named/b'), 404)
  await server.admin('POST', '/routes/revoke', { json: { routes: routes.slice(0, 1) } })
  assert.equal(await status(server, '/named/a'), 404)
})

it('asks again after a new version, a new route or a flip of public, and only then', async (test) => {
  const server = shared()
  await install(test, server, source(route('/a') + route('/b')))
  await reload(server, `${route('/a')}${route('/b')} -- edited`)
  assert.deepEqual([await status(server, '/asking/a'), await status(server, '/asking/b')], [200, 200])
  await reload(server, route('/a', false) + route('/b') + route('/c'))
  assert.deepEqual([await status(server, '/asking/a'), await status(server, '/asking/c')], [404, 404])
  assert.equal(await status(server, '/asking/b'), 200)
  await server.approveAll()
  assert.equal(await status(server, '/asking/a'), 401, 'it is no longer public')
  await reload(server, route('/b'), '2.0.0')
  assert.equal(await status(server, '/asking/b'), 404)
  await server.restart({ approve: false })
  assert.equal(await status(server, '/asking/b'), 404, 'a restart approves nothing')
})

it('asks again after any edit when approvals are bound to the content', async (test) => {
  const server = await startHost(test, {
    plugins: { ...source(`require("one")\n${route('/a')}`), 'asking/lib/one.lua': 'return 1' },
    config: { plugin_approval_binding: 'content' },
  })
  await server.admin('POST', '/asking/reload')
  assert.equal(await status(server, '/asking/a'), 200, 'nothing was edited')
  await server.write({ 'asking/lib/one.lua': 'return 2' })
  assert.equal(await status(server, '/asking/a'), 200, 'what was approved goes on')
  await server.admin('POST', '/asking/reload')
  assert.equal(await status(server, '/asking/a'), 404)
  await server.approveAll()
  await server.close()
  await server.write({ 'asking/lib/one.lua': 'return 3' })
  await server.restart({ approve: false })
  assert.equal(await status(server, '/asking/a'), 404, 'an edit while the host was down is noticed')
})

it('keeps approvals when the plugin directory is empty or unreadable for a while', async (test) => {
  const server = await startHost(test, { plugins: source(route('/a')) })
  await server.close()
  await server.remove('')
  await server.restart({ approve: false })
  assert.equal(await status(server, '/asking/a'), 404)
  await server.close()
  await server.remove('')
  await server.write({ ...source(route('/a')), 'broken/init.lua': 'no Lua' })
  await server.restart({ approve: false })
  assert.equal(await status(server, '/asking/a'), 200)
})

it('drops only tables of plugins that are gone, only those named, and never a core table', async (test) => {
  const owner = (name: string) => `function on_init()
    db.define_table("things", { columns = { { name = "x", type = "text" } } })
    db.define_table("spares", { columns = { { name = "x", type = "text" } } })
  end -- ${name}`
  const server = await startHost(test, {
    plugins: {
      'stays/init.lua': plugin('stays', owner('stays')),
      'goes/init.lua': plugin('goes', owner('goes')),
    },
  })
  const tables = () => {
    const database = new Sqlite(join(server.dataDirectory, 'modula.db'), { readonly: true })
    const rows = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all()
    database.close()
    return rows as string[]
  }
  await server.close()
  await server.remove('goes')
  await server.restart()
  const preview = await server.admin<{ orphaned_tables: string[] }>('GET', '/cleanup')
  const orphans = [...preview.orphaned_tables].sort()
  assert.equal(orphans.length, 2)
  for (const orphan of orphans) assert.match(orphan, /goes/)
  const before = tables()
  const [first = ''] = orphans
  const others = before.filter((table) => !orphans.includes(table))
  const json = { confirm: true, tables: [first, ...others, 'plugins"; DROP TABLE plugins; --'] }
  await server.admin('POST', '/cleanup', { json: { tables: json.tables }, status: 400 })
  assert.deepEqual(tables(), before, 'nothing happens without confirm')
  const result = await server.admin<{ dropped: string[] }>('POST', '/cleanup', { json })
  assert.deepEqual(result.dropped, [first])
  assert.deepEqual(tables().sort(), before.filter((table) => table !== first).sort())
})
