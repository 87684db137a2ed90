import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { projectRoot } from '../helpers/server-process.js'
import { until } from '../helpers/until.js'

const database = `
import Database from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'

const file = new Database('shop.db')
file.exec('CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, item TEXT NOT NULL, price INTEGER NOT NULL)')
export const db = new Kysely({ dialect: new SqliteDialect({ database: file }) })
`

const plugin = `
plugin_info = { name = "pricing", version = "1.0.0", description = "Sets prices" }

hooks.on("before_create", "orders", function(order)
  if order.item == "sword" then
    return { deny = "no weapons" }
  end
  return { set = { price = 42 } }
end)

hooks.on("after_create", "orders", function(order)
  db.insert("sold", { item = order.item })
end)

http.handle("GET", "/sold", function()
  return { json = { sold = db.query("sold", {}) } }
end, { public = true })

function on_init()
  db.define_table("sold", { columns = { { name = "item", type = "text" } } })
end
`

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** A folder with the example of the README as its application, and a plugin that prices orders. */
async function createApplication(test: TestContext, port: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'modulacms-embedding-'))
  test.after(() => rm(folder, { recursive: true, force: true }))
  const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8')
  const [, example] = /^```js\n(.*?)^```/ms.exec(readme) ?? []
  assert.ok(example, 'the README has an example of embedding')
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(projectRoot, join(folder, 'node_modules', 'modulacms'))
  for (const name of ['fastify', 'kysely', 'better-sqlite3']) {
    symlinkSync(join(projectRoot, 'node_modules', name), join(folder, 'node_modules', name))
  }
  mkdirSync(join(folder, 'plugins', 'pricing'), { recursive: true })
  writeFileSync(join(folder, 'plugins', 'pricing', 'init.lua'), plugin)
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'db.js'), database)
  writeFileSync(join(folder, 'app.js'), example.replace('port: 3000', `port: ${port}`))
  return folder
}

function start(test: TestContext, folder: string): ChildProcess {
  const child = spawn(process.execPath, ['app.js'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  test.after(() => child.kill('SIGKILL'))
  return child
}

it('embeds the host as the README says, with hooks around the writes of the application', async (test) => {
  const port = await freePort()
  const folder = await createApplication(test, port)
  const child = start(test, folder)
  const base = `http://127.0.0.1:${port}`
  await until('the application', async () => {
    assert.equal(child.exitCode, null, 'the application runs')
    return fetch(`${base}/health`).then(
      () => true,
      () => false,
    )
  })
  const token = readFileSync(join(folder, 'data', 'admin-token'), 'utf8').trim()
  const post = (url: string, body: object, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(base + url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  const asAdmin = { authorization: `Bearer ${token}` }
  const table = 'orders'
  const hooks = ['before_create', 'after_create'].map((event) => ({ plugin: 'pricing', event, table }))
  const routes = [{ plugin: 'pricing', method: 'GET', path: '/sold' }]
  const admin = '/api/v1/admin/plugins'
  assert.equal((await post(`${admin}/hooks/approve`, { hooks }, asAdmin)).status, 200)
  assert.equal((await post(`${admin}/routes/approve`, { routes }, asAdmin)).status, 200)

  const stored = await post('/orders', { item: 'lamp', price: 1 })
  assert.deepEqual(await stored.json(), { id: 1, item: 'lamp', price: 42 })
  const denied = await post('/orders', { item: 'sword', price: 1 })
  assert.equal(denied.status, 422)
  assert.match(await denied.text(), /pricing.*no weapons/)
  const sold = await until('the after-hook', async () => {
    const answer = await fetch(`${base}/api/v1/plugins/pricing/sold`)
    const { sold: rows } = (await answer.json()) as { sold: { item: string }[] }
    return rows.length > 0 && rows
  })
  assert.deepEqual(
    sold.map(({ item }) => item),
    ['lamp'],
  )
})
