import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { createClient } from '../../sdk/client/index.js'
import { plugin, startHost, type TestHost } from '../helpers/create-host.js'
import { ownColumns } from '../helpers/migration-world.js'

const first = `-- The table of notes.
CREATE TABLE plugin_notes_notes (${ownColumns}, title TEXT NOT NULL, done BOOLEAN NOT NULL DEFAULT 0) STRICT;
-- down
DROP TABLE plugin_notes_notes;
`.replace('BOOLEAN', 'INTEGER')

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

const folder = (body = routes, version = '1.0.0') => ({ 'notes/init.lua': plugin('notes', body, version) })
const client = (host: TestHost) => createClient({ url: host.url, token: host.host.adminToken.token })

/** Reloads; gives why it failed. */
async function failingReload(host: TestHost): Promise<string> {
  await host.admin('POST', '/notes/reload', { status: 500 })
  return String((await stateOf(host)).failed_reason)
}

async function stateOf(host: TestHost): Promise<Record<string, unknown>> {
  return host.admin('GET', '/notes')
}

test('FL-02: migrations run when the plugin is loaded, once, and db.* uses their tables', async (t) => {
  const host = await startHost(t, {
    plugins: { ...folder(), 'notes/migrations/20260101000000_create_notes.sql': first },
  })
  assert.equal((await host.call('POST', '/notes/notes', { json: { title: 'one' } })).status, 201)
  assert.deepEqual((await host.call('GET', '/notes/count')).json(), { count: 1 })
  const before = await client(host).migrations.list('notes')
  assert.deepEqual(
    before.migrations.map(({ version, description, state, applied_by, reversible }) => [
      version,
      description,
      state,
      applied_by,
      reversible,
    ]),
    [[20260101000000, 'create notes', 'applied', 'load', true]],
  )
  await host.write({
    'notes/migrations/20260102000000_color.sql': 'ALTER TABLE plugin_notes_notes ADD COLUMN color TEXT',
  })
  await host.restart()
  const { migrations } = await client(host).migrations.list('notes')
  assert.deepEqual(migrations[0], before.migrations[0])
  assert.deepEqual(
    migrations.map(({ state }) => state),
    ['applied', 'applied'],
  )
  assert.equal((await host.call('POST', '/notes/notes', { json: { title: 'a', color: 'red' } })).status, 201)
  const found = (await host.call('GET', '/notes/first')).json<Record<string, unknown>>()
  assert.equal(found.color, 'red')
})

test('migrations in Lua share versions and checksums with files', async (t) => {
  const lua = (version: string) => `
db.migration(${version}, "create notes", { up = [[${first.slice(0, first.indexOf('-- down'))}]] })
db.migration({ version = "20260103000000", description = "color", up = "ALTER TABLE plugin_notes_notes ADD COLUMN color TEXT" })
${routes}`
  const host = await startHost(t, { plugins: folder(lua('20260101000000')) })
  assert.equal((await host.call('POST', '/notes/notes', { json: { title: 'a', color: 'b' } })).status, 201)
  // The same migration as a file, under the same version: it was applied.
  await host.write({
    ...folder(`
db.migration({ version = "20260103000000", description = "color", up = "ALTER TABLE plugin_notes_notes ADD COLUMN color TEXT" })
${routes}`),
    'notes/migrations/20260101000000_create_notes.sql': first,
  })
  await host.admin('POST', '/notes/reload')
  assert.equal((await stateOf(host)).failed_reason, undefined)
  // Both at once are one version twice.
  await host.write(folder(lua('20260101000000')))
  const refused = await failingReload(host)
  assert.match(
    refused,
    /the version 20260101000000 is there twice: db\.migration\(20260101000000\) in init\.lua and migrations\/20260101000000_create_notes\.sql/,
  )
  assert.equal((await host.call('GET', '/notes/count')).status, 200)
})

test('FL-03: a failing migration at the first start fails its plugin alone', async (t) => {
  const host = await startHost(t, {
    plugins: {
      ...folder(),
      'notes/migrations/1_create.sql': first,
      'notes/migrations/2_broken.sql':
        'ALTER TABLE plugin_notes_notes ADD COLUMN color TEXT; INSERT INTO plugin_notes_notes (id) VALUES (NULL)',
      'other/init.lua': plugin(
        'other',
        'http.handle("GET", "/", function() return { body = "ok" } end, { public = true })',
      ),
    },
  })
  const { state, failed_reason: reason } = await stateOf(host)
  assert.equal(state, 'failed')
  assert.match(String(reason), /Migration 2 of plugin "notes" failed and was undone: statement 2 .*NOT NULL/)
  assert.equal((await host.call('GET', '/other/')).text, 'ok')
  const { migrations } = await client(host).migrations.list('notes')
  assert.deepEqual(
    migrations.map(({ version, state: each }) => [version, each]),
    [
      [1, 'applied'],
      [2, 'pending'],
    ],
  )
  await host.write({
    'notes/migrations/2_broken.sql': 'ALTER TABLE plugin_notes_notes ADD COLUMN color TEXT',
  })
  await host.admin('POST', '/notes/reload')
  await host.approveAll()
  assert.equal((await host.call('POST', '/notes/notes', { json: { title: 'x', color: 'y' } })).status, 201)
})

test('FL-04: an edited migration is found, and adopted or restored; down runs in reverse', async (t) => {
  const host = await startHost(t, {
    plugins: {
      ...folder(),
      'notes/migrations/1_create.sql': first,
      'notes/migrations/2_color.sql':
        'ALTER TABLE plugin_notes_notes ADD COLUMN color TEXT\n-- down\nALTER TABLE plugin_notes_notes DROP COLUMN color',
    },
  })
  const { migrations } = client(host)
  await host.write({
    'notes/migrations/2_color.sql': 'ALTER TABLE plugin_notes_notes ADD COLUMN colour TEXT',
  })
  const refused = await failingReload(host)
  assert.match(refused, /Migration 2 of plugin "notes" was edited after it was applied: its checksum/)
  assert.equal((await host.call('POST', '/notes/notes', { json: { title: 'x', color: 'y' } })).status, 201)
  assert.equal((await migrations.list('notes')).migrations[1]?.state, 'edited')
  assert.equal((await migrations.adopt('notes', 2)).result, 'adopted')
  assert.equal((await migrations.adopt('notes', 2)).result, 'unchanged')
  await host.admin('POST', '/notes/reload')

  await assert.rejects(migrations.down('notes', 0), { code: 'PLUGIN_MIGRATION_IN_USE' })
  await host.admin('POST', '/notes/disable')
  await assert.rejects(migrations.down('notes', 0), {
    code: 'PLUGIN_MIGRATION_IRREVERSIBLE',
    message: /: 2\.$/,
  })
  assert.deepEqual(
    (await migrations.list('notes')).migrations.map(({ state }) => state),
    ['applied', 'applied'],
  )
  await host.write({
    'notes/migrations/2_color.sql':
      'ALTER TABLE plugin_notes_notes ADD COLUMN colour TEXT\n-- down\nALTER TABLE plugin_notes_notes DROP COLUMN color',
  })
  assert.deepEqual((await migrations.down('notes', 0)).reverted, [2, 1])
  assert.deepEqual(
    (await migrations.list('notes')).migrations.map(({ state }) => state),
    ['pending', 'pending'],
  )
  await assert.rejects(migrations.up('notes', 7), { code: 'PLUGIN_MIGRATION_NOT_FOUND' })
  assert.deepEqual((await migrations.up('notes', 1)).applied, [1])
  assert.deepEqual((await migrations.up('notes')).applied, [2])
  await host.admin('POST', '/notes/enable')
  await host.approveAll()
  assert.deepEqual((await host.call('GET', '/notes/count')).json(), { count: 0 })
})

test('a folder that is older than the database is refused, and names the versions', async (t) => {
  const host = await startHost(t, {
    plugins: {
      ...folder(),
      'notes/migrations/1_create.sql': first,
      'notes/migrations/22_x.sql': 'DELETE FROM plugin_notes_notes',
    },
  })
  await rm(join(host.pluginDirectory, 'notes/migrations/22_x.sql'))
  const refused = await failingReload(host)
  assert.match(refused, /has migrations of plugin "notes" that its folder has not: 22\. The folder is older/)
  assert.equal((await client(host).migrations.list('notes')).migrations[1]?.state, 'missing')
})

test('a late version is a warning, and an error when the host is strict', async (t) => {
  const host = await startHost(t, {
    plugins: { ...folder(), 'notes/migrations/10_create.sql': first },
  })
  await host.write({ 'notes/migrations/9_late.sql': 'DELETE FROM plugin_notes_notes' })
  await host.admin('POST', '/notes/reload')
  assert.ok(host.lines.some(({ level, msg }) => level === 'warn' && /older than the newest/.test(msg)))
  await host.write({ 'notes/migrations/8_later.sql': 'DELETE FROM plugin_notes_notes' })
  await host.restart({ config: { plugin_migrations_strict: true } })
  const { state, failed_reason: reason } = await stateOf(host)
  assert.equal(state, 'failed')
  assert.match(String(reason), /Migrations 8 of plugin "notes" are older than 10/)
})

test('FL-05: what is refused is refused before anything runs', async (t) => {
  const host = await startHost(t, {
    plugins: {
      ...folder(),
      'notes/migrations/1_create.sql': first,
      'notes/migrations/2_attack.sql': 'DELETE FROM plugin_notes_notes;\nDROP TABLE plugins',
      'notes/migrations/wrong.sql': 'DELETE FROM plugin_notes_notes',
    },
  })
  // It is known by its folder alone: not even the first migration ran.
  const { state, failed_reason: reason } = await stateOf(host)
  assert.equal(state, 'failed')
  assert.match(
    String(reason),
    /migrations\/2_attack\.sql, up, line 2: the table "plugins" is none of this plugin/,
  )
  assert.match(String(reason), /migrations\/wrong\.sql: a migration is called <version>_<name>\.sql/)
  const report = await client(host).migrations.list('notes')
  assert.deepEqual(report.migrations, [])
  assert.match(String(report.problem), /2_attack/)
})

test('files of migrations are part of the content hash, and of what is watched', async (t) => {
  const host = await startHost(t, {
    plugins: { ...folder(), 'notes/migrations/1_create.sql': first },
    config: { plugin_hot_reload: true },
    hotReload: { debounceMs: 20, cooldownMs: 20 },
  })
  const { content_hash: before } = await stateOf(host)
  await host.write({ 'notes/migrations/2_color.sql': 'ALTER TABLE plugin_notes_notes ADD COLUMN color TEXT' })
  const deadline = performance.now() + 20_000
  while ((await stateOf(host)).content_hash === before)
    assert.ok(performance.now() < deadline, 'it is not loaded')
  assert.equal((await client(host).migrations.list('notes')).migrations[1]?.state, 'applied')
})

test('migrations need the credentials of an admin, and what is asked is checked', async (t) => {
  const host = await startHost(t, { plugins: { ...folder(), 'notes/migrations/1_create.sql': first } })
  const path = '/api/v1/admin/plugins/notes/migrations'
  assert.equal((await host.send('GET', path)).status, 401)
  assert.equal((await host.send('POST', `${path}/down`, { json: { to: 0 } })).status, 401)
  await host.admin('POST', '/notes/migrations/down', { json: {}, status: 400 })
  await host.admin('POST', '/notes/migrations/down', { json: { to: -1 }, status: 400 })
  await host.admin('POST', '/notes/migrations/up', { json: { to: '1' }, status: 400 })
  await host.admin('POST', '/notes/migrations/adopt', { json: { version: 5 }, status: 404 })
  await host.admin('POST', '/notes/migrations/adopt', { json: { version: 1, if_table: 'a b' }, status: 400 })
  await host.admin('GET', '/none/migrations', { status: 404 })
})

test('tables that are made anew while the plugin serves keep their references and cascades', async (t) => {
  const body = `
http.handle("POST", "/add", function(req)
  local ok, err = db.transaction(function()
    for _, step in ipairs({ { "lists", { id = req.json.id } }, { "items", { list = req.json.id } } }) do
      local _, problem = db.insert(step[1], step[2])
      if problem then error(problem) end
    end
  end)
  return { json = { ok = ok, err = err } }
end, { public = true })
http.handle("POST", "/remove", function(req)
  local _, err = db.delete("lists", { where = { id = req.json.id } })
  return { json = { err = err, left = db.count("items", {}) } }
end, { public = true })`
  const items = `(${ownColumns}, list TEXT NOT NULL REFERENCES plugin_notes_lists (id) ON DELETE CASCADE)`
  const host = await startHost(t, {
    plugins: {
      ...folder(body),
      'notes/migrations/1_create.sql': `CREATE TABLE plugin_notes_lists (${ownColumns}); CREATE TABLE plugin_notes_items ${items}`,
    },
    config: { plugin_executors: 1 },
  })
  const round = async (id: string) => {
    assert.deepEqual((await host.call('POST', '/notes/add', { json: { id } })).json(), { ok: true })
    assert.deepEqual((await host.call('POST', '/notes/remove', { json: { id } })).json(), { left: 0 })
  }
  await round('one')
  await host.write({
    'notes/migrations/2_again.sql': `CREATE TABLE plugin_notes_new ${items};
INSERT INTO plugin_notes_new SELECT * FROM plugin_notes_items;
DROP TABLE plugin_notes_items;
ALTER TABLE plugin_notes_new RENAME TO plugin_notes_items;`,
  })
  assert.deepEqual((await client(host).migrations.up('notes')).applied, [2])
  // The same generation, on a connection that knew the tables as they were.
  await round('two')
  await host.admin('POST', '/notes/reload')
  await round('three')
})
