import assert from 'node:assert/strict'
import { readFile, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { plugin } from '../helpers/create-host.js'
import { createHttpClient } from '../helpers/http-client.js'
import { createWorkplace, type ServerProcess, type Workplace } from '../helpers/server-process.js'
import { until } from '../helpers/until.js'

const keeper = plugin(
  'keeper',
  `
local public = { public = true }
function on_init() db.define_table("rows", { columns = { { name = "n", type = "integer" } } }) end
http.handle("POST", "/rows", function(req)
  local id = db.ulid()
  local _, err = db.insert("rows", { id = id, n = req.json.n })
  if err then return { status = 500, body = err } end
  return { status = 201, json = { id = id } }
end, public)
http.handle("GET", "/rows/{id}", function(req)
  return { status = db.exists("rows", { where = { id = req.params.id } }) and 200 or 404 }
end, public)
http.handle("GET", "/count", function() return { json = db.count("rows") } end, public)
http.handle("GET", "/slow", function()
  for _ = 1, 10000000 do end
  return { body = "finished" }
end, public)
http.handle("GET", "/endless", function() while true do end end, public)
`,
)
const keeperRoutes = ['POST /rows', 'GET /rows/{id}', 'GET /count', 'GET /slow', 'GET /endless'].map(
  (route) => {
    const [method, path] = route.split(' ')
    return { plugin: 'keeper', method, path }
  },
)
const settings = {
  MODULACMS__PLUGIN_TIMEOUT: '20',
  MODULACMS__PLUGIN_MAX_INSTRUCTIONS: '1000000000000',
  MODULACMS__PLUGIN_RATE_LIMIT: '100000',
}

async function serveKeeper(place: Workplace): Promise<ServerProcess> {
  await place.write({ 'plugins/keeper/init.lua': keeper })
  const server = await place.serve([], settings)
  const approved = await fetch(`${server.url}/api/v1/admin/plugins/routes/approve`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await tokenOf(place)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ routes: keeperRoutes }),
  })
  assert.equal(approved.status, 200, await approved.text())
  return server
}

const path = '/api/v1/plugins/keeper'

const tokenFile = ({ folder }: Workplace): string => join(folder, 'data', 'admin-token')

async function tokenOf(place: Workplace): Promise<string> {
  return (await readFile(tokenFile(place), 'utf8')).trim()
}

it('finishes the requests in flight after SIGTERM, takes no more and exits with 0', async (test) => {
  const place = await createWorkplace(test, { bundledPlugins: [], executors: 1 })
  const server = await serveKeeper(place)
  const client = createHttpClient(server.url)
  test.after(() => client.close())
  const inFlight = client.send('GET', `${path}/slow`)
  await isBusy(server, place)
  server.process.kill('SIGTERM')
  await until('the port is closed', () =>
    fetch(`${server.url}/health`).then(
      ({ status }) => status === 503,
      () => true,
    ),
  )
  assert.equal((await inFlight).text, 'finished')
  const { code, signal, err } = await server.ended
  assert.deepEqual([code, signal], [0, null], err)
  assert.match(err, /stopping/)
})

it('ends at once at a second signal', async (test) => {
  const place = await createWorkplace(test, { bundledPlugins: [], executors: 1 })
  const server = await serveKeeper(place)
  const client = createHttpClient(server.url)
  test.after(() => client.close())
  const lost = client.send('GET', `${path}/endless`).catch(() => 'lost')
  await isBusy(server, place)
  server.process.kill('SIGTERM')
  await until('the first signal arrived', () => /stopping/.test(server.err()))
  server.process.kill('SIGTERM')
  assert.equal((await server.ended).code, 130)
  assert.equal(await lost, 'lost')
})

it('opens no port when it is told to stop while it starts, ends what has begun, and exits with 0', async (test) => {
  const place = await createWorkplace(test, { bundledPlugins: [], executors: 1 })
  const slow = `function on_init() for _ = 1, 30000000 do end end`
  const calm = 'function on_shutdown() log.info("has ended") end'
  await place.write({
    'plugins/a_calm/init.lua': plugin('a_calm', calm),
    'plugins/b_slow/init.lua': plugin('b_slow', slow, '1.0.0', 'dependencies = { "a_calm" },'),
  })
  const server = place.start(['serve', '--port', '0'], settings)
  await until('the first plugin runs', () => /"a_calm".*"plugin runs"/.test(server.err()))
  server.process.kill('SIGTERM')
  const { code, signal, out, err } = await server.ended
  assert.deepEqual([code, signal, out], [0, null, ''], err)
  assert.match(err, /stopping.*"a_calm".*"has ended"/s)
})

/** Waits until the server says that a call of the plugin occupies a VM. */
async function isBusy(server: ServerProcess, place: Workplace): Promise<void> {
  const token = await tokenOf(place)
  await until('a call runs', async () => {
    const answer = await fetch(`${server.url}/api/v1/admin/plugins/keeper`, {
      headers: { authorization: `Bearer ${token}` },
    })
    const { vms_available: free, vms_total: all } = (await answer.json()) as Record<string, number>
    return (free ?? 0) < (all ?? 0)
  })
}

it('loses no acknowledged write to SIGKILL', async (test) => {
  const place = await createWorkplace(test, { bundledPlugins: [], executors: 1 })
  const acknowledged: string[] = []
  let server = await serveKeeper(place)
  for (let round = 0; round < 2; round += 1) {
    await writeUntilKilled(server, acknowledged)
    server = await place.serve([], settings)
    const client = createHttpClient(server.url)
    const missing: string[] = []
    for (const id of acknowledged) {
      // A busy machine may answer 503; only 404 says that a row is gone.
      const status = await until('the row is looked up', async () => {
        const answer = await client.send('HEAD', `${path}/rows/${id}`)
        return answer.status !== 503 && answer.status
      })
      if (status !== 200) missing.push(`${id}: ${status}`)
    }
    client.close()
    assert.deepEqual(missing, [], `round ${round}: ${missing.length} of ${acknowledged.length} are gone`)
  }
  assert.ok(acknowledged.length > 30, `only ${acknowledged.length} writes were acknowledged`)
})

async function writeUntilKilled(server: ServerProcess, acknowledged: string[]): Promise<void> {
  const client = createHttpClient(server.url)
  const target = acknowledged.length + 15
  const writer = async (): Promise<void> => {
    for (let n = 0; ; n += 1) {
      const answer = await client.send('POST', `${path}/rows`, { json: { n } }).catch(() => undefined)
      if (answer === undefined) return
      if (answer.status === 201) acknowledged.push(answer.json<{ id: string }>().id)
    }
  }
  const writers = [writer(), writer(), writer(), writer()]
  await until('some writes are acknowledged', () => acknowledged.length > target)
  // The moment of the kill is meant to differ from run to run.
  await pause(Math.random() * 150)
  server.process.kill('SIGKILL')
  await Promise.all([...writers, server.ended])
  client.close()
}

it('serves two processes on one data directory, whose admin token only its owner may read', async (test) => {
  const place = await createWorkplace(test, { bundledPlugins: [], executors: 1 })
  const one = await serveKeeper(place)
  const two = await place.serve([], settings)
  const write = async ({ url }: ServerProcess, n: number): Promise<number> => {
    const body = JSON.stringify({ n })
    const headers = { 'content-type': 'application/json' }
    // A busy machine may answer 503, which says that nothing was begun.
    return until('the row is taken', async () => {
      const { status } = await fetch(`${url}${path}/rows`, { method: 'POST', headers, body })
      return status !== 503 && status
    })
  }
  const statuses = await Promise.all(Array.from({ length: 40 }, (_, n) => write(n % 2 ? one : two, n)))
  assert.deepEqual([...new Set(statuses)], [201])
  for (const { url } of [one, two]) assert.equal(await (await fetch(`${url}${path}/count`)).json(), 40)
  const info = await place.run(['plugin', 'info', 'keeper', '--url', one.url])
  assert.equal(info.code, 0, `the token of the first is still valid: ${info.err}`)
  assert.equal((await stat(tokenFile(place))).mode & 0o777, 0o600)
  assert.match(await readFile(tokenFile(place), 'utf8'), /^\S{32,}\n?$/)
})

it('names every problem of a configuration at once, before it listens, and exits with 7', async (test) => {
  const place = await createWorkplace(test, { bundledPlugins: [], executors: 1 })
  await place.write({
    'config.json': '{ "plugin_timeout": "soon", "plugin_tiemout": 5,\n "server": { "port": 70000 } }',
  })
  const { code, out, err } = await place.run(['serve'], { MODULACMS__LOG__LEVEL: 'loud' })
  assert.equal(code, 7)
  assert.equal(out, '')
  for (const word of ['plugin_timeout', 'plugin_tiemout', 'server.port', 'log.level'])
    assert.ok(err.includes(word), err)
  assert.doesNotMatch(err, /\n\s+at /, 'no stack trace')
})

it('says that its port is taken and exits with 1', async (test) => {
  const place = await createWorkplace(test, { bundledPlugins: [], executors: 1 })
  const other = createServer().listen(0, '127.0.0.1')
  test.after(() => other.close())
  await new Promise((resolve) => other.once('listening', resolve))
  const { port } = other.address() as { port: number }
  const { code, err } = await place.run(['serve', '--port', String(port)])
  assert.equal(code, 1)
  assert.match(err, new RegExp(`\\b${port}\\b`))
  assert.match(err, /in use/)
  assert.doesNotMatch(err, /\n\s+at /, 'no stack trace')
})
