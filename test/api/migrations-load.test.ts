import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createClient } from '../../sdk/client/index.js'
import { plugin, startHost, type TestHost } from '../helpers/create-host.js'
import { ownColumns, ownValues } from '../helpers/migration-world.js'

const table = `CREATE TABLE plugin_notes_notes (${ownColumns}, title TEXT NOT NULL, done INTEGER NOT NULL DEFAULT 0) STRICT;
`

const routes = `
http.handle("GET", "/count", function() return { json = { count = db.count("notes", {}) } } end, { public = true })
http.handle("POST", "/notes", function(req)
  local _, err = db.insert("notes", req.json)
  if err then return { status = 500, json = { error = err } } end
  return { status = 201, json = {} }
end, { public = true })
http.handle("GET", "/first", function()
  return { json = db.query_one("notes", { order_by = "title" }) or {} }
end, { public = true })`

/** More routes, one of which tells which edit of the source it is of. */
const loaded = (edit: string) => `${routes}
http.handle("GET", "/plain", function() return { body = "ok" } end, { public = true })
http.handle("GET", "/edit", function() return { body = "${edit}" } end, { public = true })
http.handle("POST", "/two", function()
  local _, err
  -- A busy machine may give a transaction no turn in its time; then nothing of it is there.
  for _ = 1, 5 do
    _, err = db.transaction(function()
      for _ = 1, 2 do
        local _, problem = db.insert("notes", { title = "x" })
        if problem then error(problem) end
      end
    end)
    if not err then return { status = 201, json = {} } end
  end
  return { status = 500, json = { error = err } }
end, { public = true })`

const folder = (body: string) => ({ 'notes/init.lua': plugin('notes', body) })
const client = (host: TestHost) => createClient({ url: host.url, token: host.host.adminToken.token })

async function stateOf(host: TestHost): Promise<Record<string, unknown>> {
  return host.admin('GET', '/notes')
}

test('an upgrade whose migration fails, or works, fails no request, whatever it asks for', async (t) => {
  const numbers = Array.from({ length: 100 }, (_, at) => `(${ownValues(String(at))})`).join(', ')
  const host = await startHost(t, {
    plugins: {
      ...folder(loaded('old')),
      'notes/migrations/1_create.sql': `${table}CREATE TABLE plugin_notes_numbers (${ownColumns}); INSERT INTO plugin_notes_numbers VALUES ${numbers}`,
    },
    config: { plugin_executors: 2 },
  })
  const { generation } = await stateOf(host)
  let isOver = false
  const failed: string[] = []
  const answers = new Map<string, number>()
  const written = { rows: 0 }
  const asked = ['GET /plain', 'GET /count', 'POST /notes', 'POST /two', 'GET /edit', 'GET /first']
  const ask = async (what: string): Promise<void> => {
    const [method = '', path = ''] = what.split(' ')
    const answer = await host.call(method, `/notes${path}`, method === 'POST' ? { json: { title: 'x' } } : {})
    answers.set(what, (answers.get(what) ?? 0) + 1)
    if (answer.status >= 400) failed.push(`${what}: ${answer.status} ${answer.text}`)
    else if (method === 'POST') written.rows += path === '/two' ? 2 : 1
  }
  const load: Promise<void>[] = []
  for (let at = 0; at < 8; at += 1) {
    const what = asked[at % asked.length] ?? ''
    await ask(what)
    const run = async (): Promise<void> => {
      while (!isOver) await ask(what)
    }
    load.push(run())
  }
  // What many get at once from a plugin that has just begun, and still builds its VMs, is another matter.
  while (asked.some((what) => (answers.get(what) ?? 0) < 30)) await setImmediate()
  failed.length = 0
  const upgrade = (sql: string) =>
    host.write({ ...folder(loaded('new')), 'notes/migrations/2_upgrade.sql': sql })
  const servesOld = async (reason: RegExp) => {
    await host.admin('POST', '/notes/reload', { status: 500 })
    const state = await stateOf(host)
    assert.match(String(state.failed_reason), reason)
    assert.deepEqual([state.state, state.generation], ['running', generation])
    assert.equal((await host.call('GET', '/notes/edit')).text, 'old')
    const { migrations } = await client(host).migrations.list('notes')
    assert.equal(migrations.find(({ version }) => version === 2)?.state, 'pending')
  }
  const copies =
    'INSERT INTO plugin_notes_notes SELECT lower(hex(randomblob(16))), created_at, updated_at, title, done FROM plugin_notes_notes;'
  const added = 'ALTER TABLE plugin_notes_notes ADD COLUMN color TEXT;'
  await upgrade(`${copies} INSERT INTO plugin_notes_notes (id) VALUES ('x')`)
  for (let round = 0; round < 3; round += 1)
    await servesOld(/Migration 2 of plugin "notes" failed and was undone: statement 2 /)
  await upgrade(`${added} CREATE UNIQUE INDEX plugin_notes_one ON plugin_notes_notes (title)`)
  await servesOld(/failed and was undone: statement 2 .*UNIQUE/)
  const joined = 'abcdefghij'.split('').map((name) => `plugin_notes_notes ${name}`)
  await upgrade(`UPDATE plugin_notes_notes SET done = (SELECT count(*) FROM ${joined.join(', ')})`)
  await servesOld(/it takes longer than 500 ms/)
  // Writes wait for the lock, and with them every VM; those that only read find one all the same, later.
  const slow =
    'UPDATE plugin_notes_numbers SET updated_at = (SELECT count(*) FROM plugin_notes_numbers a, plugin_notes_numbers b, plugin_notes_numbers c) WHERE id = 1;'
  await upgrade(`${slow.repeat(3)} ${added}`)
  const answer = await host.send('POST', '/api/v1/admin/plugins/notes/reload', { headers: host.credentials })
  if (answer.status !== 200) {
    // A machine that is busy enough has not done it in its time.
    assert.match(String((await stateOf(host)).failed_reason), /it takes longer than 500 ms/)
    await upgrade(added)
    await host.admin('POST', '/notes/reload')
  }
  isOver = true
  await Promise.all(load)
  assert.deepEqual(failed, [])
  for (const what of asked)
    assert.ok((answers.get(what) ?? 0) > 10, `${what} was asked ${answers.get(what)} times`)
  assert.equal((await stateOf(host)).failed_reason, undefined)
  assert.equal((await host.call('GET', '/notes/edit')).text, 'new')
  assert.equal(
    (await host.call('GET', '/notes/count')).json<{ count: number }>().count,
    written.rows,
    'no write is lost, and of what failed none is there',
  )
})
